"""What every service verb is handed: the pool, the bus, the model and the installation's limits."""

import asyncio
from collections.abc import Hashable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from models.account import Plan
from services.access import Actor
from services.ai.port import Provider
from services.database import transaction
from services.destinations.providers import Destinations
from services.feed import Feed
from services.files.store import FileStore
from services.throttle import Throttle
from services.unit_of_work import UnitOfWork, unit_of_work
from services.wakebus import WakeBus

PLAN_TOKEN_BUDGETS: Mapping[Plan, int | None] = {
    Plan.FREE: 1_000_000,
    Plan.PRO: 10_000_000,
    Plan.TEAM: 50_000_000,
    Plan.ENTERPRISE: None,
}
"""Weighted tokens that an account may have used in a month when another answer begins; None: any number."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps of this installation, on every plan."""

    max_branches: int = 1000
    max_depth: int = 32
    reply_timeout: float = 120.0
    """Seconds that a model may take for one answer, and that `awaitReply` waits for it."""
    retry_wait: float = 2.0
    """Seconds before a failed call of a model is tried again; doubles each time."""
    longest_retry_wait: float = 300.0
    """Seconds; also where the model's service asks for more."""
    operation_timeout: float = 30.0
    """Seconds of one query, or of what a subscriber asks about one event; a mutation has
    `reply_timeout` besides."""
    max_body: int = 1_000_000
    """Bytes of one request, besides a file in it."""
    max_upload: int = 25_000_000
    """Bytes of one file."""
    upload_timeout: float = 120.0
    """Seconds in which a request with a file must have come in whole."""
    body_timeout: float = 15.0
    """Seconds in which a request must have come in whole."""
    init_timeout: float = 10.0
    """Seconds in which a new socket must say who calls."""
    max_operations: int = 100
    """At a time on one socket."""
    max_connections: int = 50
    """Sockets and event streams that one caller may hold open in one process."""
    max_document: int = 50_000
    """Characters."""
    max_values: int = 5_000
    """In the variables of an operation, however they are nested."""
    max_tokens: int = 1_000
    max_fields: int = 400
    """Of a document with its fragments laid out."""
    max_aliases: int = 100
    max_root_fields: int = 50
    max_levels: int = 25
    """How deep a document may be nested."""
    max_repeats: int = 1_000
    """Pairs of fields with one name at one place, which validation compares with one another."""
    max_cost: int = 12_000
    """Fields that the answer to one document may have, as estimated before it runs."""
    cost_per_minute: int = 500_000
    """The same, of one caller in a minute."""
    sign_in_attempts: int = 10
    """Of one e-mail address from one address, in a quarter of an hour."""
    sign_ins_per_address: int = 300
    """In a quarter of an hour, for whomever."""
    claim_lease: timedelta = timedelta(minutes=30)
    """For which a claim holds after a sign of life of the claimer."""
    token_budgets: Mapping[Plan, int | None] = field(default_factory=lambda: PLAN_TOKEN_BUDGETS)


@dataclass(frozen=True, slots=True)
class TokenLifetimes:
    """How long people stay signed in; an API key has its own end."""

    access: timedelta = timedelta(minutes=15)
    refresh: timedelta = timedelta(days=30)
    """Counted anew at each refresh."""


@dataclass(frozen=True, slots=True)
class Live:
    """An answer as far as this process has written it down."""

    attempt: int
    text: str
    access_version: int
    """Of its account, when the last piece was written."""


@dataclass(frozen=True, slots=True)
class Runtime:
    engine: AsyncEngine
    bus: WakeBus
    provider: Provider
    limits: Limits
    secret: bytes = field(repr=False)
    """Signs access tokens and addresses of files, and derives the secrets of API keys."""
    feed: Feed
    throttle: Throttle
    files: FileStore
    destinations: Destinations
    documents: object
    """What the schema has read of clients' documents (schema/documents.py); nothing to services."""
    token_lifetimes: TokenLifetimes = TokenLifetimes()
    compiled: bool = True
    """Whether selections of plain fields are compiled (schema/compiled)."""
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process is told to end: balancers should send nobody any more."""
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set after that: whatever lasts must end now, and what is under way in a while."""

    live: dict[UUID, Live] = field(default_factory=dict)
    """Answers that jobs of this process are writing: who follows one here need not read it again."""
    presumed: dict[str, Actor] = field(default_factory=dict, repr=False)
    """Whom access tokens named when they were last looked at (services/authentication.py)."""
    heard: WeakValueDictionary[Hashable, Any] = field(default_factory=WeakValueDictionary)
    """What is being read about events at this moment, so that all who hear one read it once."""
    audiences: dict[Hashable, Any] = field(default_factory=dict)
    """Subscribers who ask the same with the same rights (schema/sharing.py)."""

    def read(self, actor: Actor) -> AbstractAsyncContextManager[AsyncConnection]:
        return transaction(self.engine, actor.account_id)

    def work(self, actor: Actor) -> AbstractAsyncContextManager[UnitOfWork]:
        return unit_of_work(self.engine, self.bus, actor.account_id, actor.user_id)

    def assistant_work(self, account_id: UUID) -> AbstractAsyncContextManager[UnitOfWork]:
        """For jobs, which act for nobody, timers among them."""
        return unit_of_work(self.engine, self.bus, account_id, None)
