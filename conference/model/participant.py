"""A participant of a live room, and every change of state one can go through. Each change is a new value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from conference.model.errors import ConferenceError
from conference.model.permissions import Role


class ParticipantKind(StrEnum):
    """How the participant is connected: our web client, a WHIP encoder, or a camera or clip that the server fetches."""

    CLIENT = "client"
    WHIP = "whip"
    INGEST = "ingest"
    CLIP = "clip"  # a film that is being played: no floor, no attendance
    SCREEN = "screen"  # shows and plays what others send: neither listed nor counted, and without a row

    @property
    def is_encoder(self) -> bool:
        """Equipment that sends by itself and shows nothing: no socket holds its seat."""
        return self in (ParticipantKind.WHIP, ParticipantKind.INGEST, ParticipantKind.CLIP)


class EntryMeans(StrEnum):
    """Which door somebody came through."""

    TOKEN = "token"  # noqa: S105 - a link with a token, made by the command line
    INVITE = "invite"  # a personal link
    OPERATOR = "operator"  # a venue's link
    CODE = "code"  # the six digits of a hall
    STAFF = "staff"  # logged in
    SCREEN = "screen"  # the link of a hall's big screen, which opens nothing else


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
    REFUSED = "refused"  # from the waiting room
    REVOKED = "revoked"  # the link, the token or the account is good no longer


class MuteAllMark(StrEnum):
    """What the last mute-all did to this participant, so that it can be undone exactly."""

    SOFT = "soft"
    HARD = "hard"


class FloorGate(StrEnum):
    """What the floor makes of the microphone gate; without one of these the gate is the participant's own."""

    CLOSED = "closed"  # only who holds the floor may speak, and this participant does not
    OPEN = "open"  # holds the floor, whatever mutes were before
    OFF = "off"  # holds the floor and switched off, or was softly muted meanwhile
    LOCKED = "locked"  # holds the floor and was muted hard meanwhile


