"""The systems outside that an account is connected to. Secrets go in and never come out."""

import hmac
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import orjson
from sqlalchemy import Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models.account import Account
from models.audit import AuditAction
from models.delivery import Destination
from models.integration import Integration, IntegrationProvider
from services.access import Actor, require_admin
from services.audit import Change
from services.database import fetch, fetch_one
from services.destinations.addresses import (
    AddressRefused,
    AddressUnknown,
    addresses_of,
    checked_url,
)
from services.destinations.port import DeliveryFailed
from services.destinations.providers import PROVIDERS, owner
from services.destinations.webhook import instant
from services.errors import (
    FieldProblem,
    InvalidInput,
    NotFound,
    ServiceUnavailable,
    StaleVersion,
)
from services.ids import Kind, new_id, node_id
from services.runtime import Runtime
from services.sealing import Unsealable
from services.unit_of_work import UnitOfWork
from services.validation import Validation, is_blank

OF_ACCOUNT = 100

LONGEST_ENTRY = 1_000

PREDECESSOR_LASTS = timedelta(days=1)
"""How long a webhook is signed with its earlier secret, too."""

NEEDED = "A new integration needs it."


@dataclass(frozen=True, slots=True)
class IntegrationDetails:
    """What is None stays as it is; a new integration needs a name, an address and all that its provider
    requires."""

    name: str | None
    base_url: str | None
    is_enabled: bool | None
    provider: IntegrationProvider | None
    entries: Mapping[str, str | None] = field(repr=False)
    """By the names in services.destinations.providers."""


# ------------------------------------------------------------------ verbs


async def save_integration(
    runtime: Runtime,
    actor: Actor,
    details: IntegrationDetails,
    *,
    key: UUID | None,
    integration_id: UUID | None,
    expected_version: int | None,
) -> Integration:
    """A new one without `integration_id`, a change of one with it.

    Credentials do not follow to another host: whoever enters one must know them.

    Raises InvalidInput, NotFound, PermissionDenied and StaleVersion.
    """
    require_admin(actor)
    if integration_id is None:
        return await _add(runtime, actor, details, key)
    if key is not None:
        raise InvalidInput([FieldProblem(("idempotencyKey",), "Is for a new integration.")])
    return await _edit(runtime, actor, details, integration_id, expected_version)


async def _add(
    runtime: Runtime, actor: Actor, details: IntegrationDetails, key: UUID | None
) -> Integration:
    check = Validation()
    for name, given in (
        ("idempotencyKey", key),
        ("name", details.name),
        ("baseUrl", details.base_url),
        ("connection", details.provider),
    ):
        if given is None:
            check.add((name,), NEEDED)
    provider = details.provider
    values = await _values(check, runtime, details, provider)
    entries = _entries(check, details)
    if provider is not None:
        for entry in PROVIDERS[provider].entries:
            if entry.is_required and details.entries.get(entry.name) is None:
                check.add(_path(provider, entry.name), NEEDED)
    if provider is None or key is None or check.problems:
        raise InvalidInput(check.problems)
    integration_id = new_id()
    content = {"provider": provider, **values, "entries": _digest(runtime, entries)}
    async with runtime.work(actor) as work:
        made = await work.once(
            "saveIntegration", key, content, {"integration": str(integration_id)}
        )
        if made is not None:
            return await _one(work.db, actor, UUID(made["integration"]))
        await _require_room(work)
        secrets = PROVIDERS[provider].secrets
        await work.db.execute(
            insert(Integration).values(
                account_id=work.account_id,
                id=integration_id,
                provider=provider,
                settings={
                    name: text for name, text in entries.items() if text and name not in secrets
                },
                credentials=runtime.destinations.seal.close(
                    owner(work.account_id, integration_id),
                    {name: entries[name] for name in secrets if name in entries},
                ),
                **values,
            )
        )
        work.audit(
            AuditAction.INTEGRATION_ADDED,
            Kind.INTEGRATION,
            integration_id,
            Change("provider", after=provider.name),
            *_changes({}, values),
        )
        return await _one(work.db, actor, integration_id)


