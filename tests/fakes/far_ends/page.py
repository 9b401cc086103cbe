"""What has arrived, for a person to watch: a page that renews itself."""

import json
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse

from tests.fakes.far_ends import autotask, connectwise, halopsa, hudu, it_glue, mail

if TYPE_CHECKING:
    from tests.fakes.far_ends.serving import FarEnds

HOW_TO = """<p>Start FlowPilot with <code>FLOWPILOT_OUTGOING_ALLOWED=127.0.0.1 make run</code>, sign in as
admin@first.example, and give <code>saveIntegration</code> one of these as <code>baseUrl</code> and
<code>connection</code>. Then <code>linkTicket</code> and <code>pushHandoff</code>, or resolve a session,
approve a document and <code>pushResolutionOutput</code>.</p>"""
FRAME = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<title>Far ends</title><style>body {{ font: 15px/1.5 sans-serif; max-width: 60em; margin: 2em auto }}
pre {{ background: #f3f3f0; padding: .7em; white-space: pre-wrap }} code {{ font-size: 90% }}</style>
<h1>Far ends</h1>{how_to}{sections}"""

WEBHOOK_SECRET = "whsec_ZGVtb25zdHJhdGlvbnMtbmVlZC1ubyBzZWNyZWNpZXM="

VENDORS = {
    "connectwise": ("ConnectWise", connectwise.LOGIN),
    "halopsa": ("HaloPSA", halopsa.LOGIN),
    "autotask": ("Autotask", autotask.LOGIN),
    "hudu": ("Hudu", {"apiKey": hudu.KEY, "companyId": "1"}),
    "itGlue": ("IT Glue", {"apiKey": it_glue.KEY, "organizationId": "1"}),
    "webhook": ("Webhook", {"secret": WEBHOOK_SECRET}),
    "smtp": (
        "Mail",
        {"sender": "desk@first.example", "username": mail.USER, "password": mail.PASSWORD},
    ),
}
"""By the name that `connection` has for each."""


def page(far_ends: "FarEnds", _: Request) -> HTMLResponse:
    urls = {
        "itGlue": f"{far_ends.url}/it_glue",
        "webhook": f"{far_ends.url}/webhook/demo",
        "smtp": far_ends.mail.url,
    }
    arrived = dict(_arrived(far_ends))
    sections = "".join(
        f"<h2>{name}</h2><p>baseUrl: <code>{urls.get(kind, f'{far_ends.url}/{kind}')}</code><br>"
        f"connection: <code>{escape(json.dumps({kind: login}))}</code></p>{_shown(arrived[kind])}"
        for kind, (name, login) in VENDORS.items()
    )
    return HTMLResponse(FRAME.format(how_to=HOW_TO, sections=sections))


def _arrived(far_ends: "FarEnds") -> Iterator[tuple[str, Mapping[str, Iterable[str]]]]:
    """What each was told, in lines, by what it was told of."""
    for kind in ("connectwise", "halopsa", "autotask"):
        far_end = getattr(far_ends, kind)
        yield kind, {f"Ticket {id}": map(_lines, far_end.told(id)) for id in far_end.tickets}
    yield "hudu", {each["name"]: [_lines(each)] for each in far_ends.hudu.articles}
    yield "itGlue", {each["name"]: [_lines(each)] for each in far_ends.it_glue.documents.values()}
    yield (
        "webhook",
        {name: [each.body for each in heard] for name, heard in far_ends.webhook.heard.items()},
    )
    yield "smtp", {to: map(str, messages) for to, messages in far_ends.mail.kept.items()}


def _lines(entry: Mapping[str, object]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in entry.items())


def _shown(things: Mapping[str, Iterable[str]]) -> str:
    return "".join(
        f"<h3>{escape(title)}</h3>" + "".join(f"<pre>{escape(entry)}</pre>" for entry in entries)
        for title, entries in things.items()
    )
