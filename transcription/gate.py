"""The voice gate: from frames of sound it lets through what may be speech, with what stands before and after it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import webrtcvad

from transcription.recognizer import SAMPLE_RATE, SAMPLES_PER_MS
from transcription.sound import FRAME_MS, SoundFrame

_STRICTEST: Final = 3
_WINDOW: Final = 10  # frames that vote
_OPENING: Final = 6  # of them with a voice open the gate
_STAYING: Final = 3  # and so many keep it open
_PREROLL: Final = 300 // FRAME_MS
_TRAILING: Final = 1000 // FRAME_MS


@dataclass(slots=True)
class Voice:
    """Sound that may be speech: 16 bits mono at 16 kHz, without a hole in it."""

    at_ms: float
    pcm: bytearray

    @property
    def ms(self) -> float:
        return len(self.pcm) / 2 / SAMPLES_PER_MS

    @property
    def end_ms(self) -> float:
        return self.at_ms + self.ms


@dataclass(frozen=True, slots=True)
class End:
    """The voice has paused, or its sound has ended."""

    at_ms: float


class VoiceGate:
    """One microphone."""

    def __init__(self) -> None:
        self._vad = webrtcvad.Vad(_STRICTEST)
        self._votes: deque[bool] = deque(maxlen=_WINDOW)
        self._held: deque[SoundFrame] = deque(maxlen=_PREROLL + _WINDOW)  # while shut
        self._quiet = 0  # frames since a voice was heard, while open
        self.is_open = False

    def push(self, frame: SoundFrame) -> list[Voice | End]:
        """The next frame."""
        self._votes.append(self._vad.is_speech(frame.pcm, SAMPLE_RATE))
        voiced = sum(self._votes)
        if not self.is_open:
            self._held.append(frame)
            if voiced < _OPENING:
                return []
            self.is_open, self._quiet = True, 0
            found: list[Voice | End] = [Voice(each.at_ms, bytearray(each.pcm)) for each in self._held]
            self._held.clear()
            return found
        self._quiet = 0 if voiced >= _STAYING else self._quiet + 1
        parts: list[Voice | End] = [Voice(frame.at_ms, bytearray(frame.pcm))]
        if self._quiet >= _TRAILING:
            parts += self.shut(frame.at_ms + FRAME_MS)
        return parts

    def shut(self, at_ms: float) -> list[Voice | End]:
        """No more sound follows. What was held is forgotten, because it was no voice."""
        was_open, self.is_open = self.is_open, False
        self._votes.clear()
        self._held.clear()
        return [End(at_ms)] if was_open else []

    @property
    def held_since_ms(self) -> float | None:
        """The beginning of what may yet turn out to be speech; None when there is nothing."""
        return self._held[0].at_ms if self._held else None
