"""The text of a PDF, read by a process of its own that can be ended: reading a hostile one may not end.

Run as a program it reads the PDF from standard input and prints JSON.
"""

import asyncio
import json
import logging
import sys
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO

MOST_PAGES = 50
MOST_CHARACTERS = 200_000
SECONDS = 20
MEMORY = 1_000_000_000
"""Bytes, where the system can limit them."""


class Unreadable(Exception):
    """A sentence: why it has no text for us."""


@dataclass(frozen=True, slots=True)
class PdfText:
    page_count: int
    text: str


async def pdf_text(content: bytes) -> PdfText:
    """Of the first 50 pages. Raises Unreadable."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        __file__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(SECONDS):
            printed, _ = await process.communicate(content)
    except TimeoutError:
        raise Unreadable(f"The PDF could not be read within {SECONDS} seconds.") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise Unreadable("The PDF could not be read: it is damaged, too large or encrypted.")
    found = json.loads(printed)
    return PdfText(found["page_count"], found["text"])


def _confine() -> None:
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def main() -> None:
    _confine()
    from pypdf import PdfReader  # noqa: PLC0415 - only this process needs it

    logging.disable()
    reader = PdfReader(BytesIO(sys.stdin.buffer.read()))
    text = ""
    for page in reader.pages[:MOST_PAGES]:
        text += page.extract_text() + "\n"
        if len(text) > MOST_CHARACTERS:
            break
    found = {"page_count": len(reader.pages), "text": text[:MOST_CHARACTERS]}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
