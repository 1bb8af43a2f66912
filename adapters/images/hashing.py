"""Compares pictures by a perceptual hash (extra `images`): 64 bits of the lowest frequencies of a small grey version.

It finds the same picture again after resizing, brightening, slight cropping and compressing; it does not see what is
in it.
"""

from __future__ import annotations

import asyncio
import io
import math
from typing import TYPE_CHECKING

from bot import BadArguments, from_extra
from bot.ports import Finding, ImageMatcher, Likeness, TwoPictures

if TYPE_CHECKING:
    from PIL import Image

EXTRA = "images"
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
MOST_PIXELS = 25_000_000
"""Pixels of one picture: unpacked they take 100 MB, and a file of a few kB can claim billions."""

SMALL, BITS = 32, 8
SAME = 12
"""Differing bits of 64 up to which it is the same picture (docs/figures.md)."""

STEEP = 0.5


class PerceptualHash(ImageMatcher):
    """Needs Pillow, and no weights."""

    async def find(self, asked: TwoPictures) -> Finding[Likeness]:
        """How alike they are."""
        if asked.image is None or asked.other is None:
            raise BadArguments(["This engine compares files; addresses are fetched before it is asked."])
        one, other = asked.image, asked.other
        return await asyncio.to_thread(self._find, one, other)

    def _find(self, one: bytes, other: bytes) -> Finding[Likeness]:
        different = (_hash(one, "image") ^ _hash(other, "other")).bit_count()
        same = different <= SAME
        sure = 1 / (1 + math.exp(-STEEP * (SAME + 0.5 - different)))
        return Finding(
            result=Likeness(same=same, similarity=1 - different / 64, different_bits=different),
            confidence=round(sure if same else 1 - sure, 3),
            by="phash",
            reasoning=(f"{different} of 64 bits differ; up to {SAME} it is the same picture",),
        )


def _hash(picture: bytes, which: str) -> int:
    """The perceptual hash of a picture."""
    grey = _grey(picture, which)
    cosines = [
        [math.cos(math.pi * frequency * (2 * place + 1) / (2 * SMALL)) for place in range(SMALL)]
        for frequency in range(BITS)
    ]
    rows = [grey[line * SMALL : (line + 1) * SMALL] for line in range(SMALL)]
    partly = [[sum(c * v for c, v in zip(cosine, row, strict=True)) for cosine in cosines] for row in rows]
    values = [
        sum(cosine[line] * partly[line][across] for line in range(SMALL))
        for cosine in cosines
        for across in range(BITS)
    ]
    median = sorted(values)[len(values) // 2]
    return sum(1 << place for place, value in enumerate(values) if value > median)


def _grey(picture: bytes, which: str) -> list[float]:
    with from_extra(EXTRA):
        from PIL import Image  # noqa: PLC0415 - an extra
    try:
        with Image.open(io.BytesIO(picture), formats=FORMATS) as opened:
            width, height = opened.size
            if width * height > MOST_PIXELS:
                raise BadArguments(
                    [f"`{which}` has more than {MOST_PIXELS // 1_000_000} million pixels."], unreadable=True
                )
            opened.draft("L", (SMALL * 4, SMALL * 4))
            return _pixels(opened)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadArguments([f"`{which}` has too many pixels."], unreadable=True) from None
    except BadArguments:
        raise
    except Exception as error:  # whatever a broken file makes the decoder raise
        raise BadArguments(
            [f"`{which}` can't be read as a picture; PNG, JPEG, GIF and WebP can."], unreadable=True
        ) from error


def _pixels(opened: Image.Image) -> list[float]:
    from PIL import Image  # noqa: PLC0415 - an extra, and there by now

    size = (SMALL, SMALL)
    if opened.mode in ("RGBA", "LA", "P", "PA"):
        # See-through parts are what they would look like on a white page.
        shown = opened.convert("RGBA").resize(size, Image.Resampling.LANCZOS)
        page = Image.new("RGB", size, "white")
        page.paste(shown, mask=shown.getchannel("A"))
        small = page.convert("L")
    else:
        small = opened.convert("L").resize(size, Image.Resampling.LANCZOS)
    return [float(value) for value in small.tobytes()]
