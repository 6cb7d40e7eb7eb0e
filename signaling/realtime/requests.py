"""Requests of a client: the body of each, checked at the door."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from conference.model.agenda import AgendaDraft, AgendaKind
from conference.model.broadcast import DEFAULT_BACK_S, MAX_BACK_S
from conference.model.comment import MAX_NICKNAME_CHARS, CommentState
from conference.model.comment import MAX_TEXT_CHARS as MAX_COMMENT_CHARS
from conference.model.consultation import Mode
from conference.model.floor import Ending
from conference.model.ids import ID_PATTERN, PLAIN_PATTERN
from conference.model.media import MAX_WISHES, Source, TrackHint, TrackReport, TrackWish
from conference.model.participant import Device
from conference.model.program import Direction, DirectionMode, Layout
from conference.model.statement import MAX_TEXT_CHARS
from conference.model.transcript import MAX_TEXT
from conference.model.venue_message import MAX_TEXT_CHARS as MAX_MESSAGE_CHARS
from conference.services.agendas import MAX_ITEMS
from conference.services.comment_decisions import Batch
from conference.services.comment_desk import MAX_IDS, Order, Wanted
from conference.services.entry import Resume

MAX_SDP_CHARS: Final = 256 * 1024
MAX_NAME_CHARS: Final = 40
MAX_WALL_MS: Final = 10**14
MAX_PIXELS: Final = 16_384  # of a tile's side
MAX_REPORT_MS: Final = 60_000
MAX_DURATION_MS: Final = 12 * 3600 * 1000

Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Duration = Annotated[int, Field(ge=1, le=MAX_DURATION_MS)]
Title = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PLAIN_PATTERN)
]
Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=PLAIN_PATTERN)
]
Version = Annotated[int, Field(ge=0)]
Sdp = Annotated[str, StringConstraints(min_length=1, max_length=MAX_SDP_CHARS)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME_CHARS)]


class Request(BaseModel):
    """Base of all: no coercion between types; unknown fields are left alone for newer clients."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Empty(Request):
    """A request without a body."""


class Track(Request):
    """What an m-line of a publish offer carries."""

    mid: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    source: Annotated[Source, Field(strict=False)]
    label: Annotated[str, StringConstraints(max_length=100)] = ""
    main: bool = False  # of several cameras, the one that the program and single players show


class MediaPublish(Request):
    """media.publish"""

    sdp: Sdp
    tracks: Annotated[list[Track], Field(max_length=64)] = []

    def hints(self) -> tuple[TrackHint, ...]:
        return tuple(TrackHint(each.mid, each.source, each.label, each.main) for each in self.tracks)


class Wish(Request):
    """A picture that is shown: the size of its tile in device pixels (CSS pixels × devicePixelRatio)."""

    publication_id: Id
    width: Annotated[int, Field(ge=1, le=MAX_PIXELS)]
    height: Annotated[int, Field(ge=1, le=MAX_PIXELS)]
    priority: Annotated[int, Field(ge=0, le=9)] = 0


class MediaWish(Request):
    """media.wish: all pictures that are shown now; it takes the place of the one before."""

    items: Annotated[list[Wish], Field(max_length=MAX_WISHES)]

    @model_validator(mode="after")
    def _each_once(self) -> MediaWish:
        if len({each.publication_id for each in self.items}) < len(self.items):
            raise ValueError("a publication twice")
        return self

    def wishes(self) -> tuple[TrackWish, ...]:
        return tuple(
            TrackWish(each.publication_id, each.width, each.height, each.priority) for each in self.items
        )


class PlayedTrack(Request):
    """How one track was played since the last report."""

    publication_id: Id
    freeze_ms: Annotated[int, Field(ge=0, le=MAX_REPORT_MS)] = 0
    concealed_ms: Annotated[int, Field(ge=0, le=MAX_REPORT_MS)] = 0
    frames_per_second: Annotated[float, Field(ge=0, le=240)] = 0.0


class MediaReport(Request):
    """media.report: how the tracks were played in the last `interval_ms`."""

    interval_ms: Annotated[int, Field(ge=1, le=MAX_REPORT_MS)] = 5000
    items: Annotated[list[PlayedTrack], Field(max_length=MAX_WISHES)]

    def reports(self) -> tuple[TrackReport, ...]:
        return tuple(
            TrackReport(each.publication_id, each.freeze_ms, each.concealed_ms, each.frames_per_second)
            for each in self.items
        )


class MediaAnswer(Request):
    """The ack of media.offer."""

    sdp: Sdp


