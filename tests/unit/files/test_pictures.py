"""Pictures become small, plain ones that models take, or are refused with a sentence."""

import zlib
from io import BytesIO

import pytest
from PIL import Image

from services.files.evidence.apart import Unreadable
from services.files.evidence.kinds import kind_of
from services.files.evidence.pictures import PICTURES, Preview, read_picture
from tests.pictures import photo, picture

ROTATED = 6  # as cameras write it: what was shot stands on its side
ORIENTATION = 0x0112
MAKER = 0x010F
DAMAGED = "The picture could not be read: it is damaged, too large or encrypted."


def opened(preview: Preview) -> Image.Image:
    image = Image.open(BytesIO(preview.content))
    image.load()
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
async def test_every_kind_has_a_preview_that_models_take(kind: str) -> None:
    content = picture(kind)
    assert kind_of(content, "screen") in PICTURES
    found = await read_picture(content)
    assert (found.width, found.height) == (64, 48)
    assert found.preview.media_type == kind_of(found.preview.content, "")
    image = opened(found.preview)
    assert image.size == (64, 48)
    red, green, blue = image.convert("RGB").getpixel((32, 24))
    assert (red < 8, green < 8, 120 < blue < 136) == (True, True, True)


async def test_a_screenshot_stays_sharp_and_is_made_to_fit() -> None:
    found = await read_picture(picture(size=(3_136, 1_000)))
    assert (found.width, found.height) == (3_136, 1_000)
    assert found.preview.media_type == "image/png"
    assert opened(found.preview).size == (1_568, 500)


async def test_a_photo_is_made_small() -> None:
    found = await read_picture(photo((1_600, 1_600)))
    assert found.preview.media_type == "image/jpeg"
    assert opened(found.preview).size == (1_568, 1_568)
    assert len(found.preview.content) <= 750_000


async def test_a_photo_stands_upright_and_tells_nothing_of_its_camera() -> None:
    out, facts = BytesIO(), Image.Exif()
    facts[ORIENTATION], facts[MAKER] = ROTATED, "Secret camera"
    Image.new("RGB", (40, 20)).save(out, "JPEG", exif=facts)
    found = await read_picture(out.getvalue())
    assert (found.width, found.height) == (20, 40)
    assert b"Secret camera" not in found.preview.content
    assert dict(opened(found.preview).getexif()) == {}


async def test_what_is_transparent_is_white() -> None:
    out = BytesIO()
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(out, "PNG")
    found = await read_picture(out.getvalue())
    assert opened(found.preview).getpixel((1, 1)) == (255, 255, 255)


def bomb() -> bytes:
    """A few bytes that say they are 3.6 gigapixels."""
    header = b"IHDR" + (60_000).to_bytes(4) * 2 + b"\x08\x00\x00\x00\x00"
    return (
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0d" + header + zlib.crc32(header).to_bytes(4) + bytes(40)
    )


@pytest.mark.parametrize(
    "content",
    [bomb(), picture()[:-30], picture("JPEG")[:200], b"\x89PNG\r\n\x1a\n" + bytes(30), b"GIF89a"],
    ids=["bomb", "cut off", "cut off JPEG", "no header", "nothing"],
)
async def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable, match=DAMAGED):
        await read_picture(content)
