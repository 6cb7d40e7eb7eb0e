"""The body's emblem: a picture file that stands in place of the product's mark."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PIL import Image

_MOST_BYTES: Final = 8 * 1024 * 1024
_MOST_PIXELS: Final = 40_000_000  # 160 MB while it is made smaller
_KEPT_SIZE: Final = (512, 512)


class EmblemError(ValueError):
    """The file is no picture that can be read; the message says why."""


def read_emblem(path: Path) -> Image.Image:
    """The picture with its transparency, at most 512 pixels wide and high. Raises EmblemError."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise EmblemError("it is larger than 8 MB")
        with Image.open(path) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise EmblemError("it has more than 40 million pixels")
            picture.thumbnail(_KEPT_SIZE)
            return picture.convert("RGBA")
    except OSError as error:
        raise EmblemError(error.strerror or "it is no picture (PNG, JPEG, WebP, GIF)") from error
    except (SyntaxError, Image.DecompressionBombError) as error:  # broken PNGs are the former
        raise EmblemError(str(error)) from error
