"""What the public may see of a program: stretches that were cut off, withdrawn or not recorded, and the delay.

Times without another word are program time; an end of None is one that has not come yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError
from conference.model.ids import new_id

MAX_DELAY_S: Final = 60
DEFAULT_BACK_S: Final = 10
MAX_BACK_S: Final = 300
_EVER_MS: Final = 1 << 53

Span = tuple[int, int | None]


class CutKind(StrEnum):
    """Why a stretch is not for the public."""

    CUT = "cut"  # 应急切断: by the button, at once
    WITHDRAWN = "withdrawn"  # 撤回: named afterwards
    PAUSE = "pause"  # nothing was recorded: it was sent, and is not kept


@dataclass(frozen=True, slots=True)
class Cut:
    """A stretch of program time that the public does not see. `at_wall_ms` is UTC: when somebody said so.

    `erased_wall_ms`: since then the files of a pause are gone, too.
    """

    id: str
    consultation_id: str
    kind: CutKind
    from_ms: int
    to_ms: int | None
    at_wall_ms: int
    by_name: str
    reason: str = ""
    reinstated_wall_ms: int | None = None
    erased_wall_ms: int | None = None

    @classmethod
    def made(
        cls,
        consultation_id: str,
        kind: CutKind,
        from_ms: int,
        to_ms: int | None,
        *,
        at_wall_ms: int,
        by_name: str,
        reason: str = "",
    ) -> Cut:
        """A new one."""
        return cls(new_id("b"), consultation_id, kind, from_ms, to_ms, at_wall_ms, by_name, reason)

    @property
    def is_running(self) -> bool:
        return self.to_ms is None and self.reinstated_wall_ms is None

    def ended(self, now_ms: int) -> Cut:
        """Over at this program time; it stays withdrawn."""
        return replace(self, to_ms=max(now_ms, self.from_ms))

    def reinstated(self, wall_ms: int) -> Cut:
        """Shown again. invalid_state while it runs, and for what was not to be kept."""
        if self.to_ms is None:
            raise ConferenceError("invalid_state", "it is still cut off")
        if self.kind is CutKind.PAUSE:
            raise ConferenceError("invalid_state", "it was not to be recorded")
        return self if self.reinstated_wall_ms is not None else replace(self, reinstated_wall_ms=wall_ms)

    def erased(self, wall_ms: int) -> Cut:
        return replace(self, erased_wall_ms=wall_ms)


def running(cuts: Iterable[Cut], kind: CutKind) -> Cut | None:
    """The one of that kind that has no end yet."""
    return next((each for each in cuts if each.kind is kind and each.is_running), None)


def spans_of(cuts: Iterable[Cut], kinds: Iterable[CutKind]) -> tuple[Span, ...]:
    """The stretches of these kinds that are withdrawn now, in order and without overlaps."""
    wanted = frozenset(kinds)
    merged: list[Span] = []
    chosen = [each for each in cuts if each.kind in wanted and each.reinstated_wall_ms is None]
    for cut in sorted(chosen, key=lambda each: each.from_ms):
        if merged and _reaches(merged[-1], cut.from_ms):
            begin, end = merged[-1]
            merged[-1] = (begin, None if end is None or cut.to_ms is None else max(end, cut.to_ms))
        else:
            merged.append((cut.from_ms, cut.to_ms))
    return tuple(merged)


def unkept_spans(cuts: Iterable[Cut]) -> list[tuple[int, int]]:
    """Where the recording was paused, so that nothing of it is written down; one that still is has no end in sight."""
    return [(first, _EVER_MS if last is None else last) for first, last in spans_of(cuts, [CutKind.PAUSE])]


def _reaches(span: Span, at_ms: int) -> bool:
    return span[1] is None or span[1] >= at_ms


@dataclass(frozen=True, slots=True)
class PublicView:
    """Everything that decides what of a program the public may see now.

    `program_time_ms`: None before the start; it stands still after the end. `withdrawn`: in order, not overlapping.
    """

    consultation: Consultation
    program_time_ms: int | None
    withdrawn: tuple[Span, ...]
    is_cut: bool

    @classmethod
    def of(cls, consultation: Consultation, cuts: Iterable[Cut], program_time_ms: int | None) -> PublicView:
        """A pause of the recording was seen live, and is not in what is kept."""
        kept = tuple(cuts)
        ended = not consultation.is_open
        kinds = CutKind if ended else (CutKind.CUT, CutKind.WITHDRAWN)
        is_cut = running(kept, CutKind.CUT) is not None
        return cls(consultation, program_time_ms, spans_of(kept, kinds), is_cut)

    @property
    def delay_ms(self) -> int:
        return self.consultation.public_delay_s * 1000

    @property
    def ended(self) -> bool:
        return self.consultation.status in (Status.ENDED, Status.ARCHIVED)

    def is_withdrawn(self, from_ms: int, to_ms: int) -> bool:
        """Whether any part of this stretch is."""
        return any(begin < to_ms and (end is None or end > from_ms) for begin, end in self.withdrawn)

    def shown_until_ms(self, wall_ms: int) -> int | None:
        """Nothing that ends later may be named yet. None: everything may. `wall_ms`: UTC, now.

        The delay goes on for what was said just before the end.
        """
        if self.program_time_ms is None:
            return 0
        ended_at_ms = self.consultation.ended_at_ms
        if not self.ended or ended_at_ms is None:
            return max(0, self.program_time_ms - self.delay_ms)
        left_ms = self.delay_ms - max(0, wall_ms - ended_at_ms)
        return None if left_ms <= 0 else max(0, self.program_time_ms - left_ms)
