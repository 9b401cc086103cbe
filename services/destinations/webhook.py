"""Webhooks by the Standard Webhooks specification: signed, with an id that stays the same over all tries.

Signed is `id.timestamp.body`, by HMAC-SHA256. After a change of the secret both sign for a day, so that the
receiver can change over in its own time.
"""

import hmac
import time
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson

from models.delivery import DeliveryFailure, DeliveryGuarantee
from services.destinations.http import Answer, Call, Outgoing, failure_of
from services.destinations.port import (
    Connection,
    DeliveryFailed,
    Dispatch,
    Plan,
    PlannedRequest,
    Receipt,
)
from services.ids import new_id

PREFIX = "whsec_"
KEY_BYTES = range(24, 65)


def key_problem(secret: str) -> str | None:
    """What is wrong with a secret, in a sentence."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except NotBase64:
        key = b""
    if not secret.startswith(PREFIX) or len(key) not in KEY_BYTES:
        return f"Must be {PREFIX} and the base64 of 24 to 64 bytes."
    return None


class Webhook:
    name = "Webhook"
    guarantee = DeliveryGuarantee.AT_LEAST_ONCE

    def __init__(self, connection: Connection, outgoing: Outgoing) -> None:
        self._url = connection.base_url
        self._outgoing = outgoing
        self._secret = connection.credentials["secret"]
        self._previous = connection.credentials.get("previous_secret")
        self._previous_until = connection.settings.get("previous_secret_until")

    async def plan(self, dispatch: Dispatch) -> Plan:
        request = PlannedRequest("POST", self._url, _body(dispatch))
        return Plan((request,), "Whoever runs the system at this address.")

    async def deliver(self, dispatch: Dispatch) -> Receipt:
        answer = await self._post(dispatch.delivery_id, _body(dispatch))
        return Receipt(f"{answer.status} {HTTPStatus(answer.status).phrase}")

    async def find(self, dispatch: Dispatch) -> Receipt | None:  # noqa: ARG002 - nobody can be asked
        return None

    async def check(self) -> None:
        body = orjson.dumps({"type": "flowpilot.test", "timestamp": _now(), "data": {}}).decode()
        await self._post(new_id(), body)

    async def _post(self, key: UUID, body: str) -> Answer:
        call = Call("POST", self._url, self._headers(key, body), body.encode(), changes=True)
        answer = await self._outgoing.send(call)
        if answer.status == HTTPStatus.GONE:
            raise DeliveryFailed(
                DeliveryFailure.NOT_FOUND,
                "It answered that it is gone for good, so the integration was switched off.",
                switches_off=True,
            )
        if not answer.is_success:
            raise failure_of(answer, call)
        return answer

    def _headers(self, key: UUID, body: str) -> dict[str, str]:
        stamp = str(int(time.time()))
        secrets = [self._secret]
        if self._previous and self._previous_until and _now() < self._previous_until:
            secrets.append(self._previous)
        return {
            "Content-Type": "application/json",
            "webhook-id": f"fp-{key.hex}",
            "webhook-timestamp": stamp,
            "webhook-signature": " ".join(
                signature(secret, f"fp-{key.hex}", stamp, body) for secret in secrets
            ),
        }


def signature(secret: str, webhook_id: str, stamp: str, body: str) -> str:
    key = b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, f"{webhook_id}.{stamp}.{body}".encode(), "sha256")
    return f"v1,{b64encode(digest).decode()}"


def _body(dispatch: Dispatch) -> str:
    """The same bytes at every try."""
    document, parts = dispatch.document, dispatch.document.parts
    data: dict[str, Any] = {
        "deliveryId": f"fp-{dispatch.delivery_id.hex}",
        **dispatch.about,
        "kind": document.kind.upper(),
        "title": document.title,
        "markdown": document.markdown,
    }
    if parts is not None:
        data["article"] = {
            "symptoms": list(parts.symptoms),
            "rootCause": parts.root_cause,
            "steps": list(parts.steps),
            "ruleOutFirst": list(parts.rule_out_first),
            "tags": list(parts.tags),
        }
    event = {"type": "resolution.pushed", "timestamp": dispatch.pushed_at, "data": data}
    return orjson.dumps(event).decode()


def _now() -> str:
    return instant(datetime.now(UTC))


def instant(at: datetime) -> str:
    """As the bodies have it; of one length, so that they sort."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
