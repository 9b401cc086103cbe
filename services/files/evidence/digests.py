"""What an engineer would note down of a log: when, where, how bad, which codes, and what repeats.

Works on any text in linear time: lines are cut before a pattern sees them, and only so many are read.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

MOST_LINES = 40_000
"""Read of one file: half from its beginning, half from its end."""
LONGEST_LINE = 400
"""Characters of a line that are looked at."""
LONGEST_JSON = 20_000
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

MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
NUMBER_OF_MONTH = {name: number for number, name in enumerate(MONTHS.split("|"), 1)}

CLOCK = r"(?P<{0}h>\d\d?):(?P<{0}m>\d\d):(?P<{0}s>\d\d)"
TIME = re.compile(
    r"(?P<iy>\d{4})[-/.](?P<imo>\d\d)[-/.](?P<id>\d\d)\"?[T ,]{1,2}\"?"
    + CLOCK.format("i")
    + r"(?:[.,]\d{1,9})?\"?(?: ?(?P<iz>Z\b|UTC|GMT|[CEMPW][A-Z]{0,2}T\b|[+-]\d\d:?\d\d))?"
    rf"|(?P<ad>\d\d?)[/ -](?P<amo>{MONTHS})[/ -](?P<ay>\d{{4}})[: ]"
    + CLOCK.format("a")
    + r"(?:[.,]\d{1,9})?(?: (?P<az>[+-]\d{4}))?"
    rf"|(?P<smo>{MONTHS}) (?P<sd>[ \d]\d) (?:(?P<sy>\d{{4}}) )?"
    + CLOCK.format("s")
    + r"|(?P<umo>\d\d?)/(?P<ud>\d\d?)/(?P<uy>\d{4}),? "
    + CLOCK.format("u")
    + r"(?: (?P<up>[AP]M))?"
)
"""ISO 8601 and what Windows and Java write; Apache and Redis; syslog; the American form of event logs."""

TIME_WITHIN = 140
"""Characters from the beginning of a line."""

LEVEL_OF: Mapping[str, str] = {
    **dict.fromkeys(("EMERG", "EMERGENCY", "PANIC", "FATAL", "CRIT", "CRITICAL", "ALERT"), "FATAL"),
    **dict.fromkeys(("ERROR", "ERR", "SEVERE"), "ERROR"),
    **dict.fromkeys(("WARNING", "WARN"), "WARNING"),
    **dict.fromkeys(("NOTICE", "INFO", "INFORMATION", "LOG"), "INFO"),
    **dict.fromkeys(("DEBUG", "TRACE", "VERBOSE"), "DEBUG"),
}
LEVELS = ("FATAL", "ERROR", "WARNING", "INFO", "DEBUG")
NAMES = "|".join(sorted(LEVEL_OF, key=len, reverse=True))
LEVEL = re.compile(
    rf"\b(?P<upper>{NAMES})(?![\w.])"
    rf"|(?:[\[<|,=\"]|^|(?<=\s)) ?(?P<any>(?i:{NAMES}))(?:[\]>|,\":]|(?<=[a-z]) {{2,}}|\t)"
)
PRIORITIES = ("FATAL", "FATAL", "FATAL", "ERROR", "WARNING", "INFO", "INFO", "DEBUG")
"""Of syslog, by number."""

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
    stamped: int = 0
    levels: Counter[str] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    templates: Counter[str] = field(default_factory=Counter)
    """Lines without their times, with numbers, ids and addresses masked."""
    troubles: Counter[str] = field(default_factory=Counter)
    """The same, of errors and warnings alone."""
    examples: dict[str, str] = field(default_factory=dict)
    first_time: str | None = None
    last_time: str | None = None
    """As "2024-04-25 05:32:35 +0000"; without a year or a zone where the log has none."""
    head: list[str] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)

    @property
    def is_log(self) -> bool:
        lines = self.read_count - self.blank_count
        return lines > 0 and (
            self.stamped >= max(1, STAMPED_SHARE * lines)
            or self.levels.total() >= max(1, LEVEL_SHARE * lines)
        )


def digest(text: str) -> Digest:
    found = Digest()
    shown = [line for line in (_read(found, line) for line in _lines(text, found)) if line]
    found.head, found.tail = shown[:EDGE], shown[EDGE:][-EDGE:]
    first, last = found.first_time or "", found.last_time or ""
    if first[:1].isdigit() and last[:1].isdigit() and first > last:
        found.first_time, found.last_time = last, first  # viewers of events export the newest first
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
        yield line[:LONGEST_JSON] if line[:1] == "{" else line[:LONGEST_LINE]


def _clean(line: str) -> str:
    return ANSI.sub("", line).rstrip()[:LONGEST_LINE]


def _read(found: Digest, line: str) -> str:
    """What is to be seen of it."""
    if not line or line.isspace():
        found.blank_count += 1
        return ""
    if line[:1] == "{" and (record := _record(line)):
        return _read_record(found, record)
    line = _clean(line)
    time = TIME.search(line, 0, TIME_WITHIN)
    message = line
    if time:
        _stamp(found, _normal(time))
        message = line[time.end() :]
        if time["smo"] and (host := SYSLOG_HOST.match(message)):
            _count(found.hosts, host["host"])
    _take(found, line, message, _level(line))
    return line


def _take(found: Digest, line: str, message: str, level: str | None) -> None:
    if level:
        found.levels[level] += 1
    codes = _codes(message)
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
    instant = time and _instant(time)
    if instant:
        _stamp(found, instant)
    level = (_first(record, JSON_LEVELS) or "").upper()
    if level.isdecimal() and int(level[:3]) < len(PRIORITIES):
        level = PRIORITIES[int(level)]
    message = _clean(_first(record, JSON_TEXTS) or json.dumps(record)[:LONGEST_LINE])
    if host := _first(record, JSON_HOSTS):
        _count(found.hosts, host[:100])
    level = LEVEL_OF.get(level) or _level(message) or ""
    _take(found, message, message, level)
    return " ".join(part for part in (instant, level, message) if part)


def _first(record: Mapping[str, Any], names: Iterable[str]) -> str | None:
    for name in names:
        if isinstance(value := record.get(name), str | int | float) and value != "":
            return str(value)
    return None


def _instant(text: str) -> str | None:
    """Of a text, or of seconds, milli- or microseconds since 1970."""
    if time := TIME.search(text, 0, TIME_WITHIN):
        return _normal(time)
    try:
        seconds = float(text)
        while seconds > 1e11:  # noqa: PLR2004 - the year 5138
            seconds /= 1000
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} +0000"
    except (ValueError, OverflowError, OSError):
        return None


def _normal(time: re.Match[str]) -> str:
    if time["iy"]:
        day = f"{time['iy']}-{time['imo']}-{time['id']}"
        return _at(day, time, "i", time["iz"])
    if time["ay"]:
        day = f"{time['ay']}-{NUMBER_OF_MONTH[time['amo']]:02}-{int(time['ad']):02}"
        return _at(day, time, "a", time["az"])
    if time["smo"]:
        number = NUMBER_OF_MONTH[time["smo"]]
        day = f"{time['smo']} {time['sd'].strip():>2}"
        if time["sy"]:
            day = f"{time['sy']}-{number:02}-{int(time['sd']):02}"
        return _at(day, time, "s", None)
    day = f"{time['uy']}-{int(time['umo']):02}-{int(time['ud']):02}"
    hour = int(time["uh"]) % 12 + 12 * (time["up"] == "PM") if time["up"] else int(time["uh"])
    return f"{day} {hour:02}:{time['um']}:{time['us']}"


def _at(day: str, time: re.Match[str], form: str, zone: str | None) -> str:
    clock = f"{int(time[form + 'h']):02}:{time[form + 'm']}:{time[form + 's']}"
    return f"{day} {clock} {zone}" if zone else f"{day} {clock}"


def _stamp(found: Digest, time: str) -> None:
    found.stamped += 1
    found.first_time = found.first_time or time
    found.last_time = time


def _level(line: str) -> str | None:
    level = LEVEL.search(line, 0, 200)
    return LEVEL_OF[(level["upper"] or level["any"]).upper()] if level else None


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
    lines = _many(found.line_count, "line")
    parts = [f"Log of {lines}{_span(found)}"]
    levels = [
        _many(found.levels[level], LEVEL_WORDS[level])
        for level in ("FATAL", "ERROR", "WARNING")
        if found.levels[level]
    ]
    if levels:
        parts.append(", ".join(levels))
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
    if found.first_time is None:
        return ""
    if found.first_time == found.last_time:
        return f" at {found.first_time}"
    return f" from {found.first_time} to {found.last_time}"


def render(found: Digest) -> str:
    """At most 6,000 characters, the most telling first."""
    read = (
        f" ({found.read_count:,} read: the first and the last)"
        if found.read_count < found.line_count
        else ""
    )
    sections = [f"Lines: {found.line_count:,}{read}"]
    if found.first_time:
        sections.append(f"Time: {found.first_time} to {found.last_time}")
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