async def _edit(
    runtime: Runtime,
    actor: Actor,
    details: IntegrationDetails,
    integration_id: UUID,
    expected_version: int | None,
) -> Integration:
    check = Validation()
    if expected_version is None:
        check.add(("expectedVersion",), "A change needs it.")
    async with runtime.read(actor) as db:
        provider = (await _one(db, actor, integration_id)).provider
    values = await _values(check, runtime, details, provider)
    entries = _entries(check, details)
    check.done()
    async with runtime.work(actor) as work:
        integration = await _one(work.db, actor, integration_id, lock=True)
        if details.provider not in {None, integration.provider}:
            check.add(("connection",), f"It is one of {integration.provider.name}.")
        known = PROVIDERS[integration.provider]
        if _host(values.get("base_url", integration.base_url)) != _host(integration.base_url):
            for name in known.secrets:
                if name not in entries:
                    path = _path(integration.provider, name)
                    check.add(path, "Must be entered again for another address.")
        check.done()
        if integration.version != expected_version:
            raise StaleVersion(integration.version)
        changed = dict(values)
        plain = {name: text for name, text in entries.items() if name not in known.secrets}
        secret = {name: text for name, text in entries.items() if name in known.secrets}
        if known.rotating is not None and known.rotating in secret:
            plain |= _keep_predecessor(runtime, integration, known.rotating, secret)
        if plain:
            merged = {**integration.settings, **plain}
            changed["settings"] = {name: text for name, text in merged.items() if text}
        if secret:
            changed["credentials"] = _resealed(runtime, integration, secret)
        await work.db.execute(
            update(Integration)
            .where(Integration.account_id == work.account_id, Integration.id == integration_id)
            .values(
                **changed,
                # Whoever mends it need not wait until the pause is over.
                failures=0,
                paused_until=None,
                version=Integration.version + 1,
                updated_at=func.now(),
            )
        )
        before = {name: getattr(integration, name) for name in values}
        entered = [Change("connection")] if entries else []
        work.audit(
            AuditAction.INTEGRATION_CHANGED,
            Kind.INTEGRATION,
            integration_id,
            *_changes(before, values),
            *entered,
        )
        return await _one(work.db, actor, integration_id)


async def test_integration(runtime: Runtime, actor: Actor, integration_id: UUID) -> Integration:
    """Calls the system outside. Raises NotFound, PermissionDenied and ServiceUnavailable."""
    require_admin(actor)
    async with runtime.read(actor) as db:
        integration = await _one(db, actor, integration_id)
    try:
        await runtime.destinations.of(integration).check()
    except DeliveryFailed as failure:
        raise unavailable(integration, failure) from None
    async with runtime.work(actor) as work:
        await _one(work.db, actor, integration_id, lock=True)
        await work.db.execute(
            update(Integration)
            .where(Integration.account_id == work.account_id, Integration.id == integration_id)
            .values(last_success_at=func.now(), last_failure=None, failures=0, paused_until=None)
        )
        work.audit(AuditAction.INTEGRATION_TESTED, Kind.INTEGRATION, integration_id)
        return await _one(work.db, actor, integration_id)


async def remove_integration(runtime: Runtime, actor: Actor, integration_id: UUID) -> Integration:
    """As it was. Forgets its credentials. What is on its way there fails; the ledger stays.

    Raises NotFound and PermissionDenied.
    """
    require_admin(actor)
    async with runtime.work(actor) as work:
        integration = await _one(work.db, actor, integration_id, lock=True)
        await work.db.execute(
            update(Integration)
            .where(Integration.account_id == work.account_id, Integration.id == integration_id)
            .values(
                removed_at=func.now(),
                credentials=None,
                is_enabled=False,
                version=Integration.version + 1,
            )
        )
        work.audit(AuditAction.INTEGRATION_REMOVED, Kind.INTEGRATION, integration_id)
    return integration


def unavailable(integration: Integration, failure: DeliveryFailed) -> ServiceUnavailable:
    """What a far end said to a person who waits for it."""
    name = PROVIDERS[integration.provider].name
    return ServiceUnavailable(
        f"{name}: {failure.sentence}", service=name, retryable=failure.is_retryable
    )


# ------------------------------------------------------------------ what was entered


async def _values(
    check: Validation,
    runtime: Runtime,
    details: IntegrationDetails,
    provider: IntegrationProvider | None,
) -> dict[str, object]:
    """Columns, for what was given."""
    values: dict[str, object] = {}
    if details.name is not None:
        values["name"] = check.text(("name",), details.name, 1, 200)
    if details.base_url is not None:
        values["base_url"] = await _checked_url(check, runtime, provider, details.base_url)
    if details.is_enabled is not None:
        values["is_enabled"] = details.is_enabled
    return values


async def _checked_url(
    check: Validation, runtime: Runtime, provider: IntegrationProvider | None, text: str
) -> str:
    """A name that cannot be resolved now is taken: it is looked at again with every call."""
    allowed = runtime.destinations.outgoing.allowed
    try:
        known = PROVIDERS[provider or IntegrationProvider.WEBHOOK]
        url = checked_url(
            text, allowed, schemes=known.schemes, plain=known.plain, example=known.example
        )
        parts = urlsplit(url)
        await addresses_of(parts.hostname or "", parts.port or 443, allowed)
    except AddressRefused as refusal:
        check.add(("baseUrl",), str(refusal))
        return text
    except AddressUnknown:
        return url
    return url


def _entries(check: Validation, details: IntegrationDetails) -> dict[str, str]:
    """What was given; empty for what is to be left out from now on."""
    if details.provider is None:
        return {}
    found = {}
    for entry in PROVIDERS[details.provider].entries:
        given = details.entries.get(entry.name)
        if given is None:
            continue
        path = _path(details.provider, entry.name)
        if is_blank(given) and not entry.is_required:
            found[entry.name] = ""
            continue
        found[entry.name] = check.text(path, given, 1, LONGEST_ENTRY)
        # They go into headers and addresses, and the message must not show them.
        if not found[entry.name].isprintable() or not found[entry.name].isascii():
            check.add(path, "Must have nothing but letters, digits and signs of ASCII.")
        problem = entry.problem and entry.problem(found[entry.name])
        if problem:
            check.add(path, problem)
        if entry.is_number and not found[entry.name].isdigit():
            check.add(path, "Must be a number.")
    return found


