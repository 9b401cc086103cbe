"""A small schema that has of everything what a compiled selection could get wrong."""

import asyncio
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Any, NewType
from uuid import UUID

import strawberry
from strawberry.permission import BasePermission
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

from schema.compiled.fields import NotAtHand, at_hand
from schema.scalars import DATE_TIME


@strawberry.enum
class Colour(Enum):
    RED = 1
    GREEN = 2
    ALSO_RED = 1  # noqa: PIE796 - a second name


@strawberry.enum
class Mood(StrEnum):
    GLAD = "glad"
    SAD = "sad"


Shout = NewType("Shout", str)


def shouted(value: str) -> str | None:
    """Raises for what has no upper case; null for the empty text."""
    return value.upper() or None


@strawberry.interface
class Named:
    name: str


@strawberry.interface
class Told(Named):
    """Says itself what its objects are."""

    @classmethod
    def resolve_type(cls, obj: Any, *_: object) -> str | None:
        return {"Leaf": "Leaf", "Node": "Node"}.get(type(obj).__name__)


class Never(BasePermission):
    message = "Not for you."

    def has_permission(self, source: Any, _: object, **__: object) -> bool:
        return source.luck > 0.3


@strawberry.type
class Leaf(Told, Named):
    name: str
    luck: strawberry.Private[float]
    title: str | None
    count: int
    size: int | None
    ratio: float
    share: float | None
    flag: bool
    key: strawberry.ID
    colour: Colour
    mood: Mood | None
    when: datetime
    price: Decimal | None
    uid: UUID | None
    anything: JSON | None
    shout: Shout | None
    loud: Shout
    tags: list[str]
    colours: list[Colour | None] | None
    matrix: list[list[int]]
    loose: list[list[str | None] | None] | None


@strawberry.type
class Stone:
    weight: int
    name: str | None


@strawberry.type
class Gem(Stone):
    """A stone for Python, not for GraphQL."""

    colour: Colour


@strawberry.type
class Picky:
    """Not every object of this class is one."""

    name: str
    luck: strawberry.Private[float]

    @classmethod
    def is_type_of(cls, obj: Any, _: object) -> bool:
        return getattr(obj, "luck", 0) > 0.3


Thing = Annotated[Leaf | Gem | Stone, strawberry.union("Thing")]
Odd = Annotated[Stone | Gem | Picky, strawberry.union("Odd")]


@strawberry.type
class Node(Told, Named):
    name: str
    luck: strawberry.Private[float]
    answers: strawberry.Private[dict[str, Any]]
    leaf: Leaf
    other: Leaf | None
    leaves: list[Leaf]
    some: list[Leaf | None] | None
    grid: list[list[Leaf] | None]
    parent: "Node | None"
    children: "list[Node]"
    named: Named | None
    names: list[Named]
    told: Told | None
    thing: Thing
    things: list[Thing | None]
    odd: Odd | None
    picky: Picky | None
    stone: Stone

    @strawberry.field
    def quick(self) -> str:
        return self.lucky("quick")

    @strawberry.field
    def maybe(self) -> str | None:
        return self.lucky("maybe")

    @strawberry.field
    async def slow(self) -> str | None:
        await asyncio.sleep(0)
        return self.lucky("slow")

    @strawberry.field
    async def strict(self) -> str:
        return self.lucky("strict")

    @strawberry.field
    def times(self, number: int = 2) -> str | None:
        return "x" * number

    @strawberry.field(permission_classes=[Never])
    def secret(self) -> str | None:
        return "secret"

    @strawberry.field
    async def kept(self) -> "list[Node] | None":
        answer: list[Node] | None = self.answers["kept"]
        return answer

    def lucky(self, text: str) -> str:
        if self.luck < 0.2:
            raise ValueError(f"no {text}")
        return text


def near(home: Any) -> Any:
    if home.luck < 0.5:
        raise NotAtHand
    return home.answers["near"]


@strawberry.type
class Home(Node):
    """As Node, with what its resolver need not fetch."""

    @strawberry.field(metadata=at_hand(near))
    async def near(self) -> "list[Node] | None":
        await asyncio.sleep(0)
        answer: list[Node] | None = self.answers["near"]
        return answer


@strawberry.type
class Query:
    @strawberry.field
    def node(self, info: strawberry.Info) -> Node | None:
        return info.context.answer(info)

    @strawberry.field
    async def later(self, info: strawberry.Info) -> Node | None:
        await asyncio.sleep(0)
        return info.context.answer(info)

    @strawberry.field
    def nodes(self, info: strawberry.Info) -> list[Node | None] | None:
        return info.context.answer(info)

    @strawberry.field
    def leaves(self, info: strawberry.Info) -> list[Leaf]:
        return info.context.answer(info)

    @strawberry.field
    def things(self, info: strawberry.Info) -> list[Thing] | None:
        return info.context.answer(info)

    @strawberry.field
    def home(self, info: strawberry.Info) -> Home | None:
        return info.context.answer(info)


ADVERSE = strawberry.Schema(
    query=Query,
    types=[Leaf, Node, Picky],
    config=StrawberryConfig(
        scalar_map={
            Shout: strawberry.scalar(name="Shout", serialize=shouted),
            datetime: DATE_TIME,
        }
    ),
)._schema
