"""What is sent in the place of withdrawn segments: a still picture and silence, for any stretch of a life's time line.

The frames are encoded once, in a process of their own (recording.hls.card_maker), and kept in a file; a segment or
part is put together from them when somebody asks. Each begins with a keyframe, so that a player may come to a card
in the middle of a segment.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Final

import msgspec

from recording.hls.formats import AUDIO_TIMESCALE, VIDEO_TIMESCALE
from recording.hls.fragments import Sample, fragment

VERSION: Final = 2  # of the pictures and of the file
FRAME_MS: Final = 40
_AUDIO_SAMPLES: Final = 1024
_MAKE_S: Final = 120.0

log = logging.getLogger("recording.hls.card_segments")


class Card(msgspec.Struct, frozen=True):
    """One rendition. `pictures`: a keyframe and what repeats it, as samples of a file; none for sound alone."""

    init: bytes
    pictures: tuple[bytes, ...]
    silence: bytes  # one AAC frame

    def segment(self, number: int, life_ms: int, start_ms: int, duration_ms: int) -> bytes:
        """moof+mdat from `start_ms` on, in a life that began at `life_ms`: all program time, as is media time.

        A frame belongs where it begins.
        """
        video = self._video(start_ms, duration_ms)
        return fragment(number, video, self._audio(life_ms, start_ms - life_ms, duration_ms))

    def _video(self, start_ms: int, duration_ms: int) -> list[Sample]:
        if not self.pictures:
            return []
        samples = []
        end_ms = start_ms + duration_ms
        for index, at_ms in enumerate(range(start_ms, end_ms, FRAME_MS)):
            place = index % len(self.pictures)
            lasts_ms = min(FRAME_MS, end_ms - at_ms)
            ticks = VIDEO_TIMESCALE // 1000
            samples.append(Sample(self.pictures[place], at_ms * ticks, lasts_ms * ticks, is_key=place == 0))
        return samples

    def _audio(self, life_ms: int, within_ms: int, duration_ms: int) -> list[Sample]:
        first = _frames_before(within_ms)
        last = max(_frames_before(within_ms + duration_ms), first + 1 if not self.pictures else first)
        origin = life_ms * AUDIO_TIMESCALE // 1000
        return [
            Sample(self.silence, origin + frame * _AUDIO_SAMPLES, _AUDIO_SAMPLES)
            for frame in range(first, last)
        ]


def _frames_before(at_ms: int) -> int:
    """How many AAC frames of a life begin before this time."""
    return -(-at_ms * AUDIO_TIMESCALE // (1000 * _AUDIO_SAMPLES))


class CardFile(msgspec.Struct, frozen=True):
    """What the maker leaves."""

    version: int
    cards: dict[str, Card]


class Cards:
    """The cards of a node by rendition, made at its first start. `path`: where they are kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cards: dict[str, Card] = {}
        self._preparing: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Prepare them, once: somebody looks, who may have to be shown one any moment."""
        if self._preparing is None:
            self._preparing = asyncio.create_task(self.prepare(), name="cards")

    async def close(self) -> None:
        """Idempotent."""
        if self._preparing is not None:
            self._preparing.cancel()
            await asyncio.wait({self._preparing})

    @property
    def renditions(self) -> frozenset[str]:
        """Of which there are cards; none until `prepare` is done."""
        return frozenset(self._cards)

    def get(self, rendition: str) -> Card | None:
        """None: it has none."""
        return self._cards.get(rendition)

    async def prepare(self) -> None:
        """Read them, or have them made. Never raises: without cards withdrawn segments are gaps."""
        try:
            if not await asyncio.to_thread(self._read):
                await self._make()
                await asyncio.to_thread(self._read)
        except OSError as error:
            log.error("no cards for the livestream: %s", error)
        if not self._cards:
            log.error("no cards for the livestream: what is withdrawn will be missing instead")

    def _read(self) -> bool:
        try:
            file = msgspec.msgpack.decode(self._path.read_bytes(), type=CardFile)
        except (FileNotFoundError, msgspec.MsgspecError):
            return False
        if file.version != VERSION:
            return False
        self._cards = file.cards
        return True

    async def _make(self) -> None:
        await asyncio.to_thread(self._path.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "recording.hls.card_maker", str(self._path),
            stdin=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(_MAKE_S):
                await process.wait()
        except TimeoutError:
            log.error("the cards took too long")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
