"""The text of PDFs."""

import json
from dataclasses import dataclass

from services.files.evidence.apart import read_apart


@dataclass(frozen=True, slots=True)
class PdfText:
    page_count: int
    text: str


async def pdf_text(content: bytes) -> PdfText:
    """Of the first 50 pages. Raises Unreadable."""
    found = json.loads(await read_apart("pdf", content, "The PDF"))
    return PdfText(found["page_count"], found["text"])
