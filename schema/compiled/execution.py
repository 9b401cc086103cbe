"""Compiled selections in the place where graphql-core completes objects and lists."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar, cast

from graphql import GraphQLObjectType, GraphQLOutputType, GraphQLResolveInfo
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path

from schema.compiled.filling import Empty, Waiting, fill
from schema.compiled.plans import Plan, plan_for
from schema.compiled.writer import Mixed
from schema.context import Context
from schema.execution import TURN, BoundedExecution, Incremental, Result

LIGHTER = 10
"""Compiled fields that are as much work as one of graphql-core's."""

T = TypeVar("T")
Stock = Callable[[], Any]
"""graphql-core's way to the same value."""


class Mix(NamedTuple):
    asked: GroupedFieldSet
    plain: Mixed | None
    others: GroupedFieldSet


class CompiledExecution(BoundedExecution):
    """Answers what it can by compiled functions, and what it cannot as graphql-core does."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **kwargs)
        self.plan: Plan | None = None
        self.mixes: dict[int, Mix] = {}
        """By the identity of the selection, which is kept in it."""

    def execute_operation(self, serially: bool | None = None) -> AwaitableOrValue[Result]:
        if cast("Context", self.context_value).runtime.compiled:
            self.plan = plan_for(self)
        return super().execute_operation(serially)

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Context],
        path: Path,
        result: object,
        position_context: Incremental,
    ) -> AwaitableOrValue[dict[str, Any]]:
        stock = partial(
            super().complete_object_value,
            return_type, field_details_list, info, path, result, position_context,
        )  # fmt: skip
        reader = self.plan.reader(self, return_type, field_details_list) if self.plan else None
        if reader is None:
            return stock()
        waiting: Waiting = deque()
        try:
            value: dict[str, Any] = reader.read(result, waiting)
        except Exception:  # graphql-core comes upon it again and says what it is
            return stock()
        return self._filled(value, waiting, stock)

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: object,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Incremental,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Plain fields at one go, and the others as graphql-core does."""
        mix = self._mix(parent_type, grouped_field_set) if path and self.plan else None
        if mix is None or mix.plain is None:
            return super().execute_fields(
                parent_type, source_value, path, grouped_field_set, position_context
            )
        try:
            values = mix.plain.read(source_value)
        except Exception:  # as above
            return super().execute_fields(
                parent_type, source_value, path, grouped_field_set, position_context
            )
        others = super().execute_fields(
            parent_type, source_value, path, mix.others, position_context
        )
        if self.is_awaitable(others):
            return _joined_later(values, mix, others)
        return _joined(values, mix, cast("dict[str, Any]", others))

    def _mix(self, parent: GraphQLObjectType, asked: GroupedFieldSet) -> Mix | None:
        mix = self.mixes.get(id(asked))
        if mix is None and self.plan is not None:
            plain = self.plan.mixed(self, parent, asked)
            others = {name: asked[name] for name in plain.others} if plain else {}
            mix = self.mixes[id(asked)] = Mix(asked, plain, others)
        return mix

    def complete_iterable_value(
        self,
        item_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Context],
        path: Path,
        items: Iterable[object],
        position_context: Incremental,
    ) -> AwaitableOrValue[list[Any]]:
        stock = partial(
            super().complete_iterable_value,
            item_type, field_details_list, info, path, items, position_context,
        )  # fmt: skip
        if self.plan is None or type(items) not in {list, tuple}:
            return stock()
        reader = self.plan.reader(self, item_type, field_details_list)
        if reader is None:
            return stock()
        value: list[Any] = []
        waiting = deque([Empty(cast("Sequence[Any]", items), value, reader.read, reader.fields)])
        return self._filled(value, waiting, stock)

    def _filled(self, value: T, waiting: Waiting, stock: Stock) -> AwaitableOrValue[T]:
        """At once if that is little work, or else in turns."""
        steps = fill(waiting, TURN * LIGHTER)
        try:
            for fields in steps:
                work = fields / LIGHTER
                if self.completed + work > TURN:
                    return self._filled_in_turns(work, steps, value, stock)
                self.completed += work
        except Exception:  # as above
            return cast("AwaitableOrValue[T]", stock())
        return value

    async def _filled_in_turns(
        self, work: float, steps: Iterator[int], value: T, stock: Stock
    ) -> T:
        try:
            await self._turn(work)
            for fields in steps:
                work = fields / LIGHTER
                if self.completed + work > TURN:
                    await self._turn(work)
                else:
                    self.completed += work
        except Exception:  # as above
            completed = stock()
            return cast("T", await completed if self.is_awaitable(completed) else completed)
        return value


async def _joined_later(
    values: dict[str, Any], mix: Mix, others: Awaitable[dict[str, Any]]
) -> dict[str, Any]:
    return _joined(values, mix, await others)


def _joined(values: dict[str, Any], mix: Mix, others: dict[str, Any]) -> dict[str, Any]:
    """In the order of the answer, for which places were kept. A field that does not exist has none."""
    values.update(others)
    if len(others) < len(mix.others):
        for name in mix.others.keys() - others.keys():
            del values[name]
    return values