@dataclass(frozen=True, slots=True)
class Participant:
    """Everything about a participant that a restart must not forget. Times are UTC ms.

    The microphone gate is open while the participant wants it (`microphone_on`) and nobody closed it:
    softly (`soft_muted`: the participant may open it again) or hard (`hard_muted`: only the chair may).
    The floor stands above these three, which hold again after it (`floor_gate`).
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
    floor_gate: FloorGate | None = None
    hand_order: int | None = None  # position among raised hands; smaller came first
    hand_raised_ms: int | None = None
    left_at_ms: int | None = None
    leave_reason: LeaveReason | None = None
    invitee_id: str | None = None
    venue_id: str | None = None
    title: str | None = None
    sector: str | None = None
    entered_by: EntryMeans = EntryMeans.TOKEN
    in_hall: bool = False  # a phone in a hall (会场内): no loudspeaker, and a microphone only with the floor
    waiting_since_ms: int | None = None  # in the waiting room since then, not in the meeting
    removed_at_ms: int | None = None  # sent out then, and not admitted again since
    user_id: str | None = None  # whose account it is, of staff who logged in

    @property
    def sound_open(self) -> bool:
        """The gate: whether this participant's sound is let through."""
        return self._own_gate if self.floor_gate is None else self.floor_gate is FloorGate.OPEN

    @property
    def _own_gate(self) -> bool:
        return self.microphone_on and not (self.soft_muted or self.hard_muted or self.in_hall)

    @property
    def holds_floor(self) -> bool:
        return self.floor_gate in (FloorGate.OPEN, FloorGate.OFF, FloorGate.LOCKED)

    @property
    def is_locked(self) -> bool:
        """Under a hard mute that counts now: one from before is lifted for the time of the floor."""
        return self.floor_gate is FloorGate.LOCKED if self.holds_floor else self.hard_muted

    # ── own choices ─────────────────────────────────────────────────────────────────────────────

    def choosing_microphone(self, on: bool) -> Participant:
        """The participant's own switch. Switching on lifts a soft mute, and is refused under a hard one.

        Who holds the floor switches for its time only; switching off stays off after it.
        """
        if not on:
            gate = FloorGate.OFF if self.floor_gate is FloorGate.OPEN else self.floor_gate
            return replace(self, microphone_on=False, floor_gate=gate)
        if self.floor_gate is FloorGate.CLOSED or (self.in_hall and not self.holds_floor):
            raise ConferenceError("floor_required")
        if self.is_locked:
            raise ConferenceError("hard_muted")
        if self.holds_floor:
            return replace(self, floor_gate=FloorGate.OPEN)
        return replace(self, microphone_on=True, soft_muted=False, muted_by=None, mute_all_mark=None)

    def choosing_camera(self, on: bool) -> Participant:
        return replace(self, camera_on=on)

    def renamed(self, name: str) -> Participant:
        return replace(self, name=name)

    # ── mutes by somebody else ──────────────────────────────────────────────────────────────────

    def muted(self, by: str, *, hard: bool, mark: MuteAllMark | None = None) -> Participant:
        """Close the gate from outside. Unchanged (the same object) when there is nothing to close."""
        if hard:
            if self.is_locked:
                return self
            gate = FloorGate.LOCKED if self.holds_floor else self.floor_gate
            return replace(self, hard_muted=True, muted_by=by, mute_all_mark=mark, floor_gate=gate)
        if not (self.sound_open if self.holds_floor else self._own_gate):
            return self
        gate = FloorGate.OFF if self.holds_floor else self.floor_gate
        return replace(self, soft_muted=True, muted_by=by, mute_all_mark=mark, floor_gate=gate)

    def unmuted(self) -> Participant:
        """Lift every mute set by somebody else; the own choice then decides."""
        if not self.soft_muted and not self.hard_muted:
            return self
        gate = FloorGate.OPEN if self.holds_floor else self.floor_gate
        return replace(
            self, soft_muted=False, hard_muted=False, muted_by=None, mute_all_mark=None, floor_gate=gate
        )

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

    # ── the floor ───────────────────────────────────────────────────────────────────────────────

    def given_floor(self) -> Participant:
        """May speak now, whatever mutes there are; the hand goes down."""
        return replace(self.with_hand(None), floor_gate=FloorGate.OPEN)

    def under_floor(self, gate: FloorGate | None) -> Participant:
        """Does not hold the floor (any more): `gate` is what the mode says."""
        return self if self.floor_gate is gate else replace(self, floor_gate=gate)

    # ── hands, presence ─────────────────────────────────────────────────────────────────────────

    def with_hand(self, order: int | None, now_ms: int | None = None) -> Participant:
        """In the queue at that place since `now_ms`, or not in it."""
        return replace(self, hand_order=order, hand_raised_ms=None if order is None else now_ms)

    def seen(self, now_ms: int) -> Participant:
        return replace(self, last_seen_ms=max(now_ms, self.last_seen_ms))

    def waiting_from(self, now_ms: int) -> Participant:
        """Before the door (again): no hand, no floor."""
        return replace(self.with_hand(None), waiting_since_ms=now_ms)

    def admitted(self) -> Participant:
        """In the meeting, for good: who comes back later does not wait again."""
        return replace(self, waiting_since_ms=None, removed_at_ms=None)

    def left(self, now_ms: int, reason: LeaveReason) -> Participant:
        """Gone; the hand goes down."""
        removed_at_ms = now_ms if reason is LeaveReason.REMOVED else self.removed_at_ms
        return replace(
            self.with_hand(None), left_at_ms=now_ms, leave_reason=reason, removed_at_ms=removed_at_ms
        )

    def returned(self, now_ms: int) -> Participant:
        """Back in the room as the same participant, with every mute as it was."""
        return replace(self.seen(now_ms), left_at_ms=None, leave_reason=None)
