"""Prints a line of JSON about a picture, then its preview as PNG or JPEG.

Every pixel is decoded, so that what is cut off or damaged shows here and not at the model. The preview
has no metadata: where a photo was taken is nobody's business.
"""

import json
import sys
import warnings
from io import BytesIO

from PIL import Image, ImageOps

LONGEST_SIDE = 1_568
"""Pixels; models scale down what is larger."""
MOST_PIXELS = 50_000_000
MOST_BYTES = 750_000
"""Twenty of them fit into one request."""
QUALITIES = (85, 70, 50, 30)


def encoded(picture: Image.Image) -> tuple[str, bytes]:
    """Screenshots stay sharp where they fit."""
    out = BytesIO()
    picture.save(out, "PNG")
    if out.tell() <= MOST_BYTES:
        return "image/png", out.getvalue()
    for quality in QUALITIES:
        out = BytesIO()
        picture.save(out, "JPEG", quality=quality)
        if out.tell() <= MOST_BYTES:
            break
    return "image/jpeg", out.getvalue()


Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)
with Image.open(BytesIO(sys.stdin.buffer.read())) as opened:
    upright = ImageOps.exif_transpose(opened)
    size = upright.size
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    flat = Image.new("RGB", upright.size, "white")
    shown = upright.convert("RGBA")
    flat.paste(shown, mask=shown)
media_type, preview = encoded(flat)
found = {"width": size[0], "height": size[1], "media_type": media_type}
sys.stdout.buffer.write(json.dumps(found).encode() + b"\n" + preview)
