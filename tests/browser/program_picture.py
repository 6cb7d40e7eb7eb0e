"""What the player of the public page shows, read from its pixels."""

from __future__ import annotations

import base64

import numpy as np
import numpy.typing as npt

from tests.support.browser import BrowserClient
from tests.support.inset import read_inset

SPEAKER_BESIDE_CARD = (20, 79, 408, 230)  # where no captions are, in a picture of half the size

# The picture of the player, small and grey.
GREY_JS = """() => {
  const video = document.querySelector("video")
  const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 })
  const pen = canvas.getContext("2d", { willReadFrequently: true })
  pen.drawImage(video, 0, 0, 640, 360)
  const all = pen.getImageData(0, 0, 640, 360).data
  let grey = ""
  for (let at = 0; at < all.length; at += 4) grey += String.fromCharCode((all[at] + 2 * all[at + 1] + all[at + 2]) >> 2)
  return btoa(grey)
}"""


async def picture(viewer: BrowserClient) -> npt.NDArray[np.uint8]:
    """What the player shows, grey, 360 rows of 640."""
    raw = base64.b64decode(await viewer.evaluate(GREY_JS))
    return np.frombuffer(raw, np.uint8).reshape(360, 640)


async def seen(viewer: BrowserClient) -> tuple[int, int] | None:
    """Hall and number of the frame that the player shows, when it shows one hall alone."""
    code = read_inset(await picture(viewer))
    return None if code is None else (code.participant - 1, code.frame)


async def has_card(viewer: BrowserClient, hall: int) -> bool:
    """The speaker is smaller, beside a card of light paper with dark words."""
    grey = await picture(viewer)
    code = read_inset(grey, SPEAKER_BESIDE_CARD)
    paper = grey[120:280, 450:610]
    return code is not None and code.participant - 1 == hall and paper.mean() > 180 and paper.min() < 100