class ParticipantUpdate(Request):
    """participant.update: only one's own choices."""

    name: Name | None = None
    microphone: bool | None = None
    camera: bool | None = None


class ParticipantMute(Request):
    """participant.mute: one, or all but the caller."""

    participant_id: Id | None = None
    all: Literal[True] | None = None
    muted: bool
    hard: bool = False

    @model_validator(mode="after")
    def _one_target(self) -> ParticipantMute:
        if (self.participant_id is None) == (self.all is None):
            raise ValueError("either participant_id or all")
        return self


class ParticipantRemove(Request):
    """participant.remove"""

    participant_id: Id


class ParticipantAdmit(Request):
    """participant.admit: one out of the waiting room, or everybody."""

    participant_id: Id | None = None
    all: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_target(self) -> ParticipantAdmit:
        if (self.participant_id is None) == (self.all is None):
            raise ValueError("either participant_id or all")
        return self


class ParticipantRefuse(Request):
    """participant.refuse"""

    participant_id: Id


class FloorWithdraw(Request):
    """floor.withdraw: one's own hand, or another's with the right."""

    participant_id: Id | None = None


class FloorGrant(Request):
    """floor.grant. `version`: that of the room as the caller saw it."""

    participant_id: Id
    duration_ms: Duration | None = None
    ending: Annotated[Ending, Field(strict=False)] = Ending.SOFT
    version: Version | None = None


class FloorExtend(Request):
    """floor.extend"""

    ms: Duration
    version: Version | None = None


class FloorEnd(Request):
    """floor.end"""

    version: Version | None = None


class FloorOrder(Request):
    """floor.order: these first; those not named keep their order behind."""

    participant_ids: Annotated[list[Id], Field(max_length=5000)]
    version: Version | None = None


class FloorMode(Request):
    """floor.mode"""

    mode: Annotated[Mode, Field(strict=False)]
    version: Version | None = None


class AgendaEntry(Request):
    """An item of agenda.set; `id` names one that is there already."""

    id: Id | None = None
    title: Title
    kind: Annotated[AgendaKind, Field(strict=False)]
    planned_minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    planned_start_wall_ms: Annotated[int, Field(ge=0, le=MAX_WALL_MS)] | None = None
    speaker: Title | None = None

    def draft(self) -> AgendaDraft:
        return AgendaDraft(**{name: getattr(self, name) for name in AgendaEntry.model_fields})


class AgendaSet(Request):
    """agenda.set: the whole agenda in its order. `version`: that of the room as the caller saw it."""

    items: Annotated[list[AgendaEntry], Field(max_length=MAX_ITEMS)]
    version: Version | None = None

    def drafts(self) -> list[AgendaDraft]:
        return [each.draft() for each in self.items]


class AgendaStart(Request):
    """agenda.start"""

    item_id: Id
    version: Version | None = None


class RehearsalEnd(Request):
    """rehearsal.end: with `keep` what it made becomes a consultation of its own."""

    keep: bool = False


class RehearsalComment(Request):
    """rehearsal.comment: one to try moderating with."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_COMMENT_CHARS)]
    nickname: Annotated[str, StringConstraints(max_length=MAX_NICKNAME_CHARS)] = ""


class AgendaStep(Request):
    """agenda.next and agenda.end"""

    version: Version | None = None


class StatementAdd(Request):
    """statement.add. `key`: chosen by the client; trying again with it adds nothing twice."""

    text: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, min_length=1, max_length=MAX_TEXT_CHARS, pattern=PLAIN_PATTERN
        ),
    ]
    reply_to: Id | None = None
    private: bool = False
    key: Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=PLAIN_PATTERN)]


class StatementLike(Request):
    """statement.like"""

    id: Id
    liked: bool


class StatementTake(Request):
    """statement.take"""

    id: Id
    taken: bool


class VenueMessageSend(Request):
    """venue.message: to an operator from the desk, or to the desk from an operator, who may leave `venue_id` out. It is
    the id of a venue, or the name of a hall that has none. `key` as with statement.add."""

    venue_id: (
        Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PLAIN_PATTERN)] | None
    ) = None
    text: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, min_length=1, max_length=MAX_MESSAGE_CHARS, pattern=PLAIN_PATTERN
        ),
    ]
    key: Annotated[str, StringConstraints(min_length=8, max_length=64, pattern=PLAIN_PATTERN)] | None = None


class StatementsList(Request):
    """statements.list: the newest ones, or those before a statement; oldest first."""

    before: Id | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 100


class ProgramDirect(Request):
    """program.direct: who chooses the picture; in manual mode what is left out is chosen as in automatic mode."""

    mode: Annotated[DirectionMode, Field(strict=False)]
    layout: Annotated[Layout, Field(strict=False)] | None = None
    people: Annotated[list[Id], Field(max_length=16)] = []

    def direction(self) -> Direction:
        return Direction(self.mode, self.layout, tuple(self.people))


class ProgramCaptions(Request):
    """program.captions: whether captions stand in the program's picture."""

    on: bool


