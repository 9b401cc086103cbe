"""Runs the benchmarks of the tree and of conversations and draws what they say: docs/performance-*.svg."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

DOCS = Path(__file__).parents[1] / "docs"
SHADES = {"compiled": "#0b5fa5", "stock": "#b3541e", "fork": "#0b5fa5", "append": "#b3541e"}


def figures(benchmark: str, **environment: str) -> dict[str, float]:
    """What it measured; its tables go on to the output."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{benchmark}"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,  # a missed must is drawn, too
        env={**os.environ, **environment},
    )
    print(done.stdout)
    ratios: dict[str, float] = json.loads(done.stdout.splitlines()[-1])["ratios"]
    return ratios


def draw_tree() -> None:
    measured = {
        executor: figures("tree", FLOWPILOT_EXECUTOR=executor) for executor in ("compiled", "stock")
    }
    figure, axes = paper("branches in the session", "server CPU a request, times the limit")
    for executor, ratios in measured.items():
        for shape, style in (("nested", "-"), ("flat", "--")):
            line(axes, ratios, rf"{shape}_(\d+)", f"{executor}, {shape}", SHADES[executor], style)
    axes.axhline(1, color="#555555", linewidth=1)
    axes.annotate("limit", (0.99, 1), xycoords=("axes fraction", "data"), ha="right", va="top")
    axes.set_ylim(bottom=0)
    finish(figure, axes, "The tree in one query", "tree")


def draw_conversation() -> None:
    ratios = figures("conversation")
    figure, axes = paper("messages that are inherited", "WAL of one operation, kB")
    for verb, label in (("fork", "fork into 3"), ("append", "append")):
        line(axes, ratios, rf"{verb}_kb_(\d+)", label, SHADES[verb], "-")
    axes.set_ylim(0, 8)
    finish(figure, axes, "A fork and a message, with events, audit and jobs", "conversation")


def paper(across: str, up: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.5, 3.8), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    axes.set_xscale("log")
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def line(
    axes: Axes, ratios: dict[str, float], key: str, label: str, color: str, style: str
) -> None:
    """Of all figures whose name fits `key`, by the number in it."""
    points = sorted(
        (int(found[1]), value)
        for name, value in ratios.items()
        if (found := re.fullmatch(key, name))
    )
    axes.plot(*zip(*points, strict=True), style, marker="o", color=color, label=label)
    sizes = [size for size, _ in points]
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()


def finish(figure: Figure, axes: Axes, title: str, name: str) -> None:
    axes.set_title(title)
    axes.legend(frameon=False)
    figure.savefig(DOCS / f"performance-{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    draw_conversation()
    draw_tree()
