"""One microphone's sound as a line of program time: packets in, voice out, and up to where there was none.

Time only goes forward. Where a clock was set back, sound follows what was there before until a pause lets the line
catch up; a hole is heard as silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from transcription.gate import End, Voice, VoiceGate
from transcription.sound import FRAME_BYTES, FRAME_MS, Ear, SoundFrame

_HOLE_MS: Final = 30.0
_LONGEST_HOLE_MS: Final = 1_300  # after so much silence every gate is shut
_SILENCE: Final = bytes(FRAME_BYTES)


@dataclass(frozen=True, slots=True)
class Skip:
    """Sound of this stretch was there and is not here: somebody else must listen to it."""

    from_ms: float
    to_ms: float


Part = Voice | End | Skip


class Line:
    """Parts come in the order of their times."""

    def __init__(self) -> None:
        self._ear = Ear()
        self._gate = VoiceGate()
        self._lost = False
        self.began_ms: float | None = None
        self.end_ms = 0.0  # up to where the line goes

    def push(self, data: bytes, at_ms: float) -> list[Part]:
        """An Opus packet whose first sample was heard at `at_ms`."""
        parts: list[Part] = []
        for frame in self._ear.push(data, at_ms):
            parts += self._frame(frame)
        return parts

    def pause(self) -> list[Part]:
        """Nothing more comes for now."""
        return [*self._gate.shut(self.end_ms)]

    def lose(self) -> list[Part]:
        """Something is missing before the next packet which was not silence."""
        self._lost = self.began_ms is not None
        return self.pause()

    def wait_until(self, at_ms: float) -> None:
        """Up to here there is certainly nothing, though nothing came to say so."""
        if self.began_ms is not None and not self._gate.is_open and at_ms > self.end_ms and not self._lost:
            self._gate.shut(at_ms)
            self.end_ms = at_ms

    @property
    def is_voiced(self) -> bool:
        return self._gate.is_open

    @property
    def quiet_to_ms(self) -> float:
        """Up to here all voice was handed out. Means nothing while a voice is heard."""
        held = self._gate.held_since_ms
        return self.end_ms if held is None else min(held, self.end_ms)

    def _frame(self, frame: SoundFrame) -> list[Part]:
        at_ms = frame.at_ms
        parts: list[Part] = []
        if self.began_ms is None:
            self.began_ms = self.end_ms = at_ms
        if self._lost:
            self._lost = False
            if at_ms > self.end_ms:
                parts.append(Skip(self.end_ms, at_ms))
                self.end_ms = at_ms
        hole_ms = at_ms - self.end_ms
        if hole_ms > _HOLE_MS:
            parts += self._silence(min(hole_ms, _LONGEST_HOLE_MS))
        elif hole_ms < 0:
            at_ms = self.end_ms
        parts += self._gate.push(SoundFrame(at_ms, frame.pcm))
        if hole_ms >= -FRAME_MS or self._gate.is_open:
            self.end_ms = at_ms + FRAME_MS
        return parts

    def _silence(self, ms: float) -> list[Part]:
        parts: list[Part] = []
        for number in range(int(ms // FRAME_MS)):
            parts += self._gate.push(SoundFrame(self.end_ms + number * FRAME_MS, _SILENCE))
        return parts
