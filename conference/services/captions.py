"""Captions of a room: what was said last, for those who come in and for the picture of the program."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from conference.events import CaptionFinal
from conference.model.transcript import CaptionState

RECENT: Final = 3  # finals in a snapshot
_LINES: Final = 2  # utterances in the picture
_LONGEST: Final = 160  # characters of one: the picture shows its end
_FINAL_S: Final = 6.0  # how long it stays when nothing follows
_PARTIAL_S: Final = 10.0  # a partial that nothing follows is of somebody who is gone


@dataclass(frozen=True, slots=True)
class Line:
    """An utterance in the picture. `speaker_id`: whose name stands before it; `at_s` is monotonic."""

    microphone_id: str
    speaker_id: str
    text: str
    at_s: float
    segment_id: str | None = None  # None: it is still being said

    def is_shown(self, now_s: float) -> bool:
        return now_s - self.at_s < (_PARTIAL_S if self.segment_id is None else _FINAL_S)


class Captions:
    """Of one room, in memory alone: after a restart there are none until somebody speaks."""

    def __init__(self) -> None:
        self.state = CaptionState.OFF
        self.recent: tuple[CaptionFinal, ...] = ()
        self._lines: list[Line] = []

    def partial(self, microphone_id: str, speaker_id: str, text: str, now_s: float) -> None:
        """In the place of the one before; an empty text ends it."""
        at = next((i for i, each in enumerate(self._lines) if self._is_open(each, microphone_id)), None)
        if not text:
            if at is not None:
                del self._lines[at]
            return
        line = Line(microphone_id, speaker_id, text[-_LONGEST:], now_s)
        if at is None:
            self._lines.append(line)
        else:
            self._lines[at] = line
        self._trim()

    def final(self, final: CaptionFinal, speaker_id: str, now_s: float) -> None:
        """It is written down: in the place of what was being said."""
        self.recent = (*self.recent, final)[-RECENT:]
        at = next((i for i, e in enumerate(self._lines) if self._is_open(e, final.participant_id)), None)
        line = Line(final.participant_id, speaker_id, final.text[-_LONGEST:], now_s, final.segment_id)
        if at is None:
            self._lines.append(line)
        else:
            self._lines[at] = line
        self._trim()

    def correct(self, segment_id: str, text: str) -> None:
        """Somebody changed it; an empty text takes it away."""
        kept = (replace(e, text=text) if e.segment_id == segment_id else e for e in self.recent)
        self.recent = tuple(each for each in kept if each.text)
        lines = (replace(e, text=text[-_LONGEST:]) if e.segment_id == segment_id else e for e in self._lines)
        self._lines = [each for each in lines if each.text]

    def shows(self, segment_id: str, now_s: float) -> bool:
        """Whether it is read now, or by who comes in."""
        lines = (each.segment_id for each in self.lines(now_s))
        return segment_id in (*(each.segment_id for each in self.recent), *lines)

    def lines(self, now_s: float) -> tuple[Line, ...]:
        """What stands in the picture now, the newest last."""
        return tuple(each for each in self._lines if each.is_shown(now_s))[-_LINES:]

    @staticmethod
    def _is_open(line: Line, microphone_id: str) -> bool:
        return line.segment_id is None and line.microphone_id == microphone_id

    def _trim(self) -> None:
        del self._lines[: -2 * _LINES]
