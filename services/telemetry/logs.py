"""Logs on standard error: JSON lines for machines, plain text at a terminal.

Whoever logs uses the standard library's loggers, with `extra` for values; what is bound in
structlog.contextvars (`request_id`, say) goes with every line of the same request.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import orjson
import structlog

LogFormat = Literal["auto", "json", "text"]

DETAIL = re.compile(
    r"DETAIL:.*?(?=\n\[SQL|\n\nThe above exception|\n\nDuring handling|\Z)", re.DOTALL
)
"""PostgreSQL repeats the row that it refuses."""


def configure(level: str, log_format: LogFormat, stream: TextIO = sys.stderr) -> None:
    """Libraries speak from `warning` up: in their details are frames, with tokens in them."""
    as_json = log_format == "json" or (log_format == "auto" and not stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(as_json=as_json, colors=stream.isatty()))
    wanted = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(handlers=[handler], level=max(wanted, logging.WARNING), force=True)
    logging.getLogger("flowpilot").setLevel(wanted)
    logging.captureWarnings(capture=True)


def _formatter(*, as_json: bool, colors: bool) -> logging.Formatter:
    render: list[structlog.typing.Processor]
    if as_json:
        render = [
            structlog.processors.format_exc_info,
            without_rows,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ]
    else:
        render = [
            structlog.processors.format_exc_info,
            without_rows,
            structlog.dev.ConsoleRenderer(
                colors=colors, exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
    )


def without_rows(
    _logger: object, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for name in ("event", "exception"):
        if "DETAIL:" in line.get(name, ""):
            line[name] = DETAIL.sub("DETAIL: (left out)", line[name])
    return line


def _to_json(line: object, **_: object) -> str:
    return orjson.dumps(line, default=str).decode()
