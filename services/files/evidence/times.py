"""Times as logs write them: found in a line, made comparable, and the span from first to last."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

WITHIN = 140
"""Characters from the beginning of a line."""
TRIED = 3
"""Of a line, what looks like a time, until one is."""

EARLIEST, LATEST = 1970, 2099
"""Years in which machines write logs; 1601, 1899 and 9999 stand for "never"."""

MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
NUMBER_OF_MONTH = {name: number for number, name in enumerate(MONTHS.split("|"), 1)}

CLOCK = r"(?P<{0}h>\d\d?):(?P<{0}m>\d\d):(?P<{0}s>\d\d)(?:[.,]\d{{1,9}})?"
TIME = re.compile(
    r"(?P<iy>\d{4})[-/.](?P<imo>\d\d)[-/.](?P<id>\d\d)(?:\"?[T ,]{1,2}\"?|\"? time=\"?)"
    + CLOCK.format("i")
    + r"\"?(?P<iz> ?(?:Z\b|UTC|GMT|[CEMPW][A-Z]{0,2}T\b|[+-]\d\d:?\d\d(?!\d))|[+-]\d\d\b(?![:-]))?"
    rf"|(?P<ad>\d\d?)[/ -](?P<amo>{MONTHS})[/ -](?P<ay>\d{{4}})[: ]"
    + CLOCK.format("a")
    + r"(?: (?P<az>[+-]\d{4}))?"
    rf"|(?P<smo>{MONTHS}) (?P<sd>[ \d]\d|\d),? (?:(?P<sy>\d{{4}}),? )?"
    + CLOCK.format("s")
    + r"(?: (?P<sye>(?:19|20)\d\d)(?![\w.:-])| ?(?P<sp>[AaPp])[Mm]\b)?"
    r"|(?<![\d./-])(?P<u1>\d\d?)(?P<usep>[/.-])(?P<u2>\d\d?)(?P=usep)(?P<uy>\d{4}|\d\d)\"?[ ,T]{1,2}\"?"
    + CLOCK.format("u")
    + r"(?: ?(?P<up>[AaPp])\.?[Mm]\b)?"
    r"|(?:^[\[(\"]{0,2}|\b(?:ts|time)=\"?|\baudit\()"
    r"(?P<unix>1\d{9}(?:\d{3}){0,3})(?:[.,]\d{1,9})?(?=[\"\])]{0,2}[\s:|\])])"
)
"""ISO 8601 and what Windows and Java write; Apache and Redis; syslog and ctime; day, month and year in
numbers; seconds since 1970 at the beginning of a line, or said to be a time.
"""

DAY = re.compile(
    r"[\[(\"]{0,2}(?:(?P<dy>\d{4})[-/.](?P<dmo>\d\d)[-/.](?P<dd>\d\d)"
    r"|(?P<e1>\d\d?)(?P<esep>[/.-])(?P<e2>\d\d?)(?P=esep)(?P<ey>\d{4}))"
    r"(?:[T ](?P<dh>\d\d?):(?P<dm>\d\d)(?!:\d))?(?=[\"\])]{0,2}[\s:|])"
)
"""A line's beginning: a day, perhaps with hour and minute. What a comma follows is a table, of which a day
makes no log.
"""

DAY_FIRST = re.compile(r"(?<![\d/])(?:1[3-9]|2\d|3[01])/(?:0?[1-9]|1[0-2])/\d{4}[ ,T]")

HOURS_OF: Mapping[str, int] = {
    "EST": -5, "EDT": -4, "ET": -5, "CST": -6, "CDT": -5, "CT": -6, "MST": -7, "MDT": -6, "MT": -7,
    "PST": -8, "PDT": -7, "PT": -8,
    "WEST": 1, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "EET": 2, "EEST": 3,
}  # fmt: skip
"""East of Greenwich; what is not here counts as UTC."""

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - what is compared has its zone taken out
CENTURY = 2000
"""Of a year in two digits."""
LEAP_YEAR = 1972
"""Of a time without a year, so that it may be the 29th of February."""
YEAR = 366 * 86_400.0
"""Seconds of that year."""


@dataclass(frozen=True, slots=True)
class Moment:
    text: str
    """As "2024-04-25 05:32:35 +0000"; without a year, a zone or a time of day where the log has none."""
    at: float
    """Seconds since 1970; without a zone as of UTC, without a year as of 1972."""
    zone: str | None
    has_year: bool


def find_time(line: str, *, day_first: bool) -> tuple[Moment, int] | None:
    """The first time of a line and where it ends. What is no day of the calendar is none."""
    for found in islice(TIME.finditer(line, 0, WITHIN), TRIED):
        if moment := _moment(found, day_first=day_first):
            return moment, found.end()
    beginning = DAY.match(line)
    if beginning and (moment := _day(beginning, day_first=day_first)):
        return moment, beginning.end()
    return None


def is_day_first(text: str) -> bool:
    """Whether days with slashes are as in Europe: one of them cannot be American."""
    return DAY_FIRST.search(text) is not None


def of_seconds(text: str) -> Moment | None:
    """Of seconds, milli-, micro- or nanoseconds since 1970."""
    try:
        seconds = float(text)
        while seconds > 1e11:  # noqa: PLR2004 - the year 5138
            seconds /= 1000
        day = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return Moment(f"{day:%Y-%m-%d %H:%M:%S} +0000", seconds, "+0000", has_year=True)


def _moment(found: re.Match[str], *, day_first: bool) -> Moment | None:
    if found["unix"]:
        return of_seconds(found["unix"])
    if found["iy"]:
        return _at(found, "i", found["iy"], found["imo"], found["id"], (found["iz"] or "").strip())
    if found["ay"]:
        month = NUMBER_OF_MONTH[found["amo"]]
        return _at(found, "a", found["ay"], month, found["ad"], found["az"] or "")
    if found["smo"]:
        month = NUMBER_OF_MONTH[found["smo"]]
        return _at(found, "s", found["sy"] or found["sye"], month, found["sd"], "")
    return _numbered(found, "u", "u", day_first=day_first)


def _day(found: re.Match[str], *, day_first: bool) -> Moment | None:
    if found["dy"]:
        return _at(found, "d", found["dy"], found["dmo"], found["dd"], "")
    return _numbered(found, "e", "d", day_first=day_first)


def _numbered(found: re.Match[str], form: str, clock: str, *, day_first: bool) -> Moment | None:
    """With a slash the month comes first, unless it cannot; with another sign the day does."""
    first, second = int(found[form + "1"]), int(found[form + "2"])
    of_europe = found[form + "sep"] != "/" or day_first
    if max(first, second) > 12:  # noqa: PLR2004 - no month
        of_europe = first > second
    day, month = (first, second) if of_europe else (second, first)
    return _at(found, clock, found[form + "y"], month, day, "")


def _at(
    found: re.Match[str],
    clock: str,
    year: str | None,
    month: str | int,
    day: str | int,
    zone: str,
) -> Moment | None:
    hour, minute = found[clock + "h"], found[clock + "m"]
    second = found[clock + "s"] if clock != "d" else None
    hours = int(hour or 0)
    half = found[clock + "p"] if clock in {"s", "u"} else None
    if half:
        hours = hours % 12 + 12 * (half in "Pp")
    try:
        at = datetime(  # noqa: DTZ001
            int(year or LEAP_YEAR) + (CENTURY if year and len(year) == 2 else 0),  # noqa: PLR2004
            int(month),
            int(day),
            hours,
            int(minute or 0),
            min(int(second or 0), 59),  # of a leap second
        )
    except ValueError:
        return None
    if not EARLIEST <= at.year <= LATEST or (second and int(second) > 60):  # noqa: PLR2004
        return None
    text = f"{at:%Y-%m-%d}" if year else f"{at:%b} {at.day:2}"
    if hour:
        text += f" {hours:02}:{minute}" + (f":{second}" if second else "")
    seconds = (at - EPOCH).total_seconds() - _seconds_east(zone)
    return Moment(f"{text} {zone}".rstrip(), seconds, zone or None, has_year=bool(year))


def _seconds_east(zone: str) -> int:
    if zone[:1] in {"+", "-"}:
        digits = zone[1:].replace(":", "").ljust(4, "0")
        seconds = 3_600 * int(digits[:2]) + 60 * int(digits[2:])
        return -seconds if zone[0] == "-" else seconds
    return 3_600 * HOURS_OF.get(zone, 0)


@dataclass(slots=True)
class Span:
    """Of times that all have a year, or none. Without years the order of lines tells when one begins."""

    count: int = 0
    earliest: Moment | None = None
    latest: Moment | None = None
    _begin: float = 0
    _end: float = 0
    _last: float = 0

    def take(self, moment: Moment) -> None:
        at = moment.at
        if not moment.has_year and self.count:
            at += YEAR * round((self._last - at) / YEAR)
        if self.earliest is None or at < self._begin:
            self.earliest, self._begin = moment, at
        if self.latest is None or at > self._end:
            self.latest, self._end = moment, at
        self._last = at
        self.count += 1

    def ends(self) -> tuple[str, str] | None:
        """Of two zones both are told in UTC, or the end might read as if it came before the beginning."""
        if self.earliest is None or self.latest is None:
            return None
        if self.earliest.zone and self.latest.zone and self.earliest.zone != self.latest.zone:
            return _utc(self._begin), _utc(self._end)
        return self.earliest.text, self.latest.text


def _utc(at: float) -> str:
    return f"{EPOCH + timedelta(seconds=at):%Y-%m-%d %H:%M:%S} Z"
