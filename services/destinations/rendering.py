"""Documents in the forms that far ends take. HTML in somebody's text is shown there, not obeyed."""

from markdown_it import MarkdownIt

from models.delivery import DeliveryFailure
from services.destinations.port import DeliveryFailed, Dispatch
from services.outputs.text import as_plain_text

_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable("image")
)


def as_text(dispatch: Dispatch, most: int) -> str:
    """The Markdown, which reads as text, with the marker at its end; at most so many characters."""
    text = _cut(as_plain_text(dispatch.document.markdown), most - len(dispatch.marker) - 2)
    return f"{text}\n\n{dispatch.marker}"


def as_html(dispatch: Dispatch, most: int) -> str:
    """A fragment with the marker at its end; of Markdown that has at most so many characters."""
    markdown = _cut(dispatch.document.markdown, most)
    return f"{html(markdown).strip()}\n<p>{dispatch.marker}</p>"


def html(markdown: str) -> str:
    """A fragment."""
    return str(_MARKDOWN.render(markdown))


def as_title(dispatch: Dispatch, most: int) -> str:
    title = " ".join(dispatch.document.title.split())
    return title if len(title) <= most else f"{title[: most - 1]}…"


def ticket_number(ticket_id: str | None) -> int:
    """Raises DeliveryFailed for what is no number: no ticket system here has other ids."""
    if ticket_id is None or not (ticket_id.isascii() and ticket_id.isdigit()):
        raise DeliveryFailed(DeliveryFailure.NOT_FOUND, "Its tickets have numbers.")
    return int(ticket_id)


SHORTENED = "\n\n(shortened)"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - len(SHORTENED)] + SHORTENED
