"""The job that sends what is queued, and sends it once.

A try is begun in one transaction (SENDING, with the time), made without one, and recorded in another. A
worker that was killed in between leaves a try that nobody recorded: whoever finds it waits until that try
must be over, looks at the far end for the delivery's marker, and sends only what is not there. The same
happens after a try whose answer was lost.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, func, insert, or_, select, update

from models.audit import AuditAction
from models.delivery import (
    Delivery,
    DeliveryAttempt,
    DeliveryFailure,
    DeliveryState,
    Destination,
)
from models.integration import Integration
from services import enqueue
from services.audit import Change
from services.database import fetch_one, transaction
from services.deliveries import dispatch_of, lock, move, one
from services.destinations.port import DeliveryFailed, PlannedRequest, Receipt
from services.errors import NotFound
from services.ids import Kind
from services.outputs.pushing import mark_pushed
from services.runtime import Runtime
from services.sessions import hold_session
from services.telemetry.metrics import DELIVERY_TRIES
from services.unit_of_work import UnitOfWork

log = logging.getLogger("flowpilot.deliveries")

SENDS_WITHIN = 25.0
"""Seconds from a try's beginning, after which its process sends nothing any more."""

MAIL_SENDS_WITHIN = 115.0
"""The same for mail: its servers may take long before they say that they have it."""

MARGIN = 5.0
"""Seconds more after which a try that nobody recorded is over, for clocks and commits."""

CUT_SHORT = DeliveryFailed(
    DeliveryFailure.AMBIGUOUS,
    "Its worker stopped in the middle of it, so nobody knows how it ended.",
)

WAITS = (1, 5, 30, 150, 900, 1800)
"""Between tries, in units of `Limits.retry_wait`; a try fails for good when none is left."""

WEBHOOK_WAITS = (2.5, 150, 900, 3600, 9000, 18000, 25200, 36000, 43200)
"""5 s, 5 and 30 min, 2, 5, 10, 14, 20 and 24 h, if the unit is 2 s: as Standard Webhooks has them."""

BLAMED = frozenset(
    {DeliveryFailure.RATE_LIMITED, DeliveryFailure.UNAVAILABLE, DeliveryFailure.AMBIGUOUS}
)
"""Failures of the other side: five in a row pause the integration for all that is on its way there."""

PATIENCE = 5

FIRST_PAUSE = 15
LONGEST_PAUSE = 300
"""In units of `Limits.retry_wait`; a pause doubles with each failure after it."""

SPREAD = 5.0
"""Seconds over which deliveries that waited for the end of a pause are spread."""


@dataclass(frozen=True, slots=True)
class Try:
    delivery: Delivery
    integration: Integration
    began_at: datetime
    looks_first: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    result: Receipt | DeliveryFailed
    detail: str | None = None
    requests: tuple[PlannedRequest, ...] = ()

    @property
    def failure(self) -> DeliveryFailed | None:
        return self.result if isinstance(self.result, DeliveryFailed) else None


async def deliver(
    runtime: Runtime,
    account_id: UUID,
    delivery_id: UUID,
    *,
    last_try: bool,  # noqa: ARG001 - tries are counted in the ledger, where people see them
) -> None:
    """One try. What is to be tried again is a job of its own, made when this try is recorded."""
    async with transaction(runtime.engine, account_id) as db:
        try:
            session_id = (await one(db, account_id, delivery_id)).session_id
        except NotFound:
            return  # removed with its session
    async with runtime.assistant_work(account_id) as work:
        if await hold_session(work, session_id) is None:
            return
        begun = await _begin(runtime, work, await lock(work, delivery_id))
    if begun is None:
        return
    outcome = await _make(runtime, begun)
    result = outcome.failure.kind.value if outcome.failure else "delivered"
    DELIVERY_TRIES.labels(begun.delivery.destination.value, result).inc()
    async with runtime.assistant_work(account_id) as work:
        if await hold_session(work, session_id) is None:
            return
        delivery = await lock(work, delivery_id)
        if delivery.tried_at == begun.began_at:  # else somebody has taken over
            await _record(runtime, work, delivery, outcome)


async def give_up(runtime: Runtime, account_id: UUID, delivery_id: UUID, *, why: str) -> None:
    async with transaction(runtime.engine, account_id) as db:
        try:
            session_id = (await one(db, account_id, delivery_id)).session_id
        except NotFound:
            return  # removed with its session
    async with runtime.assistant_work(account_id) as work:
        if await hold_session(work, session_id) is None:
            return
        delivery = await lock(work, delivery_id)
        if delivery.state in {DeliveryState.QUEUED, DeliveryState.SENDING}:
            await _give_up(runtime, work, delivery, why)


