"""The floor: who speaks, for how long, and whose microphone the mode keeps closed.

A `Turn` is one holding of the floor. It waits until sound arrives, runs, warns at one minute and is over when
its time is up; while its holder's connection is gone, its time stands still. Times named `…_at_ms` are program
time, None before the consultation went live: then nothing counts down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from conference.model.consultation import Mode
from conference.model.participant import FloorGate, Participant, ParticipantKind
from conference.model.permissions import Action, Role, allowed

WARNING_MS: Final = 60_000


class TurnState(StrEnum):
    WAITING = "waiting"  # granted, nothing heard yet
    RUNNING = "running"
    OVER = "over"  # time is up, the speaker goes on
    GRACE = "grace"  # the holder's connection is gone


class Ending(StrEnum):
    """What happens when time is up: the speaker is asked to end, or the microphone closes."""

    SOFT = "soft"
    HARD = "hard"


class EndReason(StrEnum):
    WITHDRAWN = "withdrawn"
    TIME = "time"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Turn:
    """One holding of the floor; each change is a new value. `spoken_ms` is what was spoken before `started_at_ms`."""

    id: str
    consultation_id: str
    participant_id: str
    name: str
    role: Role
    venue: str | None
    item_id: str | None  # the agenda item under which it was granted
    granted_by: str
    granted_at_ms: int | None
    granted_wall_ms: int
    duration_ms: int | None
    ending: Ending
    state: TurnState = TurnState.WAITING
    first_started_at_ms: int | None = None
    started_at_ms: int | None = None
    spoken_ms: int = 0
    warned: bool = False
    ended_at_ms: int | None = None
    ended_wall_ms: int | None = None
    end_reason: EndReason | None = None

    @property
    def is_open(self) -> bool:
        """Not ended yet."""
        return self.end_reason is None

    def elapsed_ms(self, now_ms: int | None) -> int:
        """Spoken so far."""
        if self.started_at_ms is None or now_ms is None:
            return self.spoken_ms
        return self.spoken_ms + max(0, now_ms - self.started_at_ms)

    def left_ms(self, now_ms: int | None) -> int | None:
        """Time left, negative when over; None without a limit."""
        return None if self.duration_ms is None else self.duration_ms - self.elapsed_ms(now_ms)

    # ── what happens to it ──────────────────────────────────────────────────────────────────────

    def heard(self, now_ms: int | None) -> Turn:
        """Sound arrived: the countdown runs."""
        if self.state is not TurnState.WAITING:
            return self
        first = now_ms if self.first_started_at_ms is None else self.first_started_at_ms
        return replace(self, state=TurnState.RUNNING, started_at_ms=now_ms, first_started_at_ms=first)

    def at(self, now_ms: int | None) -> Turn:
        """As time moves it on: warned at one minute, over at none."""
        left_ms = self.left_ms(now_ms)
        if self.state is not TurnState.RUNNING or left_ms is None or self.started_at_ms is None:
            return self
        if left_ms <= 0:
            return replace(self, state=TurnState.OVER, warned=True)
        return replace(self, warned=True) if self._warns and left_ms <= WARNING_MS else self

    @property
    def _warns(self) -> bool:
        return not self.warned and self.duration_ms is not None and self.duration_ms > WARNING_MS

    def extended(self, more_ms: int, now_ms: int | None) -> Turn:
        """More time; without a limit there is nothing to extend."""
        if self.duration_ms is None:
            return self
        return self.limited(self.duration_ms + more_ms, self.ending, now_ms)

    def limited(self, duration_ms: int | None, ending: Ending, now_ms: int | None) -> Turn:
        """The same turn under another limit."""
        turn = replace(self, duration_ms=duration_ms, ending=ending)
        left_ms = turn.left_ms(now_ms)
        if left_ms is None or left_ms > 0:
            running = TurnState.RUNNING if turn.state is TurnState.OVER else turn.state
            turn = replace(turn, state=running, warned=left_ms is not None and left_ms <= WARNING_MS)
        return turn

    def dropped(self, now_ms: int | None) -> Turn:
        """The holder's connection is gone since `now_ms`: time stands still."""
        if self.state is TurnState.GRACE:
            return self
        spoken_ms = self.elapsed_ms(now_ms)
        return replace(self, state=TurnState.GRACE, spoken_ms=spoken_ms, started_at_ms=None)

    def returned(self) -> Turn:
        """The holder is back: go on when sound arrives."""
        return replace(self, state=TurnState.WAITING) if self.state is TurnState.GRACE else self

    def went_live(self) -> Turn:
        """Program time begins: who speaks now has spoken for 0 ms."""
        if self.state not in (TurnState.RUNNING, TurnState.OVER):
            return self
        return replace(self, state=TurnState.RUNNING, started_at_ms=0, first_started_at_ms=0)

    def ended(self, reason: EndReason, now_ms: int | None, wall_ms: int) -> Turn:
        """Over for good; what was spoken is summed up."""
        return replace(
            self,
            spoken_ms=self.elapsed_ms(now_ms),
            started_at_ms=None,
            ended_at_ms=now_ms,
            ended_wall_ms=wall_ms,
            end_reason=reason,
        )


@dataclass(frozen=True, slots=True)
class SpokenTime:
    """What somebody spoke under one agenda item."""

    participant_id: str
    name: str
    venue: str | None
    item_id: str | None
    spoken_ms: int


def gate_without_floor(role: Role, mode: Mode) -> FloorGate | None:
    """The gate of somebody who does not hold the floor: in free discussion it is their own."""
    if mode is Mode.FREE or allowed(role, Action.FLOOR_GRANT):
        return None
    return FloorGate.CLOSED


def gate_beside_floor(participant: Participant, mode: Mode, holder: Participant | None) -> FloorGate | None:
    """The gate of somebody who is not the holder of the floor.

    An encoder is the microphone of its venue: where the floor is needed, it speaks with whoever of that venue
    has it, unless that is a phone in the hall (`in_hall`), which would be heard twice. One that was muted
    meanwhile stays so until the turn ends.
    """
    if participant.kind is ParticipantKind.CLIP:
        return None  # whoever may play one lets it be heard
    gate = gate_without_floor(participant.role, mode)
    speaks_with_holder = (
        participant.kind.is_encoder
        and holder is not None
        and not holder.in_hall
        and holder.venue is not None
        and holder.venue == participant.venue
    )
    if gate is None or not speaks_with_holder:
        return gate
    return participant.floor_gate if participant.holds_floor else FloorGate.OPEN
