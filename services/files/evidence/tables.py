"""Columns of logs that are tables: W3C's (IIS, proxies), and events that Windows exported as CSV."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

EVENT_ID = frozenset(
    {
        "event id",
        "eventid",
        "event_id",
        "ereignis-id",
        "id de l'événement",
        "id. del evento",
        "id del evento",
        "gebeurtenis-id",
    }
)
"""As viewers of events call it in English, German, French, Spanish and Dutch."""
OF_POWERSHELL = frozenset({"leveldisplayname", "providername", "timecreated"})
"""Beside one of these a column "Id" is it."""


@dataclass(frozen=True, slots=True)
class Table:
    delimiter: str
    column: int
    label: str
    value: re.Pattern[str]

    def codes(self, row: str) -> Iterator[str]:
        cells = _cells(row, self.delimiter)
        if self.column < len(cells) and self.value.fullmatch(cells[self.column]):
            yield self.label.format(cells[self.column])


def w3c_table(line: str) -> Table | None:
    """Of a line "#Fields: date time …"; None if it has no status."""
    names = line.removeprefix("#Fields:").split()
    if "sc-status" not in names:
        return None
    return Table(" ", names.index("sc-status"), "HTTP {}", re.compile(r"[1-5]\d\d"))


def event_table(line: str) -> Table | None:
    """Of a line that names the columns of events."""
    for delimiter in ",;\t":
        names = [name.strip().casefold().replace("’", "'") for name in _cells(line, delimiter)]
        known = EVENT_ID | ({"id"} if OF_POWERSHELL & set(names) else set())
        for place, name in enumerate(names):
            if len(names) > 1 and name in known:
                return Table(delimiter, place, "event {}", re.compile(r"[0-9]{1,5}"))
    return None


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
