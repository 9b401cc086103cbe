"""A memory with an end, which nobody can fill at the expense of others."""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

LARGEST = 8
"""An entry may have this part of the memory at most, so that none of them empties a share."""


class Entry(NamedTuple, Generic[V]):
    holder: Hashable
    value: V
    size: int


class Shares(Generic[K, V]):
    """Once it is full, whoever holds most of it loses what they have not used for longest."""

    def __init__(self, most_bytes: int, most: int) -> None:
        self.most_bytes = most_bytes
        self.least = most_bytes // most
        """Bytes that the smallest entry counts as, so that there are never too many."""
        self.bytes = 0
        self._entries: dict[K, Entry[V]] = {}
        self._held: Counter[Hashable] = Counter()
        """Bytes by holder."""
        self._keys: defaultdict[Hashable, OrderedDict[K, None]] = defaultdict(OrderedDict)
        """Of each holder, the one unused for longest first."""

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def get(self, key: K) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._keys[entry.holder].move_to_end(key)
        return entry.value

    def put(self, holder: Hashable, key: K, value: V, size: int) -> None:
        """What is there already stays its first holder's."""
        size = max(size, self.least)
        if key in self._entries or size > self.most_bytes // LARGEST:
            return
        self._entries[key] = Entry(holder, value, size)
        self._keys[holder][key] = None
        self._held[holder] += size
        self.bytes += size
        while self.bytes > self.most_bytes:
            self._lose_one()

    def _lose_one(self) -> None:
        holder = max(self._held, key=self._held.__getitem__)
        key, _ = self._keys[holder].popitem(last=False)
        size = self._entries.pop(key).size
        self._held[holder] -= size
        self.bytes -= size
        if not self._keys[holder]:
            del self._keys[holder], self._held[holder]
