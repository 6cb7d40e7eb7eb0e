"""A picture that says whose it is: participant and frame number as large black and white cells.

The top third holds two rows of fourteen cells. The outer cells are fixed (white, black, black, white), the
other 24 carry participant (5 bits), frame (13 bits) and a check sum (6 bits). At 320x180 a cell is 22x30
pixels, so it survives VP8 at a few hundred kbit/s and scaling down to thumbnails. Below is the participant's
own hue with something that moves.
"""

import colorsys
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

COLUMNS, ROWS = 14, 2
BAND = 1 / 3  # of the picture's height
PARTICIPANT_BITS, FRAME_BITS, CHECK_BITS = 5, 13, 6
FRAMES = 1 << FRAME_BITS
PARTICIPANTS = 1 << PARTICIPANT_BITS
DARK, BRIGHT = 96, 160  # means between these are no cell of ours

Picture = npt.NDArray[np.uint8]


class Code(NamedTuple):
    """What a picture says."""

    participant: int
    frame: int


def _check_sum(value: int) -> int:
    """CRC-6 (polynomial x^6 + x + 1) over the 18 bits; never fits an all-equal row."""
    register = 0x2A
    for position in reversed(range(PARTICIPANT_BITS + FRAME_BITS)):
        bit = (value >> position & 1) ^ (register >> 5 & 1)
        register = (register << 1 & 0x3F) ^ (0x03 if bit else 0)
    return register


def _cells(code: Code) -> list[list[int]]:
    value = code.participant << FRAME_BITS | code.frame
    word = value << CHECK_BITS | _check_sum(value)
    bits = [word >> position & 1 for position in reversed(range(24))]
    return [[1, *bits[:12], 0], [0, *bits[12:], 1]]


def hue(participant: int) -> float:
    """The participant's hue (0 to 1): neighbours are far apart."""
    return participant * 0.381966 % 1.0


def draw(participant: int, frame: int, width: int, height: int) -> Picture:
    """One frame as height x width x 3 RGB."""
    code = Code(participant % PARTICIPANTS, frame % FRAMES)
    band = round(height * BAND)
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue(participant), 0.65, 0.75))
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = (red, green, blue)
    ramp = (np.arange(width) * 48 // width).astype(np.uint8)
    picture[band:] -= np.minimum(picture[band:], ramp[None, :, None])
    for row, cells in enumerate(_cells(code)):
        top, bottom = band * row // ROWS, band * (row + 1) // ROWS
        for column, bit in enumerate(cells):
            left, right = width * column // COLUMNS, width * (column + 1) // COLUMNS
            picture[top:bottom, left:right] = 235 if bit else 16
    # A bar that walks keeps the encoder busy, so that a frozen picture is told from a quiet one by eye too.
    size = max(4, height // 8)
    left = (frame * max(2, width // 90)) % max(1, width - size)
    picture[height - size * 2 : height - size, left : left + size] = (250, 250, 250)
    image = Image.fromarray(picture)
    font = ImageFont.load_default(size=height * 0.3)
    ImageDraw.Draw(image).text(
        (width / 2, band + height * 0.22), str(participant), fill=(255, 255, 255), font=font, anchor="mm"
    )
    return np.asarray(image)


def read_code(rgb: npt.NDArray[np.generic]) -> Code | None:
    """Read what `draw` wrote from an RGB (h x w x 3) or grey (h x w) array of any size; None: not ours."""
    grey = rgb.astype(np.float32)
    if grey.ndim == 3:
        grey = grey[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32)
    height, width = grey.shape
    word = 0
    for row in range(ROWS):
        top, bottom = height * BAND * (row + 0.3) / ROWS, height * BAND * (row + 0.7) / ROWS
        for column in range(COLUMNS):
            left, right = width * (column + 0.3) / COLUMNS, width * (column + 0.7) / COLUMNS
            cell = grey[int(top) : max(int(bottom), int(top) + 1), int(left) : max(int(right), int(left) + 1)]
            mean = float(cell.mean())
            if DARK < mean < BRIGHT:
                return None
            bit = mean >= BRIGHT
            if column in (0, COLUMNS - 1):
                if bit != ((column == 0) == (row == 0)):
                    return None
            else:
                word = word << 1 | bit
    value = word >> CHECK_BITS
    if word & (1 << CHECK_BITS) - 1 != _check_sum(value):
        return None
    return Code(value >> FRAME_BITS, value & FRAMES - 1)


# The same reader for a page: readCode(<video>) → {participant, frame} or null.
READ_CODE_JS = """
(() => {
  const canvas = document.createElement("canvas");
  const W = 280, H = 156;
  canvas.width = W;
  canvas.height = H;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const checkSum = (value) => {
    let register = 0x2a;
    for (let position = 17; position >= 0; position--) {
      const bit = ((value >> position) & 1) ^ ((register >> 5) & 1);
      register = ((register << 1) & 0x3f) ^ (bit ? 0x03 : 0);
    }
    return register;
  };
  return (video) => {
    if (!video || !video.videoWidth || video.readyState < 2) return null;
    context.drawImage(video, 0, 0, W, H);
    const data = context.getImageData(0, 0, W, Math.ceil(H / 3)).data;
    let word = 0;
    for (let row = 0; row < 2; row++) {
      const top = Math.floor((H / 3) * ((row + 0.3) / 2)), bottom = Math.floor((H / 3) * ((row + 0.7) / 2));
      for (let column = 0; column < 14; column++) {
        const left = Math.floor((W * (column + 0.3)) / 14), right = Math.floor((W * (column + 0.7)) / 14);
        let sum = 0, count = 0;
        for (let y = top; y < bottom; y++)
          for (let x = left; x < right; x++) {
            const i = (y * W + x) * 4;
            sum += 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2];
            count++;
          }
        const mean = sum / count;
        if (mean > 96 && mean < 160) return null;
        const bit = mean >= 160 ? 1 : 0;
        if (column === 0 || column === 13) {
          if (bit !== ((column === 0) === (row === 0) ? 1 : 0)) return null;
        } else word = (word << 1) | bit;
      }
    }
    const value = word >> 6;
    if ((word & 63) !== checkSum(value)) return null;
    return { participant: value >> 13, frame: value & 8191 };
  };
})()
"""
