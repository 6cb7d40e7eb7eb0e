"""A participant of a live room, and every change of state one can go through. Each change is a new value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from conference.model.errors import ConferenceError
from conference.model.permissions import Role


class ParticipantKind(StrEnum):
    """How the participant is connected: our web client, or a WHIP encoder."""

    CLIENT = "client"
    WHIP = "whip"


class Device(StrEnum):
    """What the web client runs on, as far as it says."""

    PHONE = "phone"
    LAPTOP = "laptop"
    WALL = "wall"


class LeaveReason(StrEnum):
    """Why a participant is no longer in the room."""

    LEFT = "left"
    LOST = "lost"
    REMOVED = "removed"


class MuteAllMark(StrEnum):
    """What the last mute-all did to this participant, so that it can be undone exactly."""

    SOFT = "soft"
    HARD = "hard"


@dataclass(frozen=True, slots=True)
class Participant:
    """Everything about a participant that a restart must not forget. Times are UTC ms.

    The microphone gate is open while the participant wants it (`microphone_on`) and nobody closed it:
    softly (`soft_muted`: the participant may open it again) or hard (`hard_muted`: only the chair may).
    """

    id: str
    consultation_id: str
    name: str
    role: Role
    venue: str | None
    kind: ParticipantKind
    device: Device | None
    token_id: str
    resume_hash: str
    joined_at_ms: int
    last_seen_ms: int
    microphone_on: bool = True
    camera_on: bool = True
    soft_muted: bool = False
    hard_muted: bool = False
    muted_by: str | None = None
    mute_all_mark: MuteAllMark | None = None
    hand_order: int | None = None  # position among raised hands; smaller came first
    left_at_ms: int | None = None
    leave_reason: LeaveReason | None = None

    @property
    def sound_open(self) -> bool:
        """The gate: whether this participant's sound is let through."""
        return self.microphone_on and not self.soft_muted and not self.hard_muted

    # ── own choices ─────────────────────────────────────────────────────────────────────────────

    def choosing_microphone(self, on: bool) -> Participant:
        """The participant's own switch. Switching on lifts a soft mute, and is refused under a hard one."""
        if not on:
            return replace(self, microphone_on=False)
        if self.hard_muted:
            raise ConferenceError("hard_muted")
        return replace(self, microphone_on=True, soft_muted=False, muted_by=None, mute_all_mark=None)

    def choosing_camera(self, on: bool) -> Participant:
        return replace(self, camera_on=on)

    def renamed(self, name: str) -> Participant:
        return replace(self, name=name)

    # ── mutes by somebody else ──────────────────────────────────────────────────────────────────

    def muted(self, by: str, *, hard: bool, mark: MuteAllMark | None = None) -> Participant:
        """Close the gate from outside. Unchanged (the same object) when there is nothing to close."""
        if hard:
            if self.hard_muted:
                return self
            return replace(self, hard_muted=True, muted_by=by, mute_all_mark=mark)
        if not self.sound_open:
            return self
        return replace(self, soft_muted=True, muted_by=by, mute_all_mark=mark)

    def unmuted(self) -> Participant:
        """Lift every mute set by somebody else; the own choice then decides."""
        if not self.soft_muted and not self.hard_muted:
            return self
        return replace(self, soft_muted=False, hard_muted=False, muted_by=None, mute_all_mark=None)

    def mute_all_undone(self) -> Participant:
        """Undo just what the last mute-all did; an earlier mute of another kind stays."""
        if self.mute_all_mark is None:
            return self
        if self.mute_all_mark is MuteAllMark.HARD:
            muted_by = self.muted_by if self.soft_muted else None
            return replace(self, hard_muted=False, muted_by=muted_by, mute_all_mark=None)
        muted_by = self.muted_by if self.hard_muted else None
        return replace(self, soft_muted=False, muted_by=muted_by, mute_all_mark=None)

    def without_mark(self) -> Participant:
        """A newer mute-all took over: this one is no longer part of what can be undone."""
        return self if self.mute_all_mark is None else replace(self, mute_all_mark=None)

    # ── hands, presence ─────────────────────────────────────────────────────────────────────────

    def with_hand(self, order: int | None) -> Participant:
        return replace(self, hand_order=order)

    def seen(self, now_ms: int) -> Participant:
        return replace(self, last_seen_ms=max(now_ms, self.last_seen_ms))

    def left(self, now_ms: int, reason: LeaveReason) -> Participant:
        """Gone; the hand goes down."""
        return replace(self, left_at_ms=now_ms, leave_reason=reason, hand_order=None)

    def returned(self, now_ms: int) -> Participant:
        """Back in the room as the same participant, with every mute as it was."""
        return replace(self.seen(now_ms), left_at_ms=None, leave_reason=None)
