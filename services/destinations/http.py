"""Calls over HTTP to systems outside: the only importer of the client.

A call goes to an address that was looked at before (services.destinations.addresses), follows no redirect,
takes at most so long, and reads at most so much of the answer. Whatever goes wrong is a DeliveryFailed that
says whether the call may have arrived.
"""

import asyncio
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Self, TypeVar

import httpx2
import orjson
from pydantic import TypeAdapter, ValidationError

from models.delivery import DeliveryFailure
from services.destinations.addresses import (
    AddressRefused,
    AddressUnknown,
    Allowed,
    addresses_of,
)
from services.destinations.port import DeliveryFailed

TIMEOUT = 20.0
"""Seconds of one call, from the look-up of the name to the last byte."""

CONNECTS_WITHIN = 5.0

LARGEST = 2_000_000
"""Bytes of an answer that are read."""

LONGEST_PAUSE = 3600.0
"""Seconds that a far end may ask us to wait; who asks for more is asked again after this."""

T = TypeVar("T")

NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    """With credentials, so it is never shown."""
    body: bytes = b""
    changes: bool = False
    """Whether it makes or alters something: then a lost answer leaves open whether it did."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """Lower-case names."""
    body: bytes

    @property
    def is_success(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    def data(self) -> Any:  # noqa: ANN401 - whatever the far end says
        """None where it is no JSON object or list: a page of HTML is an answer of somebody else."""
        with suppress(orjson.JSONDecodeError):
            found = orjson.loads(self.body)
            if isinstance(found, dict | list):
                return found
        return None


class Outgoing:
    """One for a process. Connections are not kept: they belong to the address that was looked at."""

    def __init__(self, allowed: Allowed) -> None:
        self.allowed = allowed
        self._client = httpx2.AsyncClient(
            trust_env=False,  # a proxy would resolve the name again
            follow_redirects=False,
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=0),
            timeout=httpx2.Timeout(TIMEOUT, connect=CONNECTS_WITHIN),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def send(self, call: Call) -> Answer:
        """Any answer, also one that refuses. Raises DeliveryFailed."""
        try:
            async with asyncio.timeout(TIMEOUT):
                return await self._send(call)
        except TimeoutError:
            raise _lost(call, "It did not answer in time.") from None

    async def _send(self, call: Call) -> Answer:
        url = httpx2.URL(call.url)
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            addresses = await addresses_of(url.host, port, self.allowed)
        except AddressRefused as refusal:
            raise DeliveryFailed(
                DeliveryFailure.VALIDATION,
                f"The address of the integration cannot be used: {refusal}",
            ) from None
        except AddressUnknown:
            raise _away("The name of its host cannot be resolved.") from None
        for place, address in enumerate(addresses):
            try:
                return await self._send_to(address, url, call)
            except NEVER_SENT:
                if place == len(addresses) - 1:
                    raise _away("It cannot be reached.") from None
            except httpx2.TimeoutException:
                raise _lost(call, "It did not answer in time.") from None
            except (httpx2.HTTPError, httpx2.InvalidURL):
                raise _lost(call, "The connection broke off.") from None
        raise _away("It has no address.")

    async def _send_to(self, address: str, url: httpx2.URL, call: Call) -> Answer:
        request = self._client.build_request(
            call.method,
            url.copy_with(host=address),
            headers={
                "User-Agent": "FlowPilot",
                # What is packed may be far larger than LARGEST once it is unpacked.
                "Accept-Encoding": "identity",
                **call.headers,
                "Host": url.netloc.decode("ascii"),
            },
            content=call.body or None,
            extensions={"sni_hostname": url.host},
        )
        response = await self._client.send(request, stream=True)
        try:
            body = b""
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > LARGEST:
                    raise _lost(call, f"Its answer has more than {LARGEST:,} bytes.")
        finally:
            await response.aclose()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, body)


def _away(sentence: str) -> DeliveryFailed:
    """Nothing was sent."""
    return DeliveryFailed(DeliveryFailure.UNAVAILABLE, sentence)


def _lost(call: Call, sentence: str) -> DeliveryFailed:
    kind = DeliveryFailure.AMBIGUOUS if call.changes else DeliveryFailure.UNAVAILABLE
    return DeliveryFailed(kind, sentence)


# ------------------------------------------------------------------ what an answer means

OF_STATUS: Mapping[int, tuple[DeliveryFailure, str]] = {
    HTTPStatus.BAD_REQUEST: (DeliveryFailure.VALIDATION, "It did not accept what was sent."),
    HTTPStatus.UNAUTHORIZED: (DeliveryFailure.AUTH, "It did not accept the credentials."),
    HTTPStatus.FORBIDDEN: (DeliveryFailure.PERMISSION, "The credentials do not allow this."),
    HTTPStatus.NOT_FOUND: (DeliveryFailure.NOT_FOUND, "It knows nothing of that name."),
    HTTPStatus.GONE: (DeliveryFailure.NOT_FOUND, "It is there no longer."),
    HTTPStatus.CONFLICT: (DeliveryFailure.CONFLICT, "Somebody else is changing it at the moment."),
    HTTPStatus.LOCKED: (DeliveryFailure.CONFLICT, "Somebody else is changing it at the moment."),
    HTTPStatus.TOO_MANY_REQUESTS: (
        DeliveryFailure.RATE_LIMITED,
        "It asks for fewer requests.",
    ),
}


def failure_of(
    answer: Answer, call: Call, told: str | None = None, fields: Mapping[str, str] | None = None
) -> DeliveryFailed:
    """By its status. `told` is what the far end said in words, and `fields` what was wrong with which."""
    status = answer.status
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = DeliveryFailure.AMBIGUOUS if call.changes else DeliveryFailure.UNAVAILABLE
        sentence = f"It failed with status {status}."
    elif status in OF_STATUS:
        kind, sentence = OF_STATUS[status]
    elif HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        kind = DeliveryFailure.VALIDATION
        sentence = "Its address leads to another one: enter that instead."
    elif answer.is_success:
        kind = DeliveryFailure.AMBIGUOUS if call.changes else DeliveryFailure.UNAVAILABLE
        sentence = "What answered is not the system that was meant: it spoke no JSON."
    else:
        kind, sentence = DeliveryFailure.VALIDATION, f"It refused with status {status}."
    if told:
        sentence = f"{sentence} It says: {shown(told)}"
    return DeliveryFailed(kind, sentence, fields=fields, retry_after=wait_asked_for(answer))


def demand(answer: Answer, call: Call, shape: TypeAdapter[T]) -> T:
    """What a success tells, in the shape that is needed of it. Raises DeliveryFailed."""
    data = answer.data()
    if not answer.is_success or data is None:
        raise failure_of(answer, call)
    try:
        return shape.validate_python(data)
    except ValidationError:
        raise _lost(call, "It answered in a form that was not expected.") from None


def told_by(answer: Answer, *names: str) -> str | None:
    """What stands in an error under these names, in whatever of the usual shapes: a text, a list of texts,
    of objects with `message`, `detail` or `title`, or an object of lists by field."""
    data = answer.data()
    if not isinstance(data, dict):
        return None
    texts = [text for name in names for text in _texts(data.get(name))]
    return " ".join(texts) or None


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        known = [value[name] for name in ("message", "detail", "title") if value.get(name)]
        if known:
            yield from _texts(known[0])
        else:
            for field, item in value.items():
                yield from (f"{field}: {text}" for text in _texts(item))


LONGEST_TOLD = 300


def shown(told: str) -> str:
    """What a far end wrote, as one line that can be stored."""
    line = " ".join("".join(c if c.isprintable() else " " for c in told).split())
    return line if len(line) <= LONGEST_TOLD else f"{line[:LONGEST_TOLD]}…"


def wait_asked_for(answer: Answer) -> float | None:
    """Seconds, from either form of Retry-After; at most LONGEST_PAUSE."""
    given = answer.headers.get("retry-after", "")
    wait = math.nan
    with suppress(ValueError):
        wait = parsedate_to_datetime(given).timestamp() - time.time()
    with suppress(ValueError):
        wait = float(given)
    return min(max(wait, 0.0), LONGEST_PAUSE) if math.isfinite(wait) else None
