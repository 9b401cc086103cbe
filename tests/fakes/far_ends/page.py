"""What has arrived, for a person to watch: a page that renews itself."""

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse

from tests.fakes.far_ends import autotask, connectwise, halopsa, hudu, it_glue

if TYPE_CHECKING:
    from tests.fakes.far_ends.serving import FarEnds

HOW_TO = """<p>Start FlowPilot with <code>FLOWPILOT_OUTGOING_ALLOWED=127.0.0.1 make run</code>, sign in as
admin@first.example, and give <code>saveIntegration</code> one of these as <code>baseUrl</code> and
<code>connection</code>; then <code>linkTicket</code> and <code>pushHandoff</code>.</p>"""
FRAME = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<title>Far ends</title><style>body {{ font: 15px/1.5 sans-serif; max-width: 60em; margin: 2em auto }}
pre {{ background: #f3f3f0; padding: .7em; white-space: pre-wrap }} code {{ font-size: 90% }}</style>
<h1>Far ends</h1>{how_to}{sections}"""

VENDORS = {
    "connectwise": ("ConnectWise", connectwise.LOGIN),
    "halopsa": ("HaloPSA", halopsa.LOGIN),
    "autotask": ("Autotask", autotask.LOGIN),
    "hudu": ("Hudu", {"apiKey": hudu.KEY, "companyId": "1"}),
    "it_glue": ("IT Glue", {"apiKey": it_glue.KEY, "organizationId": "1"}),
}
FIELDS = {"it_glue": "itGlue"}


def page(far_ends: "FarEnds", _: Request) -> HTMLResponse:
    sections = "".join(
        f"<h2>{name}</h2><p>baseUrl: <code>{far_ends.url}/{path}</code><br>connection: <code>"
        f"{escape(str({FIELDS.get(path, path): login}))}</code></p>{''.join(_arrived(far_ends, path))}"
        for path, (name, login) in VENDORS.items()
    )
    return HTMLResponse(FRAME.format(how_to=HOW_TO, sections=sections))


def _arrived(far_ends: "FarEnds", path: str) -> Iterator[str]:
    far_end = getattr(far_ends, path)
    if path == "hudu":
        things = {each["name"]: [each] for each in far_end.articles}
    elif path == "it_glue":
        things = {each["name"]: [each] for each in far_end.documents.values()}
    else:
        things = {f"Ticket {id}": far_end.told(id) for id in far_end.tickets}
    for title, entries in things.items():
        yield f"<h3>{escape(title)}</h3>"
        for entry in entries:
            lines = "\n".join(f"{name}: {value}" for name, value in entry.items())
            yield f"<pre>{escape(lines)}</pre>"
