"""Pictures as they are shown to models."""

import json
from dataclasses import dataclass

from services.files.evidence.apart import read_apart

PICTURES = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff"}
)


@dataclass(frozen=True, slots=True)
class Preview:
    """The first frame, upright, on white: at most 1,568 pixels long and 750,000 bytes."""

    media_type: str
    """image/png or image/jpeg."""
    content: bytes


@dataclass(frozen=True, slots=True)
class Picture:
    width: int
    """Pixels, upright, as `height`."""
    height: int
    preview: Preview


async def read_picture(content: bytes) -> Picture:
    """Raises Unreadable."""
    printed = await read_apart("picture", content, "The picture")
    head, _, preview = printed.partition(b"\n")
    found = json.loads(head)
    return Picture(found["width"], found["height"], Preview(found["media_type"], preview))