# ------------------------------------------------------------------ beginning


async def _begin(runtime: Runtime, work: UnitOfWork, delivery: Delivery) -> Try | None:
    """None where there is nothing to do, or not now."""
    if delivery.state not in {DeliveryState.QUEUED, DeliveryState.SENDING}:
        return None
    # Not when this transaction began: it may have waited for its locks since.
    now: datetime = (await work.db.execute(select(func.clock_timestamp()))).scalar_one()
    if delivery.tried_at is not None:
        over = delivery.tried_at + timedelta(seconds=_sends_within(delivery) + MARGIN)
        if now < over:
            work.enqueue(enqueue.deliver(work.account_id, delivery.id, over))
            return None
    if delivery.next_try_at is not None and now < delivery.next_try_at:
        return None  # a job of its own waits for that
    integration = await fetch_one(work.db, _integration_of(delivery))
    if integration is None or not integration.is_enabled:
        await _give_up(runtime, work, delivery, "Its integration was removed or switched off.")
        return None
    if integration.paused_until is not None and now < integration.paused_until:
        spread = timedelta(seconds=delivery.id.int % 1000 / 1000 * SPREAD)
        await _postpone(work, delivery, integration.paused_until + spread)
        return None
    was_cut_short = delivery.tried_at is not None
    if was_cut_short:
        await _add_attempt(work, delivery, Outcome(CUT_SHORT))
    values = {"tries": Delivery.tries + 1, "tried_at": now, "next_try_at": None}
    if was_cut_short:
        values["is_ambiguous"] = True
    if delivery.state is DeliveryState.QUEUED:
        await move(work, delivery, DeliveryState.SENDING, **values)
    else:
        await _set(work, delivery, **values)
    return Try(delivery, integration, now, was_cut_short or delivery.is_ambiguous)


async def _postpone(work: UnitOfWork, delivery: Delivery, until: datetime) -> None:
    await _set(work, delivery, next_try_at=until)
    work.enqueue(enqueue.deliver(work.account_id, delivery.id, until))


async def _give_up(runtime: Runtime, work: UnitOfWork, delivery: Delivery, why: str) -> None:
    if delivery.state is DeliveryState.QUEUED:
        await move(work, delivery, DeliveryState.SENDING)
    current = await lock(work, delivery.id)
    failure = DeliveryFailed(DeliveryFailure.VALIDATION, why)
    await _record(runtime, work, current, Outcome(failure))


async def _set(work: UnitOfWork, delivery: Delivery, **values: object) -> None:
    await work.db.execute(
        update(Delivery)
        .where(Delivery.account_id == work.account_id, Delivery.id == delivery.id)
        .values(**values)
    )


# ------------------------------------------------------------------ sending


async def _make(runtime: Runtime, begun: Try) -> Outcome:
    dispatch = dispatch_of(begun.delivery)
    requests: tuple[PlannedRequest, ...] = ()
    try:
        async with asyncio.timeout(_sends_within(begun.delivery)):
            destination = runtime.destinations.of(begun.integration)
            if begun.looks_first:
                receipt = await destination.find(dispatch)
                if receipt is not None:
                    return Outcome(receipt, detail="It had arrived by an earlier try.")
            requests = tuple((await destination.plan(dispatch)).requests)
            receipt = await destination.deliver(dispatch)
            return Outcome(receipt, receipt.detail, requests)
    except DeliveryFailed as failed:
        failure = failed
    except TimeoutError:
        failure = DeliveryFailed(DeliveryFailure.AMBIGUOUS, "It did not answer in time.")
    except Exception:  # a fault of ours; left alone, it would be SENDING for ever
        log.exception("a delivery failed", extra={"delivery": str(begun.delivery.id)})
        failure = DeliveryFailed(DeliveryFailure.AMBIGUOUS, "Something went wrong on our side.")
    return Outcome(failure, requests=requests)


# ------------------------------------------------------------------ recording


async def _record(runtime: Runtime, work: UnitOfWork, delivery: Delivery, outcome: Outcome) -> None:
    now: datetime = (await work.db.execute(select(func.now()))).scalar_one()
    await _add_attempt(work, delivery, outcome)
    values: dict[str, object] = {"tried_at": None}
    if outcome.requests:
        values["requests"] = [
            {"method": each.method, "url": each.url, "body": each.body} for each in outcome.requests
        ]
    if isinstance(outcome.result, Receipt):
        await move(
            work,
            delivery,
            DeliveryState.DELIVERED,
            reference=outcome.result.reference[:200],
            delivered_at=now,
            **values,
        )
        await mark_pushed(work, delivery)
        await _praise(work, delivery)
        return
    failure = outcome.result
    if failure.kind is DeliveryFailure.AMBIGUOUS:
        values["is_ambiguous"] = True
    waits = WEBHOOK_WAITS if delivery.destination is Destination.WEBHOOK else WAITS
    if (
        failure.is_retryable
        and delivery.tries <= len(waits)
        and not _comes_too_often(delivery, failure)
    ):
        wait = runtime.limits.retry_wait * waits[delivery.tries - 1]
        again = now + timedelta(seconds=max(wait, failure.retry_after or 0.0))
        await move(work, delivery, DeliveryState.SENDING, next_try_at=again, **values)
        work.enqueue(enqueue.deliver(work.account_id, delivery.id, again))
    else:
        await move(work, delivery, DeliveryState.FAILED, next_try_at=None, **values)
    await _blame(runtime, work, delivery, failure, now)


