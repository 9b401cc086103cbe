"""How far the checks of a card have been gone through, read from what was said on a branch."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from models.message import MessageRole
from services.ai.cards import Check, Verdict
from services.ai.port import Turn
from services.ai.reading import is_undo, read_reply

_ASKED = re.compile(r"^\*\*Check (\d+) of \d+\*\*$", re.MULTILINE)


@dataclass(slots=True)
class Walk:
    """Where a branch stands. `results` holds what each check gave, in order of answering, and
    `answered` the position of the message that said so.
    """

    checks: tuple[Check, ...]
    asked: int | None = None
    results: dict[int, bool] = field(default_factory=dict)
    answered: dict[int, int] = field(default_factory=dict)

    @classmethod
    def along(cls, checks: tuple[Check, ...], tail: Iterable[Turn]) -> Self:
        walk = cls(checks)
        for turn in tail:
            if turn.role == MessageRole.USER:
                walk.hear(turn)
            elif turn.role == MessageRole.ASSISTANT:
                walk.recall(turn.text)
        return walk

    def recall(self, answer: str) -> None:
        found = _ASKED.search(answer)
        if found and int(found[1]) <= len(self.checks):
            self.asked = int(found[1]) - 1

    def hear(self, reply: Turn) -> str:
        """Takes a reply in; gives what there is to say about it."""
        if is_undo(reply.text):
            if not self.results:
                return "There is no answer to take back."
            index, _ = self.results.popitem()
            self.asked = None  # nothing counts as an answer until a check is asked again
            return f"The answer to check {index + 1} is taken back."
        if self.asked is None or self.asked in self.results:
            return ""
        check = self.checks[self.asked]
        reading = read_reply(reply.text, check.expect)
        if reading is None:
            return "That was no clear yes or no, so the check stays open."
        self.results[self.asked] = reading
        self.answered[self.asked] = reply.position
        meaning = check.if_yes if reading else check.if_no
        return f"Check {self.asked + 1}: {yes_or_no(reading)}. {meaning}"

    @property
    def verdict(self) -> tuple[int, Verdict] | None:
        for index, result in sorted(self.results.items()):
            meaning = verdict_of(self.checks[index], result)
            if meaning:
                return index, meaning
        return None

    @property
    def next_check(self) -> int | None:
        return next((i for i in range(len(self.checks)) if i not in self.results), None)


def verdict_of(check: Check, result: bool) -> Verdict | None:
    return check.yes_means if result else check.no_means


def claim_of(check: Check, result: bool) -> str:
    """What the answer establishes, in a sentence."""
    return check.expect if result else check.denied


def yes_or_no(result: bool) -> str:
    return "yes" if result else "no"
