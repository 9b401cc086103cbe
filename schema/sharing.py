"""Subscriptions that ask the same are answered once.

Subscribers with one document, the same variables and the same rights are an audience. Whoever of them has
been told all there is takes a seat in it: the audience follows the log with a context of its own, executes
and encodes what it hears once, and the bytes are pushed to every seat. Who cannot be told so goes on alone,
as if there were no audience, and is back once they have caught up: a client that does not read, one
whose rights or token must be looked at again, and everybody where an answer has errors.

Who comes back after a cut is told by the same bytes what they have missed, as long as these are fresh.

To be answered alone is always right, and sharing is the shorter way to the same. An audience whose answer
depends on who asks closes for good.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from contextvars import Context as Variables
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Self, cast

import orjson
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLResolveInfo,
    GraphQLSchema,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution import create_source_event_stream, execute_subscription_event

from schema.compiled.execution import CompiledExecution
from schema.context import Context, Info
from schema.events import Event
from schema.transport.encoding import encode
from services.access import Actor
from services.feed import Permit, StoredEvent, encode_cursor
from services.runtime import Runtime
from services.telemetry.metrics import EVENTS_DELIVERED

TURN = 100
"""Seats that are told before others get their turn: about a millisecond."""

FRESH = 10.0
"""Seconds for which an answer is given to whoever comes back for it: what an event's objects were then."""

KEPT = 32
"""Answers that an audience keeps, the newest ones."""

LARGEST = 8_192
"""Bytes of an answer that is kept."""

Push = Callable[[bytes], bool]
"""Sends a result, in JSON, at once; False where it would have to wait."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A subscriber as its transport knows it."""

    push: Push
    variables: Mapping[str, object]
    """As they came in."""


listening: ContextVar[Listener | None] = ContextVar("listening", default=None)
"""To the operation under way; None where its transport cannot push."""

log = logging.getLogger("flowpilot.sharing")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, whoever asks and from which event on."""

    text: str
    operation_name: str | None
    variables: bytes
    """As JSON, but for the one that says from which event on."""
    schema: GraphQLSchema = field(compare=False)
    document: DocumentNode = field(compare=False)
    after: str | None = field(compare=False)
    """The name of that variable."""


@contextmanager
def relay_of(info: Info) -> Iterator["Audience | Subscriber | None"]:
    """For as long as the subscription lasts."""
    context, listener = info.context, listening.get()
    if isinstance(context, SharedContext):
        yield context.audience
        return
    question = _question(info._raw_info, listener.variables) if listener else None  # noqa: SLF001
    if listener is None or question is None:
        yield None
        return
    subscriber = Subscriber(context, question, listener.push)
    try:
        yield subscriber
    finally:
        subscriber.join(None)


def _question(
    info: GraphQLResolveInfo[Context], variables: Mapping[str, object]
) -> Question | None:
    """None where the answers depend on where it begins."""
    document = DocumentNode(definitions=(info.operation, *info.fragments.values()))
    given = {
        argument.name.value: argument.value for argument in info.field_nodes[0].arguments or ()
    }
    after = given.get("after")
    if after is not None and not (
        isinstance(after, VariableNode)
        and _mentions(document, after.name.value) == DECLARED_AND_USED
    ):
        return None
    name = after.name.value if isinstance(after, VariableNode) else None
    others = {variable: value for variable, value in variables.items() if variable != name}
    try:
        canonical = orjson.dumps(others, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # half a surrogate pair
        return None
    location, operation_name = info.operation.loc, info.operation.name
    return Question(
        text=location.source.body if location else "",
        operation_name=operation_name.value if operation_name else None,
        variables=canonical,
        schema=info.schema,
        document=document,
        after=name,
    )


DECLARED_AND_USED = 2


def _mentions(document: DocumentNode, variable: str) -> int:
    count = 0

    class Counting(Visitor):
        def enter_variable(self, node: VariableNode, *_: object) -> None:
            nonlocal count
            count += node.name.value == variable

    visit(document, Counting())
    return count


class Anyone:
    """Any actor of an audience; knows whether it was asked which."""

    def __init__(self, actor: Actor) -> None:
        self.account_id, self.role, self.scopes = actor.account_id, actor.role, actor.scopes
        self.was_asked = False
        self._actor = actor

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else an actor has
        self.was_asked = True
        return getattr(self._actor, name)


class SharedContext(Context):
    """An audience's."""

    def __init__(self, audience: "Audience", runtime: Runtime, actor: Actor) -> None:
        self.anyone = Anyone(actor)
        super().__init__(runtime, cast("Actor", self.anyone))
        self.audience = audience

    @property
    def permit(self) -> Permit:
        """When rights change, each looks at their own."""
        return Permit(self.audience.release_all)


