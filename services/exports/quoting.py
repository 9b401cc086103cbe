"""Foreign text inside a Markdown document of ours: it stays what it says, and nothing else.

What would begin HTML, a picture, or a link elsewhere than to the web or mail is written as an entity, which
Markdown shows but never reads as structure. Within a fenced block everything stays as it was written; in
code within a line an entity shows as itself.
"""

import re

from markdown_it import MarkdownIt

_PARSER = MarkdownIt("commonmark", {"html": False})

_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_PICTURE = re.compile(r"!(?=\[)")
_LINK_END = re.compile(r"\](?=\(\s*(?!\s|https?://|mailto:)|\[|:)", re.IGNORECASE)
"""Of a link that names no address of the web, or names its address elsewhere."""

_SPECIAL = re.compile(r"([\\`*_\[\]<>&|~!$])|^([#+=\-])|^(\d+)([.)])")
_BLANKS = re.compile(r"[\s\0]+")


def plain(text: str) -> str:
    """On one line, with nothing in it that Markdown would read."""
    return _SPECIAL.sub(_escaped, _BLANKS.sub(" ", text).strip())


def _escaped(match: re.Match[str]) -> str:
    return f"{match[3]}\\{match[4]}" if match[3] else f"\\{match[0]}"


def quoted(text: str) -> str:
    """As a block of quotation, so that no heading, list or fence of it reaches what is around."""
    text = _lines_of(text).expandtabs(4)
    verbatim = _fenced_lines(text)
    return as_quotation(
        "\n".join(
            line if number in verbatim else _harmless(line)
            for number, line in enumerate(text.split("\n"))
        )
    )


def as_quotation(text: str) -> str:
    """As it is: for a reader that renders no HTML."""
    return "\n".join(f"> {line}".rstrip() for line in _lines_of(text).split("\n"))


def _lines_of(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


def _fenced_lines(text: str) -> set[int]:
    """Of fenced blocks that stand by themselves, their fences included."""
    found: set[int] = set()
    for token in _PARSER.parse(text):
        if token.type == "fence" and token.level == 0 and token.map is not None:
            found.update(range(*token.map))
    return found


def _harmless(line: str) -> str:
    return _LINK_END.sub("&#93;", _PICTURE.sub("&#33;", _TAG.sub("&lt;", line)))
