"""How every benchmark ends: a table for people, a line of JSON for machines, 1 where a must is missed."""

import json
import os
import platform
from collections.abc import Mapping, Sequence


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
    above: Mapping[str, float] | None = None,
) -> int:
    """`must` holds the largest value allowed, `above` what has to be exceeded; the exit status."""
    above = above or {}
    missed = [
        f"{key} is {ratios[key]:.2f}, at most {most} is allowed"
        for key, most in must.items()
        if ratios[key] > most
    ]
    missed += [
        f"{key} is {ratios[key]:.2f}, which is not above {least}"
        for key, least in above.items()
        if ratios[key] <= least
    ]
    for sentence in missed:
        print(f"MISSED: {sentence}")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    rounded = {key: round(ratio, 3) for key, ratio in ratios.items()}
    line = {"benchmark": name, "ratios": rounded, "must": dict(must), "machine": machine}
    if above:
        line["above"] = dict(above)
    print(json.dumps(line))
    return 1 if missed else 0