class Audience:
    """Everybody with one question and the same rights. Itself the relay of the subscription it follows."""

    def __init__(self, key: Hashable, question: Question, runtime: Runtime, actor: Actor) -> None:
        self.key = key
        self.question = question
        self.account_id = actor.account_id
        self.actor = actor
        self.context = SharedContext(self, runtime, actor)
        self.interested = 0
        self.seats: set[Subscriber] = set()
        self.place: int | None = None
        """Up to where all seats were told; None while nobody may sit down."""
        self.is_closed = False
        self._task: asyncio.Task[None] | None = None
        self._answers: OrderedDict[int, asyncio.Task[bytes | None]] = OrderedDict()

    def take(self, place: int) -> None:
        """Called by the feed: it has nothing more to tell for now."""
        self.place = place

    def seat(self, subscriber: "Subscriber") -> bool:
        """Whether they are told from now on; they were told everything up to now."""
        if self.is_closed or self.interested == 1:
            return False
        if self._task is None or self._task.done():  # cancelled before it began, it cannot say so
            self._task = asyncio.create_task(
                self._follow(subscriber.place), name="audience", context=Variables()
            )
        if self.place is None:
            return False
        self.seats.add(subscriber)
        return True

    def release(self, subscriber: "Subscriber") -> None:
        self.seats.discard(subscriber)
        subscriber.place = max(subscriber.place, self.place or 0)
        subscriber.dropped.set()

    async def release_all(self) -> None:
        for subscriber in tuple(self.seats):
            self.release(subscriber)

    def enter(self) -> None:
        self.interested += 1

    def leave(self) -> None:
        """One alone is told as quickly without; the last one takes the audience along."""
        self.interested -= 1
        if self.interested <= 1 and self._task is not None:
            self._task.cancel()
        if self.interested == 0:
            del self.context.runtime.audiences[self.key]

    async def answer(self, stored: StoredEvent, event: Event) -> bytes | None:
        """Executed once, however many ask within some seconds; None where each must be told alone."""
        self.is_closed = self.is_closed or self.context.anyone.was_asked
        if self.is_closed:
            return None
        seq, answers = stored.seq, self._answers
        task = answers.get(seq)
        if task is None:
            work = self._execute(stored, event)
            task = answers[seq] = asyncio.create_task(work, name="audience", context=Variables())
            asyncio.get_running_loop().call_later(FRESH, answers.pop, seq, None)
            if len(answers) > KEPT:
                answers.popitem(last=False)
        answer = await asyncio.shield(task)
        if answer is not None and len(answer) > LARGEST:
            answers.pop(seq, None)
        return answer

    async def _execute(self, stored: StoredEvent, event: Event) -> bytes | None:
        """In a context of its own: who was asked is known of each answer."""
        context = SharedContext(self, self.context.runtime, self.actor)
        context.hear(stored)
        try:
            executor = self._executor(context, stored.seq).build_per_event_executor(event)
            result = execute_subscription_event(executor)
            if isinstance(result, Awaitable):
                result = await result
        except Exception:
            log.exception("an audience is left to hear alone")
            return None
        finally:
            context.forget()  # or whoever hears of it later would read what was loaded now
        if context.anyone.was_asked:
            self.is_closed = True
        return None if self.is_closed or result.errors else encode({"data": result.data})

    async def tell(self, stored: StoredEvent, event: Event) -> bool:
        """Called by the subscription it follows; False, and that ends, where it cannot be shared."""
        await self._tell(stored.seq, await self.answer(stored, event))
        return not self.is_closed

    async def _follow(self, place: int) -> None:
        """Ends with the first thing that the subscription has to tell by itself."""
        try:
            source = create_source_event_stream(self._executor(self.context, place))
            if isinstance(source, Awaitable):
                source = await source
            if not isinstance(source, ExecutionResult):
                async with aclosing(cast("AsyncGenerator[object, None]", source)) as events:
                    await anext(events, None)
        except Exception:
            log.exception("an audience is left to hear alone")
        finally:
            await self.release_all()
            self.place = self._task = None

    def _executor(self, context: SharedContext, place: int) -> CompiledExecution:
        question = self.question
        variables = orjson.loads(question.variables)
        if question.after is not None:
            variables[question.after] = encode_cursor(self.account_id, place)
        executor = CompiledExecution.build(
            question.schema,
            question.document,
            context_value=context,
            raw_variable_values=variables,
            operation_name=question.operation_name,
        )
        return cast("CompiledExecution", executor)  # it was built from the same for each of them

    async def _tell(self, seq: int, answer: bytes | None) -> None:
        self.place = seq - 1
        told = 0
        for count, subscriber in enumerate(tuple(self.seats), 1):
            if count % TURN == 0:
                await asyncio.sleep(0)
            if subscriber.place >= seq or subscriber not in self.seats:
                continue
            if answer is not None and subscriber.push(answer):
                subscriber.place = seq
                told += 1
            else:
                self.release(subscriber)
        self.place = seq
        EVENTS_DELIVERED.inc(told)


class Subscriber:
    """The relay of one subscription, and its seat while it has one."""

    def __init__(self, context: Context, question: Question, push: Push) -> None:
        self.place = 0
        self.dropped = asyncio.Event()
        self._context = context
        self._question = question
        self._push = push
        self._audience: Audience | None = None

    def take(self, place: int) -> Self | None:
        self.place, self.dropped = place, asyncio.Event()
        audience = self._audience_now()
        return self if audience.seat(self) else None

    def push(self, answer: bytes) -> bool:
        pushed = self._push(answer)
        self._context.pushed += pushed
        return pushed

    async def tell(self, stored: StoredEvent, event: Event) -> bool:
        """Whether it was told with the others' answer; then others get their turn."""
        audience = self._audience_now()
        if audience.interested == 1:
            return False
        answer = await audience.answer(stored, event)
        if answer is None or not self.push(answer):
            return False
        EVENTS_DELIVERED.inc()
        await asyncio.sleep(0)
        return True

    def leave(self) -> int:
        if self._audience is not None and not self.dropped.is_set():
            self._audience.release(self)
        return self.place

    def _audience_now(self) -> Audience:
        """That of the rights they have now."""
        actor, audiences = self._context.actor, self._context.runtime.audiences
        key = (self._question, actor.account_id, actor.role, actor.scopes)
        audience = audiences.get(key)
        if audience is None:
            audience = Audience(key, self._question, self._context.runtime, actor)
            audiences[key] = audience
        self.join(audience)
        return audience

    def join(self, audience: Audience | None) -> None:
        """Leaves the one they were in."""
        if audience is self._audience:
            return
        if self._audience is not None:
            self._audience.leave()
        if audience is not None:
            audience.enter()
        self._audience = audience
