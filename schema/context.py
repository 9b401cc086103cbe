"""What resolvers are given. Renewed for every operation, and within a subscription for every event."""

from dataclasses import dataclass
from typing import Any, cast

import strawberry

from models.account import Role
from schema.documents import Documents
from schema.loaders import Loaders, OwnLoaders
from services.access import Actor
from services.authentication import authenticate
from services.errors import Unauthenticated
from services.feed import Permit, StoredEvent
from services.runtime import Runtime


@dataclass(slots=True)
class Presumption:
    """That the caller still is whom their token named last time."""

    holds: bool | None = None
    """What the database has said. While that is nothing no answer may leave and nothing be changed."""


class Context:
    """One operation's caller and loaders."""

    def __init__(
        self,
        runtime: Runtime,
        caller: Actor | None,
        *,
        token: str | None = None,
        problem: str | None = None,
        address: str = "",
        presumption: Presumption | None = None,
    ) -> None:
        self.runtime = runtime
        self.caller = caller
        self.token = token
        """What proved who calls; asked again while a subscription lasts."""
        self.problem = problem
        """Why the token that was sent names nobody, for the error to say."""
        self.address = address
        """Where the caller calls from; a trusted proxy has said so, or the connection."""
        self.presumption = presumption
        """None where the caller was looked up."""
        self.connection_params: dict[str, Any] = {}
        self.pushed = 0
        """Results of a subscription that were shared with others."""
        self._loaders: Loaders | None = None
        self._own_loaders: OwnLoaders | None = None

    @property
    def documents(self) -> Documents:
        return cast("Documents", self.runtime.documents)

    @property
    def actor(self) -> Actor:
        """Raises Unauthenticated, a top-level error, where nobody is signed in."""
        if self.caller is None:
            raise Unauthenticated(self.problem) if self.problem else Unauthenticated()
        return self.caller

    @property
    def is_confirmed(self) -> bool:
        return self.presumption is None or self.presumption.holds is True

    async def confirm(self) -> None:
        """Looks up who was only presumed to call. Raises Unauthenticated if they have changed."""
        presumption = self.presumption
        if presumption is None or self.token is None:
            return
        if presumption.holds is None:
            presumption.holds = await authenticate(self.runtime, self.token) == self.caller
        if not presumption.holds:
            raise Unauthenticated

    def recognise(self, role: Role | None) -> None:
        """The caller's, as the database said while it read. Raises Unauthenticated as `confirm` does."""
        if self.presumption is not None:
            self.presumption.holds = role is self.actor.role
            if not self.presumption.holds:
                raise Unauthenticated

    async def check_access(self) -> None:
        """Looks again at who calls, with the rights they have now. Raises Unauthenticated."""
        if self.token is not None:
            self.caller = await authenticate(self.runtime, self.token)

    @property
    def permit(self) -> Permit:
        """To follow what happens, for as long as the caller may."""
        return Permit(self.check_access, self.actor.expires_at)

    @property
    def loaders(self) -> Loaders:
        if self._loaders is None:
            self._loaders = Loaders(self.runtime, self.actor)
        return self._loaders

    @property
    def own_loaders(self) -> OwnLoaders:
        """For what is not the same for every viewer: never shared, not even while an event is heard."""
        if self._own_loaders is None:
            self._own_loaders = OwnLoaders(self.runtime, self.actor)
        return self._own_loaders

    def hear(self, event: StoredEvent) -> None:
        """Whoever hears it at the same moment, with the same rights, reads about it with us."""
        actor = self.actor
        what = (actor.account_id, event.seq, actor.role, actor.scopes)
        self._loaders = self.runtime.heard.setdefault(what, Loaders(self.runtime, actor))

    def forget(self) -> None:
        """After an event of a subscription: what was loaded for it is stale for the next."""
        self._loaders = self._own_loaders = None

    def renewed(self) -> "Context":
        """The same caller with nothing loaded: a socket's operations share no loaders."""
        return Context(
            self.runtime,
            self.caller,
            token=self.token,
            problem=self.problem,
            address=self.address,
            presumption=self.presumption,
        )


Info = strawberry.Info[Context, None]
