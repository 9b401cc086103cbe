"""Counts what the Messages API's prompt cache would read and write, by the rules that it documents.

A prefix is known by its bytes, block by block. A marker writes the prefix up to it, and reads the longest
one that was written among the blocks before it. Below a minimum nothing is kept, silently.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

MOST_MARKERS = 4
LOOK_BACK = 20
SECONDS = {"5m": 300.0, "1h": 3_600.0}
READ, WRITE = 0.1, {"5m": 1.25, "1h": 2.0}
"""Of the price of a token that is neither read nor written."""
IMAGE_TOKENS = 1_500


class Refused(Exception):
    """What the service answers with status 400."""


@dataclass(frozen=True)
class Counted:
    """Tokens of one request."""

    input: int = 0
    read: int = 0
    write_5m: int = 0
    write_1h: int = 0

    @property
    def total(self) -> int:
        return self.input + self.read + self.write_5m + self.write_1h

    @property
    def cost(self) -> float:
        """In tokens that are neither read nor written."""
        written = self.write_5m * WRITE["5m"] + self.write_1h * WRITE["1h"]
        return self.input + self.read * READ + written


@dataclass(frozen=True)
class _Block:
    prefix: bytes
    tokens: int
    """Of the prefix, this block included."""
    ttl: str | None


@dataclass(frozen=True)
class _Kept:
    until: float
    seconds: float
    """By which each read prolongs it."""


class PromptCache:
    def __init__(self, minimum: int = 1_024) -> None:
        self.minimum = minimum
        self._kept: dict[bytes, _Kept] = {}

    def account(self, body: Mapping[str, Any], now: float) -> Counted:
        """Reads, then writes. `now` is when the request began, in seconds."""
        blocks = list(_prefixes(body))
        marks = [index for index, block in enumerate(blocks) if block.ttl is not None]
        _demand_order(blocks, marks)
        marks = [index for index in marks if blocks[index].tokens >= self.minimum]
        found = [
            index
            for mark in marks
            for index in range(max(0, mark - LOOK_BACK + 1), mark + 1)
            if (kept := self._kept.get(blocks[index].prefix)) and kept.until > now
        ]
        read = 0
        if found:
            last = blocks[max(found)]
            read = last.tokens
            kept = self._kept[last.prefix]
            self._kept[last.prefix] = _Kept(now + kept.seconds, kept.seconds)
        done, written = read, {"5m": 0, "1h": 0}
        for mark in marks:
            block = blocks[mark]
            assert block.ttl is not None
            written[block.ttl] += max(0, block.tokens - done)
            done = max(done, block.tokens)
            self._kept[block.prefix] = _Kept(now + SECONDS[block.ttl], SECONDS[block.ttl])
        return Counted(blocks[-1].tokens - done, read, written["5m"], written["1h"])


def count(body: Mapping[str, Any]) -> int:
    return list(_prefixes(body))[-1].tokens


def _prefixes(body: Mapping[str, Any]) -> Iterator[_Block]:
    digest = blake2b(str(body["model"]).encode())
    tokens = 0
    for role, block in _blocks(body):
        bare = {key: value for key, value in block.items() if key != "cache_control"}
        written = json.dumps([role, bare], sort_keys=True).encode()
        digest.update(len(written).to_bytes(8, "big") + written)
        tokens += IMAGE_TOKENS if block.get("type") == "image" else max(1, len(written) // 4)
        yield _Block(digest.digest(), tokens, _ttl(block))


def _blocks(body: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for tool in body.get("tools", ()):
        yield "tool", tool
    for block in body.get("system", ()):
        yield "system", block
    settings = json.dumps(body.get("tool_choice"), sort_keys=True)  # another one, other messages
    for message in body["messages"]:
        for block in message["content"]:
            yield f"{message['role']} {settings}", block


def _ttl(block: Mapping[str, Any]) -> str | None:
    control = block.get("cache_control")
    return None if control is None else control.get("ttl", "5m")


def _demand_order(blocks: list[_Block], marks: list[int]) -> None:
    if len(marks) > MOST_MARKERS:
        raise Refused(
            f"A maximum of 4 blocks with cache_control may be provided. Found {len(marks)}."
        )
    lives = [blocks[mark].ttl for mark in marks]
    if lives != sorted(lives, key=lambda ttl: ttl != "1h"):
        raise Refused("a ttl='1h' cache_control block must not come after a ttl='5m' one")
