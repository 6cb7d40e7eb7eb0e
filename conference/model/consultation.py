"""A consultation: one event with its life cycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from conference.model.errors import ConferenceError


class Status(StrEnum):
    """Where a consultation stands in its life."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    REHEARSAL = "rehearsal"  # 演练: as live for everybody inside, as scheduled for the public
    LIVE = "live"
    ENDED = "ended"
    ARCHIVED = "archived"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"


class Mode(StrEnum):
    """Who may speak when: everybody, by the agenda, or by the chair's word."""

    FREE = "free"
    AGENDA = "agenda"
    CHAIR = "chair"


class ConsultationKind(StrEnum):
    """What form of consultation it is."""

    THEMATIC = "thematic"  # 专题协商
    COUNTERPART = "counterpart"  # 对口协商
    SECTOR = "sector"  # 界别协商
    PROPOSAL = "proposal"  # 提案办理协商
    OTHER = "other"


class Moderation(StrEnum):
    """When a comment of the public that the filter let pass is shown."""

    PRE = "pre"  # 先审后显
    POST = "post"  # 先显后审


class CommentIdentity(StrEnum):
    """Whether who comments has to show who they are first, by telephone or WeChat."""

    OPTIONAL = "optional"
    REQUIRED = "required"


TRANSITIONS: Final[Mapping[Status, frozenset[Status]]] = MappingProxyType(
    {
        Status.DRAFT: frozenset({Status.SCHEDULED, Status.CANCELLED}),
        Status.SCHEDULED: frozenset(
            {Status.DRAFT, Status.REHEARSAL, Status.LIVE, Status.POSTPONED, Status.CANCELLED}
        ),
        Status.REHEARSAL: frozenset({Status.SCHEDULED}),
        Status.POSTPONED: frozenset({Status.SCHEDULED, Status.CANCELLED}),
        Status.LIVE: frozenset({Status.ENDED}),
        Status.ENDED: frozenset({Status.ARCHIVED}),
        Status.ARCHIVED: frozenset(),
        Status.CANCELLED: frozenset(),
    }
)


