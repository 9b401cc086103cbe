"""Pictures to be brought in."""

import random
from io import BytesIO

from PIL import Image


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 48), color: str = "navy") -> bytes:
    return _written(Image.new("RGB", size, color), kind)


def photo(size: tuple[int, int]) -> bytes:
    """Every pixel another one, so that nothing makes it small."""
    noise = random.Random(1).randbytes(3 * size[0] * size[1])
    return _written(Image.frombytes("RGB", size, noise), "BMP")


def _written(image: Image.Image, kind: str) -> bytes:
    out = BytesIO()
    image.save(out, kind)
    return out.getvalue()
