"""The hostile caller of benchmarks.limits: one document after another, until its input ends.

Its first line of input is the authorization it calls with; in the end it tells how many were answered,
and how.
"""

import itertools
import re
import sys
from collections.abc import Callable, Iterator
from threading import Thread

import httpx

from benchmarks.tree import SCALARS
from services.runtime import Limits

CAPS = Limits()
CODE = re.compile(rb'"code":"(\w+)"')

Sessions = dict[int, str]


def tokens(_: Sessions) -> str:
    ids = " ".join('"x"' for _ in range(CAPS.max_tokens - 20))
    return f"{{ nodes(ids: [{ids}]) {{ id }} }}"


def characters(_: Sessions) -> str:
    """Escapes are what takes longest to read."""
    return '{ node(id: "' + "\\n" * (CAPS.max_document // 2 - 20) + '") { id } }'


def values(_: Sessions) -> str:
    return "($ids: [ID!]!) { nodes(ids: $ids) { id } }"


VARIABLES = {"values": {"ids": ["x"] * (CAPS.max_values - 1)}}


def unreadable(_: Sessions) -> str:
    return "{ " + "x " * (CAPS.max_tokens - 10) + "}} }"


def fields(_: Sessions) -> str:
    nodes = " ".join(
        f'a{place}: node(id: "x") {{ ... on Branch {{ {SCALARS} parent {{ {SCALARS} }} }} }}'
        for place in range(min(CAPS.max_root_fields, CAPS.max_fields // 22))
    )
    return f"{{ {nodes} }}"


def repeats(_: Sessions) -> str:
    same = " ".join(["account { id }"] * int(CAPS.max_repeats**0.5))
    return f"{{ viewer {{ {same} }} }}"


def cost(sessions: Sessions) -> str:
    return _tree_at_the_cap(sessions[100])


def cost_in_1000(sessions: Sessions) -> str:
    """Ten times what it was charged for, which a session of this size allows."""
    return _tree_at_the_cap(sessions[1_000])


def _tree_at_the_cap(session: str) -> str:
    aliases = min(CAPS.max_aliases, CAPS.max_cost // (100 * 11) - 1)
    lists = " ".join(f"a{place}: branches {{ {SCALARS} }}" for place in range(aliases))
    return f'{{ session(id: "{session}") {{ {lists} }} }}'


DOCUMENTS: dict[str, Callable[[Sessions], str]] = {
    document.__name__: document
    for document in (tokens, characters, values, unreadable, fields, repeats, cost, cost_in_1000)
}
"""Each at the edge of one limit."""


def never_twice_the_same(body: str) -> Iterator[str]:
    return (f"query Q{place} {body}" for place in itertools.count())


def main() -> None:
    address, name, *told = sys.argv[1:]
    sessions = {int(size): session for size, session in (pair.split("=", 1) for pair in told)}
    headers = {"Authorization": sys.stdin.readline().strip()}
    waiting = Thread(target=sys.stdin.read, daemon=True)
    waiting.start()
    codes = []
    with httpx.Client(base_url=address, headers=headers, timeout=60) as http:
        for text in never_twice_the_same(DOCUMENTS[name](sessions)):
            found = CODE.search(
                http.post(
                    "/graphql", json={"query": text, "variables": VARIABLES.get(name)}
                ).content[:4_000]
            )
            codes.append(found[1].decode() if found else "data")
            if len(codes) == 1:
                print("attacking", flush=True)
            if not waiting.is_alive():
                break
    assert len(set(codes)) == 1, set(codes)
    print(len(codes), codes[0])


if __name__ == "__main__":
    main()
