"""A rehearsal (演练): what it has to give back when it is over.

Everything it makes is its own and goes with it, unless it is kept: recordings, program, transcript, attendance, turns,
statements. What was there before is as it was: `Before` remembers what a rehearsal may move of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from conference.model.agenda import Agenda, AgendaItem, ItemState
from conference.model.consultation import Consultation, Mode, Status
from conference.model.participant import MuteAllMark, Participant
from conference.model.statement import StatementBoard

MAX_TEST_COMMENTS: Final = 200


class RehearsalState(StrEnum):
    """Where a rehearsal stands."""

    RUNNING = "running"
    CLEARING = "clearing"  # its rows are gone, its files are about to be


@dataclass(frozen=True, slots=True)
class Mutes:
    """What others had made of somebody's microphone, and the place in the queue."""

    soft: bool
    hard: bool
    by: str | None
    mark: str | None
    hand_order: int | None
    hand_raised_ms: int | None

    @classmethod
    def of(cls, participant: Participant) -> Mutes:
        p = participant
        mark = None if p.mute_all_mark is None else p.mute_all_mark.value
        return cls(p.soft_muted, p.hard_muted, p.muted_by, mark, p.hand_order, p.hand_raised_ms)


@dataclass(frozen=True, slots=True)
class Before:
    """How it stood when the rehearsal began. `items`: state of each item of the agenda; `taken` and `likes`: of
    statements by their ids; `people`: of those who were in the room. `rows`: ids of what was there in tables of what
    goes on in a room; of the people those `removed`, and of the connections the `ended_stays`."""

    mode: Mode
    items: Mapping[str, str]
    taken: tuple[str, ...]
    likes: Mapping[str, tuple[str, ...]]
    people: Mapping[str, Mutes]
    rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    ended_stays: tuple[str, ...] = ()

    @classmethod
    def of(cls, mode: Mode, agenda: Agenda, board: StatementBoard, people: Iterable[Participant]) -> Before:
        return cls(
            mode=mode,
            items={item.id: item.state.value for item in agenda.items},
            taken=tuple(each.id for each in board.statements.values() if each.taken),
            likes={of: tuple(sorted(likers)) for of, likers in board.likers.items() if likers},
            people={each.id: Mutes.of(each) for each in people},
        )

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Before:
        """From what `dataclasses.asdict` made of one, by way of JSON."""
        return cls(
            mode=Mode(said["mode"]),
            items=dict(said["items"]),
            taken=tuple(said["taken"]),
            likes={of: tuple(likers) for of, likers in said["likes"].items()},
            people={of: Mutes(**mutes) for of, mutes in said["people"].items()},
            rows={of: tuple(ids) for of, ids in said["rows"].items()},
            removed=tuple(said["removed"]),
            ended_stays=tuple(said["ended_stays"]),
        )

    def agenda(self, agenda: Agenda) -> Agenda:
        """The agenda as it is written now, standing as it did then.

        What was corrected meanwhile stays corrected, what was added stays and waits; only what was put to the meeting
        (上会) is taken out again.
        """
        return Agenda(
            tuple(
                self._item(item) for item in agenda.items if item.comment_id is None or item.id in self.items
            )
        )

    def _item(self, item: AgendaItem) -> AgendaItem:
        state = ItemState(self.items.get(item.id, ItemState.PENDING.value))
        # Before going live items have no times.
        return replace(item, state=state, started_at_ms=None, ended_at_ms=None)

    def participant(self, participant: Participant) -> Participant:
        """Somebody who is in the room now, muted as before; who came since is not muted by anybody."""
        mutes = self.people.get(participant.id)
        if mutes is None:
            return participant.with_hand(None).unmuted()
        return replace(
            participant,
            soft_muted=mutes.soft,
            hard_muted=mutes.hard,
            muted_by=mutes.by,
            mute_all_mark=None if mutes.mark is None else MuteAllMark(mutes.mark),
            hand_order=mutes.hand_order,
            hand_raised_ms=mutes.hand_raised_ms,
        )


KEPT_TITLE: Final = "（演练）"
_MAX_TITLE: Final = 200


def kept_one(
    rehearsed: Consultation, consultation_id: str, now_ms: int, program_time_ms: int
) -> Consultation:
    """The consultation that a rehearsal becomes which is kept: over, and not public."""
    return replace(
        rehearsed,
        id=consultation_id,
        title=rehearsed.title[: _MAX_TITLE - len(KEPT_TITLE)] + KEPT_TITLE,
        status=Status.ENDED,
        is_public=False,
        created_at_ms=now_ms,
        ended_at_ms=now_ms,
        program_high_water_ms=max(rehearsed.program_high_water_ms, program_time_ms),
        recording_paused=False,
        revision=1,
        rehearsed_line=0,
        rehearsal_of=rehearsed.id,
    )


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One that runs, or whose files are being cleared away. `kept_id`: the consultation that has them, if they are
    kept. Times are UTC."""

    consultation_id: str
    state: RehearsalState
    started_wall_ms: int
    started_by: str
    before: Before
    kept_id: str | None = None

    def clearing(self, kept_id: str | None) -> Rehearsal:
        """Over; only the files are left to be seen to."""
        return replace(self, state=RehearsalState.CLEARING, kept_id=kept_id)
