"""Input limits, collected so that one answer names every field that is wrong."""

from collections.abc import Sequence

from services.errors import FieldProblem, InvalidInput

Path = tuple[str, ...]


class Validation:
    """Collects problems; `done` raises InvalidInput if there are any."""

    def __init__(self) -> None:
        self.problems: list[FieldProblem] = []

    def add(self, path: Path, message: str) -> None:
        self.problems.append(FieldProblem(path, message))

    def text(self, path: Path, value: str, low: int, high: int) -> str:
        """The text without surrounding white space; `low` to `high` characters of it."""
        text = value.strip()
        if not is_storable(text):
            self.add(path, "Must not hold NUL or unpaired surrogate characters.")
        elif not low <= len(text) <= high:
            self.add(path, f"Must have {low:,} to {high:,} characters, not counting outer space.")
        return text

    def optional_text(self, path: Path, value: str | None, high: int) -> str | None:
        """Blank is the same as absent."""
        if value is None or not value.strip():
            return None
        return self.text(path, value, 1, high)

    def count(self, path: Path, values: Sequence[object], low: int, high: int) -> None:
        if not low <= len(values) <= high:
            self.add(path, f"Must have {low} to {high} entries.")

    def done(self) -> None:
        if self.problems:
            raise InvalidInput(self.problems)


def is_storable(text: str) -> bool:
    """PostgreSQL's text holds neither NUL nor half a character."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