def _path(provider: IntegrationProvider, name: str) -> tuple[str, ...]:
    return ("connection", _camel(provider.value), _camel(name))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _host(url: object) -> str:
    return urlsplit(str(url)).netloc


def _digest(runtime: Runtime, entries: Mapping[str, str]) -> str:
    """Of which nobody can try guesses on."""
    text = orjson.dumps(dict(entries), option=orjson.OPT_SORT_KEYS)
    return hmac.digest(runtime.secret, b"integration:" + text, "sha256").hex()


def _keep_predecessor(
    runtime: Runtime, integration: Integration, name: str, secret: dict[str, str]
) -> dict[str, str]:
    """Beside the new one, and until when it is good; nothing where it cannot be read any more."""
    whose = owner(integration.account_id, integration.id)
    with suppress(Unsealable):
        old = runtime.destinations.seal.open(whose, integration.credentials or b"").get(name)
        if old is not None and old != secret[name]:
            secret[f"previous_{name}"] = old
            return {f"previous_{name}_until": instant(datetime.now(UTC) + PREDECESSOR_LASTS)}
    return {}


def _resealed(runtime: Runtime, integration: Integration, secret: Mapping[str, str]) -> bytes:
    """With what was not entered anew. Raises InvalidInput where that cannot be read any more."""
    seal = runtime.destinations.seal
    whose = owner(integration.account_id, integration.id)
    missing = [name for name in PROVIDERS[integration.provider].secrets if name not in secret]
    kept: Mapping[str, str] = {}
    if missing:
        try:
            kept = seal.open(whose, integration.credentials or b"")
        except Unsealable:
            raise InvalidInput(
                [
                    FieldProblem(_path(integration.provider, name), "Must be entered again.")
                    for name in missing
                ]
            ) from None
    return seal.close(whose, {**kept, **secret})


SHOWN_AS = {"name": "name", "base_url": "baseUrl", "is_enabled": "isEnabled"}


def _changes(before: Mapping[str, object], values: Mapping[str, object]) -> list[Change]:
    return [
        Change(SHOWN_AS[name], _shown(before.get(name)), _shown(value))
        for name, value in values.items()
        if before.get(name) != value
    ]


def _shown(value: object) -> str | None:
    return None if value is None else str(value).lower() if value in {True, False} else str(value)


async def _require_room(work: UnitOfWork) -> None:
    """Under the lock of the account, or two would share the last place."""
    account = select(Account.id).where(Account.id == work.account_id)
    await work.db.execute(account.with_for_update(key_share=True))
    count = select(func.count()).where(
        Integration.account_id == work.account_id, Integration.removed_at.is_(None)
    )
    if (await work.db.execute(count)).scalar_one() >= OF_ACCOUNT:
        raise InvalidInput(
            [FieldProblem(("name",), f"An account may have {OF_ACCOUNT} integrations.")]
        )


# ------------------------------------------------------------------ reads


def _present(account_id: UUID) -> Select[Integration]:
    return select(Integration).where(
        Integration.account_id == account_id, Integration.removed_at.is_(None)
    )


async def _one(
    db: AsyncConnection, actor: Actor, integration_id: UUID, *, lock: bool = False
) -> Integration:
    """Raises NotFound."""
    statement = _present(actor.account_id).where(Integration.id == integration_id)
    integration = await fetch_one(
        db, statement.with_for_update(key_share=True) if lock else statement
    )
    if integration is None:
        raise NotFound(node_id(Kind.INTEGRATION, integration_id))
    return integration


async def usable(db: AsyncConnection, actor: Actor, integration_id: UUID) -> Integration:
    """For a delivery or a link. Raises NotFound, and InvalidInput for one that is switched off."""
    integration = await _one(db, actor, integration_id)
    if not integration.is_enabled:
        raise InvalidInput([FieldProblem(("integrationId",), "It is switched off.")])
    return integration


async def all_for(
    db: AsyncConnection, actor: Actor, destination: Destination
) -> Sequence[Integration]:
    """Those that lead there and are switched on, by name."""
    providers = [name for name, known in PROVIDERS.items() if known.destination is destination]
    statement = _present(actor.account_id).where(
        Integration.provider.in_(providers), Integration.is_enabled
    )
    return await fetch(db, statement.order_by(Integration.name, Integration.id))


async def list_integrations(runtime: Runtime, actor: Actor) -> Sequence[Integration]:
    """By name, at most 100."""
    statement = _present(actor.account_id).order_by(Integration.name, Integration.id)
    async with runtime.read(actor) as db:
        return await fetch(db, statement.limit(OF_ACCOUNT))


async def by_id(
    runtime: Runtime, actor: Actor, integration_ids: Sequence[UUID]
) -> dict[UUID, Integration]:
    statement = _present(actor.account_id).where(Integration.id.in_(integration_ids))
    async with runtime.read(actor) as db:
        return {row.id: row for row in await fetch(db, statement)}
