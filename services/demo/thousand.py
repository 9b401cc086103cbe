"""A session of 1,000 branches: what a very large tree looks like, and costs."""

from collections import deque
from typing import Any

SIZE = 1_000

PLACES = (
    "core switch", "branch firewall", "file server", "mail gateway", "print server", "DNS resolver",
    "VPN concentrator", "hypervisor host", "backup target", "wireless controller",
)  # fmt: skip
FAULTS = (
    "drops frames under load", "answers with an old address", "has a full system disk",
    "holds an expired certificate", "fails over every hour", "loses time against the domain",
    "refuses the new cipher", "throttles one client", "runs an outdated driver",
)  # fmt: skip
STATUSES = ("untried", "active", "dead_end", "solved")
REASON = "Measured for ten minutes under load; no sign of it."


def thousand_branches() -> dict[str, Any]:
    """Every branch gets two to ten children, level by level, until there are a thousand in all."""
    trunk: dict[str, Any] = {
        "messages": [
            {"me": "Everything is slow at the headquarters since the merger of the two networks."},
            {"assistant": "That is a large field. Let us split it by device, and each by fault."},
        ]
    }
    waiting: deque[dict[str, Any]] = deque([trunk])
    made = 1
    while made < SIZE:
        parent = waiting.popleft()
        width = min(2 + made % 9, SIZE - made)
        if SIZE - made - width == 1:
            width -= 1  # or the last fork would have a single option
        children = [_hypothesis(made + offset) for offset in range(width)]
        parent["forks"] = [
            {
                "after": len(parent["messages"]),
                "reason": "Several parts could cause the same slowness.",
                "branches": children,
            }
        ]
        waiting.extend(children)
        made += width
    return {
        "hours_ago": 200,
        "opened_by": "engineer",
        "summary": "Everything is slow at the headquarters since two networks were merged.",
        "domain": "network",
        "trunk": trunk,
    }


def _hypothesis(number: int) -> dict[str, Any]:
    place, fault = PLACES[number % len(PLACES)], FAULTS[number // len(PLACES) % len(FAULTS)]
    status = STATUSES[number % len(STATUSES)] if number % 3 == 0 else "untried"
    told: dict[str, Any] = {
        "label": f"The {place} {fault} ({number})",
        "description": f"If the {place} {fault}, the slowness follows its traffic and nothing else.",
        "status": status,
        "messages": [],
    }
    if status == "dead_end":
        told["reason"] = REASON
    if status != "untried":
        told["messages"] = [
            {"me": f"Looked at the {place}: what should I compare?"},
            {"assistant": "Its counters before and after a large copy, and its log in between."},
        ]
    return told