def _sends_within(delivery: Delivery) -> float:
    return MAIL_SENDS_WITHIN if delivery.destination is Destination.EMAIL else SENDS_WITHIN


def _comes_too_often(delivery: Delivery, failure: DeliveryFailed) -> bool:
    """A mail that may have arrived twice is not sent a third time unless somebody wants it."""
    is_mail = delivery.destination is Destination.EMAIL
    return is_mail and failure.kind is DeliveryFailure.AMBIGUOUS and delivery.is_ambiguous


async def _add_attempt(work: UnitOfWork, delivery: Delivery, outcome: Outcome) -> None:
    failure = outcome.failure
    last = select(func.coalesce(func.max(DeliveryAttempt.attempt), 0)).where(
        DeliveryAttempt.account_id == work.account_id, DeliveryAttempt.delivery_id == delivery.id
    )
    await work.db.execute(
        insert(DeliveryAttempt).values(
            account_id=work.account_id,
            delivery_id=delivery.id,
            attempt=last.scalar_subquery() + 1,
            succeeded=failure is None,
            failure=failure and failure.kind,
            detail=failure.sentence if failure else outcome.detail,
        )
    )


async def _praise(work: UnitOfWork, delivery: Delivery) -> None:
    """Seldom, or all that is delivered at the same time would wait for this row."""
    await work.db.execute(
        update(Integration)
        .where(
            Integration.account_id == work.account_id,
            Integration.id == delivery.integration_id,
            or_(
                Integration.failures > 0,
                Integration.last_failure.is_not(None),
                Integration.last_success_at.is_(None),
                Integration.last_success_at < func.now() - timedelta(minutes=1),
            ),
        )
        .values(last_success_at=func.now(), last_failure=None, failures=0, paused_until=None)
    )


async def _blame(
    runtime: Runtime,
    work: UnitOfWork,
    delivery: Delivery,
    failure: DeliveryFailed,
    now: datetime,
) -> None:
    """Wrong credentials concern everything that goes there, too, but no pause mends them."""
    if failure.switches_off:
        await _switch_off(work, delivery, failure)
        return
    if failure.kind not in BLAMED | {DeliveryFailure.AUTH, DeliveryFailure.PERMISSION}:
        return
    integration = await fetch_one(work.db, _integration_of(delivery).with_for_update())
    if integration is None:
        return
    values: dict[str, object] = {"last_failure": failure.sentence}
    if failure.kind in BLAMED:
        failures = integration.failures + 1
        values["failures"] = failures
        if failures >= PATIENCE:
            doubled = FIRST_PAUSE * 2 ** min(failures - PATIENCE, 10)
            pause = runtime.limits.retry_wait * min(doubled, LONGEST_PAUSE)
            pause = max(pause, failure.retry_after or 0.0)
            values["paused_until"] = now + timedelta(seconds=pause)
    await work.db.execute(
        update(Integration)
        .where(Integration.account_id == work.account_id, Integration.id == delivery.integration_id)
        .values(**values)
    )


async def _switch_off(work: UnitOfWork, delivery: Delivery, failure: DeliveryFailed) -> None:
    switched = (
        update(Integration)
        .where(
            Integration.account_id == work.account_id,
            Integration.id == delivery.integration_id,
            Integration.is_enabled,
        )
        .values(
            is_enabled=False,
            last_failure=failure.sentence,
            version=Integration.version + 1,
            updated_at=func.now(),
        )
        .returning(Integration.id)
    )
    integration_id = (await work.db.execute(switched)).scalar_one_or_none()
    if integration_id is not None:
        work.audit(
            AuditAction.INTEGRATION_CHANGED,
            Kind.INTEGRATION,
            integration_id,
            Change("isEnabled", "true", "false"),
        )


def _integration_of(delivery: Delivery) -> Select[Integration]:
    return select(Integration).where(
        Integration.account_id == delivery.account_id, Integration.id == delivery.integration_id
    )