@dataclass(frozen=True, slots=True)
class Consultation:
    """Times are UTC milliseconds since the epoch; program time is milliseconds since going live."""

    id: str
    title: str
    status: Status
    mode: Mode
    is_public: bool
    waiting_room: bool
    microphone_on_join: bool
    created_at_ms: int
    scheduled_at_ms: int | None = None
    organization: str | None = None
    started_at_ms: int | None = None
    ended_at_ms: int | None = None
    program_high_water_ms: int = 0  # program time never falls below this, whatever the wall clock does
    kind: ConsultationKind = ConsultationKind.THEMATIC
    organization_id: str | None = None  # None: made by the command line, open to all staff
    briefing: str = ""
    ends_at_ms: int | None = None  # as planned
    closing_at_ms: int | None = None  # until then the public may comment
    recording: bool = True  # while it is live, everything that is sent is kept
    recording_paused: bool = False  # by the chair: nothing is kept now
    program: bool = True  # while it is live, one picture and sound are made of it
    public_delay_s: int = 0  # how much later the public sees and hears it (安全延时)
    moderation: Moderation = Moderation.PRE  # when the public's comments are shown
    moderator_promotes: bool = False  # whether moderators put a comment to the session without the chair
    comment_identity: CommentIdentity = CommentIdentity.OPTIONAL
    captions: bool = True  # while it is live, what is said is written down
    program_captions: bool = False  # and stands in the program's picture
    revision: int = 1  # one more at each edit, so that two editors do not overwrite each other
    rehearsed_line: int = 0  # lines of the trace up to this one are about rehearsals, or from before them
    rehearsal_of: str | None = None  # a rehearsal that was kept, and of what

    @property
    def is_running(self) -> bool:
        """Whether program time runs: live, or rehearsed."""
        return self.status in (Status.LIVE, Status.REHEARSAL)

    @property
    def is_open(self) -> bool:
        """Whether the room may be entered: from `scheduled` until the end."""
        return self.is_running or self.status is Status.SCHEDULED

    def for_public(self) -> Consultation:
        """As the public knows it: what is rehearsed has not begun."""
        if self.status is not Status.REHEARSAL:
            return self
        return replace(
            self,
            status=Status.SCHEDULED,
            started_at_ms=None,
            program_high_water_ms=0,
            recording_paused=False,
        )

    def edited(self, revision: int, changes: Mapping[str, Any]) -> Consultation:
        """With other values and the next revision; itself when nothing differs.

        edit_conflict when `revision` is not what there is, invalid_state when nothing is edited any more,
        bad_request when it would end before it begins. While it is live the public delay only grows: what is held
        back would be shown at once.
        """
        if self.status in (Status.ARCHIVED, Status.CANCELLED):
            raise ConferenceError("invalid_state", f"{self.status} is not edited")
        if revision != self.revision:
            raise ConferenceError("edit_conflict", f"revision {revision} is not {self.revision}")
        changed = replace(self, **changes)
        if changed == self:
            return self
        times = [
            t for t in (changed.scheduled_at_ms, changed.ends_at_ms, changed.closing_at_ms) if t is not None
        ]
        if times != sorted(times):
            raise ConferenceError("bad_request", "ends before it begins")
        if self.status is Status.LIVE and changed.public_delay_s < self.public_delay_s:
            raise ConferenceError("invalid_state", "a delay that runs is not made shorter")
        return replace(changed, revision=self.revision + 1)

    def moved_to(self, status: Status) -> Consultation:
        """The same consultation in the next state; invalid_state when its life does not go that way."""
        if status not in TRANSITIONS[self.status]:
            raise ConferenceError("invalid_state", f"{self.status} does not lead to {status}")
        return replace(self, status=status)

    def started(self, now_ms: int) -> Consultation:
        """Live from now on; program time begins at 0."""
        return replace(self.moved_to(Status.LIVE), started_at_ms=now_ms, program_high_water_ms=0)

    def rehearsed(self, now_ms: int) -> Consultation:
        """Rehearsed from now on; program time begins at 0."""
        return replace(self.moved_to(Status.REHEARSAL), started_at_ms=now_ms, program_high_water_ms=0)

    def unrehearsed(self, mode: Mode) -> Consultation:
        """As before the rehearsal: program time has not begun. `mode`: as it was then."""
        return replace(
            self.moved_to(Status.SCHEDULED),
            mode=mode,
            started_at_ms=None,
            program_high_water_ms=0,
            recording_paused=False,
        )

    def ended(self, now_ms: int, program_time_ms: int) -> Consultation:
        """Over; program time stands still from here."""
        high_water = max(self.program_high_water_ms, program_time_ms)
        return replace(
            self.moved_to(Status.ENDED),
            ended_at_ms=now_ms,
            program_high_water_ms=high_water,
            recording_paused=False,
        )

    def require_public(self) -> None:
        """Raise consultation_not_found unless the public may know of it."""
        if not self.is_public or self.status is Status.DRAFT:
            raise ConferenceError("consultation_not_found", self.id)

    def require_over(self) -> None:
        """Raise invalid_state before the end."""
        if self.status not in (Status.ENDED, Status.ARCHIVED):
            raise ConferenceError("invalid_state", f"status {self.status}")

    def require_open(self) -> None:
        """Raise unless the room may be entered: from `scheduled` until the end."""
        if self.is_open:
            return
        if self.status in (Status.ENDED, Status.ARCHIVED):
            raise ConferenceError("consultation_ended")
        raise ConferenceError("consultation_not_open", f"status {self.status}")


@dataclass(frozen=True, slots=True)
class ProgramGap:
    """A stretch of program time in which the server was down."""

    consultation_id: str
    from_ms: int
    to_ms: int
