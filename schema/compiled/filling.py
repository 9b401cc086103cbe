"""The lists of an answer, filled one after another, so that others can have their turn between them."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple


class GiveUp(Exception):
    """Something that only graphql-core knows how to complete."""


class Empty(NamedTuple):
    """A list that is in the answer already and has its items still to come."""

    items: Sequence[Any]
    target: list[Any]
    read: "Read"
    fields: int
    """That are read of one item."""


Waiting = deque[Empty]
Read = Callable[[Any, Waiting], Any]


def fill(waiting: Waiting, at_once: int) -> Iterator[int]:
    """Tells before each step how many fields it is going to read, at most about `at_once`.

    Lists within the items wait behind the others, so depth costs no recursion. Raises what reading raises.
    """
    while waiting:
        items, target, read, fields = waiting.popleft()
        size = max(1, at_once // max(1, fields))
        for start in range(0, len(items), size):
            some = items[start : start + size]
            yield fields * len(some)
            target += [read(item, waiting) for item in some]