class BroadcastCut(Request):
    """broadcast.cut: at once, and back so far from what the public sees now."""

    back_s: Annotated[int, Field(ge=0, le=MAX_BACK_S)] = DEFAULT_BACK_S


class BroadcastWithdraw(Request):
    """broadcast.withdraw: a stretch of program time."""

    from_ms: Annotated[int, Field(ge=0, le=MAX_WALL_MS)]
    to_ms: Annotated[int, Field(ge=1, le=MAX_WALL_MS)]
    reason: Reason


class BroadcastReinstate(Request):
    """broadcast.reinstate: show again what was cut off or withdrawn."""

    id: Id
    reason: Reason


CommentIdList = Annotated[list[Id], Field(min_length=1, max_length=MAX_IDS)]


class CommentsList(Request):
    """comments.list: the queue by groups of near-duplicates. `reason`: the code of a verdict of the filter, or its
    first words (`contact` for `contact_phone`); `topic`: the id of one that comments.topics named."""

    states: Annotated[list[Annotated[CommentState, Field(strict=False)]], Field(max_length=8)] = [
        CommentState.PENDING
    ]
    search: Annotated[str, StringConstraints(max_length=100, pattern=PLAIN_PATTERN)] = ""
    reason: Annotated[str, StringConstraints(max_length=32)] | None = None
    order: Annotated[Order, Field(strict=False)] = Order.AUTHORS
    after: Id | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    topic: Id | None = None

    def wanted(self) -> Wanted:
        return Wanted(
            tuple(self.states), self.search, self.reason, self.order, self.after, self.limit, self.topic
        )


class CommentsGroup(Request):
    """comments.group: the comments of a group, in the order of arrival."""

    id: Id
    after: Id | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 100


class CommentReopen(Request):
    """comment.reopen: all of `ids` or none."""

    ids: CommentIdList
    reason: Reason | None = None


class CommentDecision(Request):
    """comment.approve, comment.reject, comment.hold, comment.hide: all of `ids` or none; `group`: what waits beside
    them in their groups, too.

    Instead of `ids` the ids of `groups`, or a `topic`, and how many comments were shown as `waiting` in them, pending
    and held (to be hidden: as approved): comment_changed when there are more. `up_to`: the `last_number` then; what
    came later is neither counted nor decided.
    """

    ids: CommentIdList | None = None
    group: bool = False
    groups: CommentIdList | None = None
    topic: Id | None = None
    waiting: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    up_to: Annotated[int, Field(ge=0, le=2**53)] | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if sum(each is not None for each in (self.ids, self.groups, self.topic)) != 1:
            raise ValueError("one of ids, groups, topic")
        if self.ids is None and self.waiting is None:
            raise ValueError("groups and topics need waiting")
        return self

    def batch(self) -> Batch | None:
        """What was shown, when it is not comments by their ids."""
        if self.waiting is None or self.ids is not None:
            return None
        return Batch(self.waiting, tuple(self.groups or ()), self.topic, self.up_to)


class CommentOne(Request):
    """comment.release, comment.represent, comment.promote"""

    id: Id


class CommentUndo(Request):
    """comment.undo: the `undo` of a decision's answer."""

    id: Id


class CommentClaim(Request):
    """comment.claim: the group of the comment; `take_over`: also from somebody else."""

    id: Id
    take_over: bool = False


class CommentIds(Request):
    """comment.merge: the groups of these comments become one. comment.split: these comments become one."""

    ids: CommentIdList


class PromotionOne(Request):
    """promotion.decline"""

    id: Id


class PromotionEnd(Request):
    """promotion.end: this one, or what is before the meeting."""

    id: Id | None = None


class ClipPlay(Request):
    """clip.play: a prepared clip into the room, from there or from its cue."""

    clip_id: Id
    from_ms: Annotated[int, Field(ge=0, le=MAX_WALL_MS)] | None = None


class ClipSeek(Request):
    """clip.seek: playing as before, or standing there."""

    position_ms: Annotated[int, Field(ge=0, le=MAX_WALL_MS)]


class RecordingPause(Request):
    """recording.pause"""

    paused: bool


