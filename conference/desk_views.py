"""What desks are shown of broadcast, program, disk, storage and comments, in the words of the desk protocol.

Field names are the names on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass

from conference.model.broadcast import CutKind
from conference.model.camera import CameraFault, CameraPicture, CameraState
from conference.model.comment import CommentState, Level, Reason
from conference.model.identity import IdentityKind
from conference.model.program import DirectionMode, Layout, ProgramState
from conference.model.promotion import PromotionPhase
from conference.model.rules import Fill


@dataclass(frozen=True, slots=True)
class RunningCutView:
    """The public sees a card and hears nothing since program time `since_ms`."""

    id: str
    since_ms: int
    since_wall_ms: int
    by: str


@dataclass(frozen=True, slots=True)
class WithdrawnView:
    """A stretch of program time that the public does not see, or saw again since `reinstated_wall_ms`."""

    id: str
    kind: CutKind
    from_ms: int
    to_ms: int | None
    by: str
    at_wall_ms: int
    reason: str
    reinstated_wall_ms: int | None


@dataclass(frozen=True, slots=True)
class BroadcastView:
    """What goes to the public, where the consultation `is_public`. `withdrawn`: newest first, the running cut among
    them."""

    is_public: bool
    cut: RunningCutView | None
    delay_s: int
    withdrawn: tuple[WithdrawnView, ...]


@dataclass(frozen=True, slots=True)
class ProgramView:
    """The program: `layout` and `people` are what is shown, `chosen_…` what was directed.

    `load_level`: 0 as it should be, up to 5 as more is left out to keep up. `reason` of a trouble: disk_full,
    disk_failed, shared_dir_gone, held_elsewhere, worker_ended, tap_lost or the code of the media process.
    """

    state: ProgramState
    reason: str | None
    layout: str | None
    people: tuple[str, ...]
    load_level: int
    fps: float
    mode: DirectionMode
    chosen_layout: Layout | None
    chosen_people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiskView:
    """Where recording and program are kept. `warn`: there is less left than the server was told to warn at."""

    free_bytes: int
    warn: bool


@dataclass(frozen=True, slots=True)
class StorageView:
    """What the recordings, programs and clips of this consultation's body take, and how much they may. Nothing that is
    recorded is stopped for it; films are refused when it is full."""

    used_bytes: int
    max_bytes: int
    fill: Fill


@dataclass(frozen=True, slots=True)
class CameraView:
    """A camera of a venue that the server fetches, and how it fares since `since_wall_ms`, null when nobody needs it.

    `reason`: why there is no picture, or, while it runs, what is wrong with it (overload). `retry_wall_ms`: when it is
    tried again by itself. Size, codec and the rest are null until it ran; `cpu_share` is of one processor core.
    `participant_id`: under whom it is in the room.
    """

    id: str
    venue_id: str
    venue: str
    label: str
    is_main: bool
    with_sound: bool
    state: CameraState
    reason: CameraFault | None
    since_wall_ms: int | None
    retry_wall_ms: int | None
    picture: CameraPicture | None
    participant_id: str | None


@dataclass(frozen=True, slots=True)
class CommentView:
    """A comment of the public for those who moderate. `program_time_ms`: what its author was watching; `identity`: what
    its author had shown by then."""

    id: str
    number: int
    nickname: str
    region: str | None
    text: str
    program_time_ms: int | None
    at_wall_ms: int
    state: CommentState
    level: Level
    reasons: tuple[Reason, ...]
    group_id: str
    likes: int
    reports: int
    decided_by: str | None
    reject_reason: str | None
    identity: IdentityKind | None


@dataclass(frozen=True, slots=True)
class CommentGroupView:
    """Comments that say nearly the same. `authors`: whose comments are neither rejected nor hidden nor withdrawn.

    `states`: how many comments are in each. `claimed_by`: the name of who works on it.
    """

    id: str
    representative: CommentView
    authors: int
    states: dict[CommentState, int]
    claimed_by: str | None
    first_wall_ms: int
    last_wall_ms: int


@dataclass(frozen=True, slots=True)
class CommentCounts:
    """How the queue stands. `per_second`: what came in of late; `oldest_wall_ms`: since when somebody waits;
    `last_number`: of the newest comment."""

    states: dict[CommentState, int]
    waiting_groups: int
    last_number: int
    oldest_wall_ms: int | None
    per_second: float


@dataclass(frozen=True, slots=True)
class PromotionCard:
    """What is proposed for the session, or was put to it, with the words of its comment. Times without `wall` are
    program time."""

    id: str
    comment_id: str
    group_id: str
    phase: PromotionPhase
    text: str
    nickname: str
    place: str | None
    authors: int
    proposed_by: str
    proposed_wall_ms: int
    decided_by: str | None
    item_id: str | None
    started_at_ms: int | None
    ended_at_ms: int | None
    answering: str | None
