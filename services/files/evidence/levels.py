"""How bad a line of a log says that it is."""

import re
from collections.abc import Mapping

LEVEL_OF: Mapping[str, str] = {
    **dict.fromkeys(
        ("EMERG", "EMERGENCY", "PANIC", "FATAL", "CRIT", "CRITICAL", "ALERT",
         "KRITISCH", "CRITIQUE", "CRÍTICO", "KRITIEK"), "FATAL"
    ),
    **dict.fromkeys(("ERROR", "ERR", "SEVERE", "FEHLER", "ERREUR", "FOUT"), "ERROR"),
    **dict.fromkeys(
        ("WARNING", "WARN", "WARNUNG", "AVERTISSEMENT", "ADVERTENCIA", "WAARSCHUWING"), "WARNING"
    ),
    **dict.fromkeys(("NOTICE", "INFO", "INFORMATION", "INFORMATIONEN", "LOG"), "INFO"),
    **dict.fromkeys(("DEBUG", "TRACE", "VERBOSE"), "DEBUG"),
}  # fmt: skip
LEVELS = ("FATAL", "ERROR", "WARNING", "INFO", "DEBUG")

PRIORITIES = ("FATAL", "FATAL", "FATAL", "ERROR", "WARNING", "INFO", "INFO", "DEBUG")
"""Of syslog, by number."""

WITHIN = 200
"""Characters from the beginning of a line."""

NAMES = "|".join(sorted(LEVEL_OF, key=len, reverse=True))
BEGINNINGS = "|".join(name for name in NAMES.split("|") if name not in {"LOG", "ALERT", "PANIC"})
"""Without words that a sentence may begin with: "Log file opened"."""

AFTER_TIME = re.compile(
    r"[\s\])\"|,;:-]{0,6}(?:[\[<(][^\]>)\s]{1,40}[\]>)]\s{1,4}){0,3}"
    rf"(?P<level>(?i:{BEGINNINGS}))(?![\w.=-])"
)
KEYED = re.compile(
    r"(?i:\b(?:log[._]?)?(?:level(?:name)?|lvl|severity)[\"']?[ \t]{0,2}[=:][ \t]{0,2}[\"']?"
    rf"(?P<level>{NAMES}))(?![\w.])"
)
ANYWHERE = re.compile(
    rf"\b(?P<upper>{NAMES})(?![\w.])"
    rf"|(?:[\[<|,=\"]|^|(?<=\s)) ?(?P<any>(?i:{NAMES}))(?:[\]>|,\":;]|(?<=[a-z]) {{2,}}|\t)"
    rf"|:(?P<module>(?i:{NAMES}))\]"
)
NUMBERED = re.compile(
    r"%[A-Z][A-Z0-9_]{1,30}-(?P<cisco>[0-7])-[A-Z]|^<(?P<priority>\d{1,3})>(?=[\dA-Z])"
)


def level_of(line: str, message: str | None) -> str | None:
    """`message` is what follows the line's time; None where it has none."""
    found = message is not None and AFTER_TIME.match(message, 0, WITHIN)
    found = found or KEYED.search(line, 0, WITHIN)
    if found:
        return LEVEL_OF[found["level"].upper()]
    found = ANYWHERE.search(line, 0, WITHIN)
    if found:
        return LEVEL_OF[found[found.lastgroup or 0].upper()]
    found = NUMBERED.search(line, 0, WITHIN)
    return PRIORITIES[int(found[found.lastgroup or 0]) % len(PRIORITIES)] if found else None