class TranscriptEditAt(Request):
    """transcript.edit_at: the caller writes in this segment, behind so many characters; nowhere without one. Say it
    again every few seconds: others forget it after twenty."""

    segment_id: Id | None = None
    at: Annotated[int, Field(ge=0, le=MAX_TEXT)] | None = None


REQUESTS: Final[dict[str, type[Request]]] = {
    "room.sync": Empty,
    "room.leave": Empty,
    "media.publish": MediaPublish,
    "media.restart": Empty,
    "media.wish": MediaWish,
    "media.report": MediaReport,
    "participant.update": ParticipantUpdate,
    "participant.mute": ParticipantMute,
    "participant.remove": ParticipantRemove,
    "participant.admit": ParticipantAdmit,
    "participant.refuse": ParticipantRefuse,
    "floor.request": Empty,
    "floor.withdraw": FloorWithdraw,
    "floor.grant": FloorGrant,
    "floor.extend": FloorExtend,
    "floor.end": FloorEnd,
    "floor.order": FloorOrder,
    "floor.mode": FloorMode,
    "agenda.set": AgendaSet,
    "agenda.start": AgendaStart,
    "agenda.next": AgendaStep,
    "agenda.end": AgendaStep,
    "rehearsal.start": Empty,
    "rehearsal.end": RehearsalEnd,
    "rehearsal.comment": RehearsalComment,
    "statement.add": StatementAdd,
    "statement.like": StatementLike,
    "statement.take": StatementTake,
    "statements.list": StatementsList,
    "venue.message": VenueMessageSend,
    "venue.take_over": Empty,
    "program.direct": ProgramDirect,
    "program.captions": ProgramCaptions,
    "broadcast.cut": BroadcastCut,
    "broadcast.restore": Empty,
    "broadcast.withdraw": BroadcastWithdraw,
    "broadcast.reinstate": BroadcastReinstate,
    "recording.pause": RecordingPause,
    "clip.play": ClipPlay,
    "clip.pause": Empty,
    "clip.resume": Empty,
    "clip.seek": ClipSeek,
    "clip.stop": Empty,
    "comments.list": CommentsList,
    "comments.group": CommentsGroup,
    "comments.topics": Empty,
    "comment.approve": CommentDecision,
    "comment.reject": CommentDecision,
    "comment.hold": CommentDecision,
    "comment.hide": CommentDecision,
    "comment.reopen": CommentReopen,
    "comment.undo": CommentUndo,
    "comment.claim": CommentClaim,
    "comment.release": CommentOne,
    "comment.represent": CommentOne,
    "comment.merge": CommentIds,
    "comment.split": CommentIds,
    "comment.promote": CommentOne,
    "promotions.list": Empty,
    "promotion.decline": PromotionOne,
    "promotion.end": PromotionEnd,
    "transcript.edit_at": TranscriptEditAt,
}

DESK_REQUESTS: Final = frozenset(
    {
        "room.sync",
        "participant.mute",
        "participant.remove",
        "participant.admit",
        "participant.refuse",
        *(
            name
            for name in REQUESTS
            if name.startswith(
                (
                    "floor.",
                    "agenda.",
                    "program.",
                    "broadcast.",
                    "recording.",
                    "clip.",
                    "rehearsal.",
                    "comment",
                    "promotion",
                    "transcript.",
                )
            )
        ),
        "statement.take",
        "statements.list",
        "venue.message",
    }
) - {"floor.request"}


class Credentials(BaseModel):
    """`auth` of the connection. Lenient where it does not matter: a name or a device that cannot be used is
    as if it was not given."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    token: str | None = None
    resume: Resume | None = None
    name: str | None = None
    kind: Device | None = None
    take_over: bool = False
    screen: bool = False

    @model_validator(mode="before")
    @classmethod
    def _lenient(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return {}
        token, name, kind = value.get("token"), value.get("name"), value.get("kind")
        return {
            "token": token if isinstance(token, str) else None,
            "resume": _resume(value.get("resume")),
            "name": name.strip()[:MAX_NAME_CHARS] if isinstance(name, str) else None,
            "take_over": value.get("take_over") is True,
            "screen": value.get("screen") is True,
            "kind": kind if kind in {each.value for each in Device} else None,
        }


def _resume(value: Any) -> Resume | None:
    if not isinstance(value, dict):
        return None
    participant_id, secret = value.get("participant_id"), value.get("secret")
    if not isinstance(participant_id, str) or not isinstance(secret, str) or len(secret) > 200:
        return None
    return Resume(participant_id, secret)
