"""What a source has to tell of itself: facts, once where they say nothing new, and its share of a core."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Final

from conference.ingest import messages
from conference.ingest.picture import PicturePath
from conference.ingest.sound import SoundPath
from conference.ingest_events import IngestReason

_RUNNING_S: Final = 5.0
_REPORT_S: Final = 1.0

Say = Callable[[messages.Fact], None]


class Telling:
    """Used in the source's thread."""

    def __init__(
        self, say: Say, picture: PicturePath, sound: SoundPath, sound_codec: Callable[[], str]
    ) -> None:
        self._say = say
        self._picture = picture
        self._sound = sound
        self._sound_codec = sound_codec
        self._last: messages.Fact | None = None
        self._running: messages.Running | None = None
        self._running_s = -1e9
        self._report_s = -1e9
        self._cpu = (time.monotonic(), _cpu_s())

    def connecting(self) -> None:
        """It is being opened; trouble that lasts is not talked over by that."""
        if not isinstance(self._last, messages.Failed):
            self._tell(messages.Connecting())

    def failed(self, reason: IngestReason, retry_in_s: float | None) -> None:
        """Nothing comes, or too little."""
        self._running = None
        self._tell(messages.Failed(reason.value, retry_in_s))

    def on_packet(self, now_s: float) -> None:
        """Something came: tell how it is from time to time, and tie the tracks together once a second."""
        if now_s - self._report_s >= _REPORT_S:
            self._report_s = now_s
            self._picture.report()
            self._sound.report()
        if not self._picture.is_shown and not self._sound.is_heard:
            return
        before = self._running
        is_due = now_s - self._running_s >= _RUNNING_S
        shape = (self._picture.size, self._sound.is_heard, self._picture.is_transcoding)
        known = (
            None if before is None else ((before.width, before.height), before.has_sound, before.transcoding)
        )
        if is_due or shape != known:
            self._run(now_s, is_due=is_due)

    def _run(self, now_s: float, *, is_due: bool) -> None:
        self._running_s = now_s
        width, height = self._picture.size
        self._running = messages.Running(
            width=width,
            height=height,
            frames_per_second=round(self._picture.fps(now_s), 1),
            codec=self._picture.codec or self._sound_codec(),
            has_sound=self._sound.is_heard,
            transcoding=self._picture.is_transcoding,
            cpu_share=self._cpu_share(now_s),
        )
        self._tell(self._running)
        if self._picture.is_overloaded and is_due:
            self._tell(messages.Failed(IngestReason.OVERLOAD.value, None))

    def _cpu_share(self, now_s: float) -> float:
        """Of the time since it was asked last, or for less than a second the one before."""
        since_s, used_s = self._cpu
        took_s = _cpu_s() - used_s
        share = round(took_s / max(now_s - since_s, 0.5), 3)
        if now_s - since_s >= 1.0:
            self._cpu = (now_s, used_s + took_s)
        return share

    def _tell(self, fact: messages.Fact) -> None:
        if fact != self._last:
            self._last = fact
            self._say(fact)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
