"""Input limits, collected so that one answer names every field that is wrong."""

import unicodedata
from collections.abc import Sequence

from services.errors import FieldProblem, InvalidInput

Path = tuple[str, ...]

UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
"""Categories of Unicode: controls, formats (zero-width ones, marks of direction, tags), spaces."""

INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # fillers, joiners, the empty Braille cell
    + "".join(map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
"""Letters, marks and signs that by definition show nothing; the ranges are variation selectors."""


class Validation:
    """Collects problems; `done` raises InvalidInput if there are any."""

    def __init__(self) -> None:
        self.problems: list[FieldProblem] = []

    def add(self, path: Path, message: str) -> None:
        self.problems.append(FieldProblem(path, message))

    def text(self, path: Path, value: str, low: int, high: int) -> str:
        """The text without surrounding white space; `low` to `high` characters of it."""
        text = "" if is_blank(value) else value.strip()
        if not is_storable(text):
            self.add(path, "Must not hold NUL or unpaired surrogate characters.")
        elif not low <= len(text) <= high:
            self.add(path, f"Must have {low:,} to {high:,} characters, not counting outer space.")
        return text

    def optional_text(self, path: Path, value: str | None, high: int) -> str | None:
        """Blank is the same as absent."""
        if value is None or is_blank(value):
            return None
        return self.text(path, value, 1, high)

    def count(self, path: Path, values: Sequence[object], low: int, high: int) -> None:
        if not low <= len(values) <= high:
            wanted = f"{low} to {high} entries" if low < high else f"exactly {_entries(low)}"
            self.add(path, f"Must have {wanted}.")

    def done(self) -> None:
        if self.problems:
            raise InvalidInput(self.problems)


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number} entries"


def is_blank(text: str) -> bool:
    """Nothing of it would be seen. NUL is another matter: it cannot be stored at all."""
    return "\0" not in text and all(
        character in INVISIBLE or unicodedata.category(character) in UNSEEN for character in text
    )


def is_storable(text: str) -> bool:
    """PostgreSQL's text holds neither NUL nor half a character."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
