"""How every benchmark ends: a table for people, a line of JSON for machines, 1 where a must is missed."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from types import MappingProxyType


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    cells = [[_shown(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    print(f"\n{title}")
    for index, row in enumerate(cells):
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
        if index == 0:
            print("  ".join("-" * width for width in widths))


def _shown(cell: object) -> str:
    return f"{cell:,.2f}" if isinstance(cell, float) else str(cell)


def finish(
    name: str,
    ratios: Mapping[str, float],
    must: Mapping[str, float],
    at_least: Mapping[str, float] = MappingProxyType({}),
) -> int:
    """`must` holds the largest value allowed, `at_least` the smallest; the exit status."""
    missed = [(key, "at most", most) for key, most in must.items() if ratios[key] > most]
    missed += [(key, "at least", least) for key, least in at_least.items() if ratios[key] < least]
    for key, bound, value in missed:
        print(f"MISSED: {key} is {ratios[key]:.2f}, {bound} {value} is allowed")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    rounded = {key: round(ratio, 3) for key, ratio in ratios.items()}
    bounds = {"must": dict(must), "at_least": dict(at_least)}
    line = {"benchmark": name, "ratios": rounded, **bounds, "machine": machine}
    print(json.dumps(line))
    return 1 if missed else 0
