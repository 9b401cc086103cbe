"""Prints the pages and the text of a PDF, as JSON."""

import json
import logging
import sys
from io import BytesIO

from pypdf import PdfReader

MOST_PAGES = 50
MOST_CHARACTERS = 200_000

logging.disable()
reader = PdfReader(BytesIO(sys.stdin.buffer.read()))
text = ""
for page in reader.pages[:MOST_PAGES]:
    text += page.extract_text() + "\n"
    if len(text) > MOST_CHARACTERS:
        break
found = {"page_count": len(reader.pages), "text": text[:MOST_CHARACTERS]}
sys.stdout.write(json.dumps(found))
