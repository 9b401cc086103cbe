"""What an engineer would note down of a log: when, where, how bad, which codes, and what repeats.

Works on any text in linear time: lines are cut before a pattern sees them, and only so many are read.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.files.evidence.decoding import NO_GAPS, Gaps, told
from services.files.evidence.levels import LEVEL_OF, LEVELS, PRIORITIES, level_of
from services.files.evidence.tables import Table, event_table, w3c_table
from services.files.evidence.times import Moment, Span, find_time, is_day_first, of_seconds

MOST_LINES = 40_000
"""Read of one file: half from its beginning, half from its end."""
LONGEST_LINE = 400
"""Characters of a line that are looked at."""
LONGEST_JSON = 20_000
LONGEST_ROW = 4_000
"""Of a table whose columns are known: agents and addresses before the status are long."""
HEADER_WITHIN = 3
"""Lines from the beginning that may name the columns of a table."""
DAYS_WITHIN = 200_000
"""Characters that are searched for a day that tells how days are written."""
MOST_TEMPLATES = 5_000
"""Kept apart; lines unlike any of them are only counted."""
MOST_VALUES = 1_000
"""Hosts or codes kept apart."""

SHOWN = 8
"""Of each kind, the most frequent first."""
SHOWN_LINE = 240
"""Characters of a line in the digest."""
LONGEST_DIGEST = 6_000
EDGE = 5
"""Lines of the beginning and of the end."""

CODE = re.compile(
    r"\b(?P<hresult>0[xX][89cCdDeE][0-9a-fA-F]{7})\b"
    r"|(?i:\bevent ?id)\W{1,4}(?P<event>\d{1,5})\b"
    r"|(?i:\bsqlstate)\W{1,4}(?P<sqlstate>[0-9A-Z]{5})\b"
    r"|\b(?P<vendor>ORA-\d{5}|AADSTS\d{5,7}|TNS-\d{5}|MSB\d{4}"
    r"|ECONN[A-Z]{5,8}|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|EADDRINUSE|EACCES|ENOENT|ENOSPC|EMFILE|EPERM)\b"
    r"|\b(?P<smtp>[45]\d\d[ -][45]\.\d{1,2}\.\d{1,3})\b"
    r"|HTTP/\d(?:\.\d)?\" (?P<access>[1-5]\d\d)\b"
    r"|HTTP/\d(?:\.\d)? (?P<answer>[45]\d\d)\b"
    r"|(?i:\bstatus(?: ?code)?)[=: ]{1,3}(?P<status>[45]\d\d)\b"
    r"|(?i:\b(?:exit|error|return) ?(?:code|number|status)|\berrno)[ =:]{1,3}\(?(?P<number>-?\d{1,10})\b"
    r"|\b(?P<thrown>[A-Z][A-Za-z]{2,60}(?:Exception|Error))\b"
)
LABELS: Mapping[str, str] = {
    "event": "event {}",
    "sqlstate": "SQLSTATE {}",
    "smtp": "SMTP {}",
    "access": "HTTP {}",
    "answer": "HTTP {}",
    "status": "HTTP {}",
    "number": "code {}",
}

HOST = re.compile(
    r"\b(?P<ip>(?:\d{1,3}\.){3}\d{1,3})(?![.\d])"
    r"|(?<![\\\w])\\\\(?P<unc>[A-Za-z0-9][\w.-]{1,62})\\"
    r"|://(?:[^\s/@\"']{1,80}@)?(?P<url>[A-Za-z][\w.-]{1,100})"
    r"|(?<![@\w])(?i:host(?:name)?|server|computer)[=:] ?\"?(?P<named>[A-Za-z][\w-]*\.?[\w.-]{1,80})"
)
SYSLOG_HOST = re.compile(r" (?P<host>[A-Za-z][\w.-]{0,62}) [\w./()-]{1,60}(?:\[\d+\])?:")

MASK = re.compile(
    r"(?P<id>\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b)"
    r"|(?P<ip>\b(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?)"
    r"|(?P<mac>\b(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}\b)"
    r"|(?P<code>\b0[xX][89cCdDeE][0-9a-fA-F]{7}\b)"
    r"|(?P<hex>\b0[xX][0-9a-fA-F]+|\b(?=[a-fA-F]*\d)[0-9a-fA-F]{12,}\b)"
    r"|(?P<n>\d+(?:[.,:]\d+)*)"
)
ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")

JSON_TIMES = ("timestamp", "@timestamp", "time", "ts", "__REALTIME_TIMESTAMP", "TimeCreated")
JSON_LEVELS = ("level", "severity", "log.level", "PRIORITY", "LevelDisplayName")
JSON_TEXTS = ("message", "msg", "MESSAGE", "event", "Message")
JSON_HOSTS = ("host", "hostname", "_HOSTNAME", "MachineName", "Computer")

STAMPED_SHARE = 0.05
"""Of lines with a time, from which on a text is a log: an entry may have many lines."""
LEVEL_SHARE = 0.3
"""The same, of lines that name a level."""


@dataclass(slots=True)
class Digest:
    line_count: int = 0
    read_count: int = 0
    """Fewer than there are in a very long file."""
    blank_count: int = 0
    levels: Counter[str] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    templates: Counter[str] = field(default_factory=Counter)
    """Lines without their times, with numbers, ids and addresses masked."""
    troubles: Counter[str] = field(default_factory=Counter)
    """The same, of errors and warnings alone."""
    examples: dict[str, str] = field(default_factory=dict)
    spans: dict[bool, Span] = field(default_factory=lambda: {True: Span(), False: Span()})
    """Of times with a year and without: the two cannot be compared."""
    day_first: bool = False
    gaps: Gaps = NO_GAPS
    table: Table | None = None
    head: list[str] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)

    @property
    def stamped(self) -> int:
        return sum(span.count for span in self.spans.values())

    @property
    def times(self) -> tuple[str, str] | None:
        """The earliest and the latest."""
        return max(self.spans.values(), key=lambda span: span.count).ends()

    @property
    def is_log(self) -> bool:
        lines = self.read_count - self.blank_count
        return lines > 0 and (
            self.stamped >= max(1, STAMPED_SHARE * lines)
            or self.levels.total() >= max(1, LEVEL_SHARE * lines)
        )


def digest(text: str, gaps: Gaps = NO_GAPS) -> Digest:
    found = Digest(gaps=gaps, day_first=is_day_first(text[:DAYS_WITHIN]))
    shown = [line for line in (_read(found, line) for line in _lines(text, found)) if line]
    found.head, found.tail = shown[:EDGE], shown[EDGE:][-EDGE:]
    return found


def _lines(text: str, found: Digest) -> Iterator[str]:
    ended = text.removesuffix("\n")
    found.line_count = ended.count("\n") + 1 if ended else 0
    if found.line_count <= MOST_LINES:
        lines: Iterable[str] = ended.split("\n") if ended else ()
    else:
        half = MOST_LINES // 2
        lines = (*ended.split("\n", half)[:half], *ended.rsplit("\n", half)[1:])
    for line in lines:
        found.read_count += 1
        if line[:1] == "{":
            yield line[:LONGEST_JSON]
        else:
            yield line[: LONGEST_ROW if found.table else LONGEST_LINE]


def _clean(line: str) -> str:
    return ANSI.sub("", line).rstrip()[:LONGEST_LINE]


def _read(found: Digest, line: str) -> str:
    """What is to be seen of it."""
    if not line or line.isspace():
        found.blank_count += 1
        return ""
    if line[:1] == "{" and (record := _record(line)):
        return _read_record(found, record)
    coded = _coded(found, line)
    line = _clean(line)
    timed = find_time(line, day_first=found.day_first)
    message = line
    if timed:
        moment, end = timed
        found.spans[moment.has_year].take(moment)
        message = line[end:]
        if not moment.has_year and (host := SYSLOG_HOST.match(message)):
            _count(found.hosts, host["host"])
    _take(found, line, message, level_of(line, message if timed else None), coded)
    return line


def _coded(found: Digest, row: str) -> list[str]:
    """What the columns tell, where a line has named them."""
    if row.startswith("#Fields:"):
        found.table = w3c_table(row)
    elif found.table is None and found.read_count <= HEADER_WITHIN:
        found.table = event_table(row)
    return list(found.table.codes(row)) if found.table else []


def _take(
    found: Digest, line: str, message: str, level: str | None, coded: Sequence[str] = ()
) -> None:
    if level:
        found.levels[level] += 1
    codes = [*coded, *(code for code in _codes(message) if code not in coded)]
    for code in codes:
        _count(found.codes, code)
    for host in HOST.finditer(line):
        _count(found.hosts, host[host.lastgroup or 0])
    template = _template(message)
    if template and _count(found.templates, template, MOST_TEMPLATES):
        found.examples.setdefault(template, line.strip()[:SHOWN_LINE])
        if level in {"FATAL", "ERROR", "WARNING"} or any(_is_trouble(code) for code in codes):
            found.troubles[template] += 1


def _record(line: str) -> Mapping[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _read_record(found: Digest, record: Mapping[str, Any]) -> str:
    time = _first(record, JSON_TIMES)
    moment = time and _instant(time)
    if moment:
        found.spans[moment.has_year].take(moment)
    level = (_first(record, JSON_LEVELS) or "").upper()
    if level.isdecimal() and int(level[:3]) < len(PRIORITIES):
        level = PRIORITIES[int(level)]
    message = _clean(_first(record, JSON_TEXTS) or json.dumps(record)[:LONGEST_LINE])
    if host := _first(record, JSON_HOSTS):
        _count(found.hosts, host[:100])
    level = LEVEL_OF.get(level) or level_of(message, None) or ""
    _take(found, message, message, level)
    return " ".join(part for part in (moment and moment.text, level, message) if part)


def _first(record: Mapping[str, Any], names: Iterable[str]) -> str | None:
    for name in names:
        if isinstance(value := record.get(name), str | int | float) and value != "":
            return str(value)
    return None


def _instant(text: str) -> Moment | None:
    timed = find_time(text, day_first=False)
    return timed[0] if timed else of_seconds(text)


def _codes(message: str) -> list[str]:
    return [
        LABELS.get(code.lastgroup or "", "{}").format(code[code.lastgroup or 0])
        for code in CODE.finditer(message)
    ]


def _is_trouble(code: str) -> bool:
    """Answers below 400 and numbered events are no troubles by themselves."""
    if code.startswith("HTTP "):
        return code[5] in "45"
    return not code.startswith("event ") and code != "code 0"


def _template(message: str) -> str:
    def mask(found: re.Match[str]) -> str:
        return found[0] if found.lastgroup == "code" else f"<{found.lastgroup}>"

    return " ".join(MASK.sub(mask, message).split()).strip(' :,-|]"')[:SHOWN_LINE]


def _count(counter: Counter[str], value: str, most: int = MOST_VALUES) -> bool:
    """Whether it is among those that are kept apart."""
    if value not in counter and len(counter) >= most:
        return False
    counter[value] += 1
    return True


# ---------------------------------------------------------------- as text


def gist(found: Digest) -> str:
    """One sentence."""
    parts = [f"Log of {_many(found.line_count, 'line')}{_span(found)}"]
    if found.gaps.count:
        parts.append(told(found.gaps))
    levels = ", ".join(
        _many(found.levels[level], LEVEL_WORDS[level])
        for level in ("FATAL", "ERROR", "WARNING")
        if found.levels[level]
    )
    if found.read_count < found.line_count:
        half = MOST_LINES // 2
        read = f"in the first and the last {half:,} lines, which alone were read"
        parts.append(f"{read}, {levels or 'no errors'}")
    elif levels:
        parts.append(levels)
    troubled = [code for code in found.codes if _is_trouble(code)]
    if troubled:
        codes = sorted(troubled, key=lambda code: (-found.codes[code], code))[:3]
        parts.append("with " + ", ".join(codes))
    if found.troubles:
        template, count = found.troubles.most_common(1)[0]
        often = f"{count:,} times" if count > 1 else "once"
        parts.append(f"most often “{template[:120]}” ({often})")
    return "; ".join(parts) + "."


LEVEL_WORDS = {"FATAL": "fatal error", "ERROR": "error", "WARNING": "warning"}


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _span(found: Digest) -> str:
    if found.times is None:
        return ""
    first, last = found.times
    return f" at {first}" if first == last else f" from {first} to {last}"


def render(found: Digest) -> str:
    """At most 6,000 characters, the most telling first."""
    read = (
        f" ({found.read_count:,} read: the first and the last)"
        if found.read_count < found.line_count
        else ""
    )
    sections = [f"Lines: {found.line_count:,}{read}"]
    if found.times:
        sections.append("Time: {} to {}".format(*found.times))
    if found.gaps.count:
        sections.append(f"Damage: {told(found.gaps)}")
    if found.levels:
        counts = [f"{name} {found.levels[name]:,}" for name in LEVELS if found.levels[name]]
        sections.append("Levels: " + ", ".join(counts))
    for title, counter in (("Codes", found.codes), ("Hosts", found.hosts)):
        if counter:
            most = [f"{value} ({count:,})" for value, count in counter.most_common(SHOWN)]
            more = len(counter) - len(most)
            sections.append(f"{title}: " + ", ".join(most) + (f", {more:,} more" if more else ""))
    if found.troubles:
        sections.append(_listed("Errors and warnings", found.troubles, found.examples))
    repeated = Counter({line: count for line, count in found.templates.items() if count > 1})
    if repeated:
        sections.append(_listed("Repeated", repeated, {}))
    if found.head:
        sections.append(
            "First lines:\n" + "\n".join(f"  {line[:SHOWN_LINE]}" for line in found.head)
        )
    if found.tail:
        sections.append(
            "Last lines:\n" + "\n".join(f"  {line[:SHOWN_LINE]}" for line in found.tail)
        )
    return "\n".join(sections)[:LONGEST_DIGEST]


def _listed(title: str, counter: Counter[str], examples: Mapping[str, str]) -> str:
    lines = [
        f"  {count:,}x {examples.get(template, template) if count == 1 else template}"
        for template, count in counter.most_common(SHOWN)
    ]
    return f"{title}:\n" + "\n".join(lines)
