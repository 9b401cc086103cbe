"""E-mail over SMTP: one message to all recipients, as text and as HTML, whose Message-ID is the delivery's.

The connection goes to an address that was looked at before (services.destinations.addresses) and is
encrypted, unless the host is one of the installation's own exceptions.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlsplit

import aiosmtplib
from aiosmtplib import SMTP, SMTPResponse

from models.delivery import DeliveryFailure, DeliveryGuarantee
from services.destinations.addresses import AddressRefused, AddressUnknown, addresses_of
from services.destinations.http import CONNECTS_WITHIN, Outgoing, shown
from services.destinations.port import (
    Connection,
    DeliveryFailed,
    Dispatch,
    Plan,
    PlannedRequest,
    Receipt,
)
from services.destinations.rendering import as_title, html
from services.outputs.text import as_plain_text

LONGEST_SUBJECT = 200
LONGEST_ADDRESS = 254
PORTS = {"smtp": 587, "smtps": 465}
TRANSIENT = range(400, 500)

PATIENCE = 100.0
"""Seconds for one answer: servers look through a mail before they say that they have taken it."""


def address_problem(text: str) -> str | None:
    """What is wrong with an address to write to or from, in a sentence."""
    try:
        address = Address(addr_spec=text)
    except (ValueError, IndexError, HeaderParseError):
        address = Address()
    if len(text) > LONGEST_ADDRESS or not text.isascii() or "." not in address.domain:
        return f"Must be an e-mail address of ASCII, of at most {LONGEST_ADDRESS} characters."
    return None


class Email:
    name = "E-mail"
    guarantee = DeliveryGuarantee.AT_LEAST_ONCE

    def __init__(self, connection: Connection, outgoing: Outgoing) -> None:
        parts = urlsplit(connection.base_url)
        self._host = parts.hostname or ""
        self._port = parts.port or PORTS[parts.scheme]
        self._is_tls = parts.scheme == "smtps"
        self._allowed = outgoing.allowed
        self._sender = connection.settings["sender"]
        self._name = connection.settings.get("sender_name", "")
        self._username = connection.settings.get("username")
        self._password = connection.credentials.get("password")

    async def plan(self, dispatch: Dispatch) -> Plan:
        message = self._message(dispatch)
        shown_headers = "\n".join(
            f"{name}: {message[name]}" for name in ("From", "To", "Subject", "Message-ID")
        )
        parts = (as_plain_text(dispatch.document.markdown), html(dispatch.document.markdown))
        body = "\n\n".join((shown_headers, *parts))
        request = PlannedRequest("SMTP", f"smtp://{self._host}:{self._port}", body)
        return Plan((request,), f"{', '.join(dispatch.recipients)}, each seeing the others.")

    async def deliver(self, dispatch: Dispatch) -> Receipt:
        message = self._message(dispatch)
        async with self._connected() as smtp:
            try:
                refused, _ = await smtp.send_message(
                    message, sender=self._sender, recipients=list(dispatch.recipients)
                )
            except aiosmtplib.SMTPException as error:
                raise _failure(error) from None
        return Receipt(str(message["Message-ID"]), _told(refused) if refused else None)

    async def find(self, dispatch: Dispatch) -> Receipt | None:  # noqa: ARG002 - nobody can be asked
        return None

    async def check(self) -> None:
        async with self._connected():
            pass

    def _message(self, dispatch: Dispatch) -> EmailMessage:
        local, _, domain = self._sender.rpartition("@")
        message = EmailMessage()
        message["From"] = Address(self._name, local, domain)
        message["To"] = [Address(addr_spec=to) for to in dispatch.recipients]
        message["Subject"] = as_title(dispatch, LONGEST_SUBJECT)
        message["Date"] = format_datetime(datetime.fromisoformat(dispatch.pushed_at))
        message["Message-ID"] = f"<fp-{dispatch.delivery_id.hex}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(as_plain_text(dispatch.document.markdown))
        message.add_alternative(html(dispatch.document.markdown), subtype="html")
        return message

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[SMTP]:
        """Signed in. Raises DeliveryFailed; nothing was sent then."""
        smtp = SMTP(
            hostname=self._host,
            sock=await self._socket(),
            use_tls=self._is_tls,
            start_tls=self._start_tls(),
            username=self._username,
            password=self._password,
            local_hostname=self._sender.rpartition("@")[2],
            timeout=PATIENCE,
        )
        try:
            await smtp.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            smtp.close()
            raise _unconnected(error) from None
        try:
            yield smtp
        finally:
            with suppress(aiosmtplib.SMTPException):
                await smtp.quit()
            smtp.close()

    def _start_tls(self) -> bool | None:
        """None: if the other side can."""
        if self._is_tls:
            return False
        return None if self._allowed.has_host(self._host) else True

    async def _socket(self) -> socket.socket:
        try:
            addresses = await addresses_of(self._host, self._port, self._allowed)
        except AddressRefused as refusal:
            raise DeliveryFailed(
                DeliveryFailure.VALIDATION,
                f"The address of the integration cannot be used: {refusal}",
            ) from None
        except AddressUnknown:
            addresses = []
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            connection = socket.socket(family, socket.SOCK_STREAM)
            connection.setblocking(False)
            try:
                async with asyncio.timeout(CONNECTS_WITHIN):
                    loop = asyncio.get_running_loop()
                    await loop.sock_connect(connection, (address, self._port))
            except (OSError, TimeoutError):
                connection.close()
                continue
            return connection
        raise DeliveryFailed(DeliveryFailure.UNAVAILABLE, "It cannot be reached.")


# ------------------------------------------------------------------ what went wrong


def _unconnected(error: Exception) -> DeliveryFailed:
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        if error.code in TRANSIENT:
            return DeliveryFailed(DeliveryFailure.UNAVAILABLE, "It cannot look at passwords now.")
        return DeliveryFailed(DeliveryFailure.AUTH, "It did not accept the credentials.")
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return DeliveryFailed(DeliveryFailure.VALIDATION, "It offers no encrypted connection.")
    return DeliveryFailed(DeliveryFailure.UNAVAILABLE, "No connection came about.")


def _failure(error: aiosmtplib.SMTPException) -> DeliveryFailed:
    """All recipients refused, or the message; a lost connection leaves open whether it was taken."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        refused = {
            each.recipient: SMTPResponse(each.code, each.message) for each in error.recipients
        }
        passing = all(response.code in TRANSIENT for response in refused.values())
        return DeliveryFailed(
            DeliveryFailure.UNAVAILABLE if passing else DeliveryFailure.VALIDATION, _told(refused)
        )
    if isinstance(error, aiosmtplib.SMTPResponseException):
        kind = (
            DeliveryFailure.UNAVAILABLE if error.code in TRANSIENT else DeliveryFailure.VALIDATION
        )
        return DeliveryFailed(
            kind, f"It refused the message: {shown(f'{error.code} {error.message}')}"
        )
    return DeliveryFailed(DeliveryFailure.AMBIGUOUS, "The connection broke off.")


def _told(refused: Mapping[str, SMTPResponse]) -> str:
    each = (f"{to} ({response.code} {response.message})" for to, response in refused.items())
    return f"Refused: {shown(', '.join(each))}"
