"""An export as one page of HTML: printable, complete in itself, and without anything that runs or loads."""

from html import escape

from markdown_it import MarkdownIt

from services.exports.document import Document
from services.exports.markdown import title, write_markdown
from services.exports.quoting import as_quotation

DEEPEST = 200
"""Nested blocks: lists of a tree 32 levels deep, and what a message may quote."""

STYLE = """
  body { font: 11pt/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 50rem; padding: 0 1rem }
  h1, h2, h3 { line-height: 1.2; break-after: avoid }
  h2 { border-top: 1px solid #bbb; margin-top: 2rem; padding-top: 1rem }
  blockquote { border-left: 3px solid #999; margin: .3rem 0 1rem; padding: .1rem 0 .1rem 1rem }
  pre { background: #f3f3f3; padding: .5rem; white-space: pre-wrap }
  pre, code, blockquote, li { overflow-wrap: anywhere }
  table { border-collapse: collapse }
  th, td { border: 1px solid #bbb; padding: .2rem .5rem; text-align: right }
  th:first-child, td:first-child { text-align: left }
  @media print { body { margin: 0; max-width: none } }
"""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""

ADDRESSES = ("http://", "https://", "mailto:")


def write_page(document: Document) -> str:
    """The same words as the Markdown, rendered; tags in them are shown and not read."""
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST})
    parser.enable("table").disable("image")
    parser.validateLink = _leads_to_the_web  # type: ignore[method-assign]
    body = parser.render(write_markdown(document, as_quotation))
    return PAGE.format(title=escape(title(document)), style=STYLE, body=body)


def _leads_to_the_web(url: str) -> bool:
    return url.lower().startswith(ADDRESSES)
