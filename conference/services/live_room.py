"""A live room in memory: its seats, its version, and how its state is shown.

What a restart must not forget is in each seat's `participant`, which equals its row. The rest lives as
long as a connection does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from conference.desk_views import BroadcastView, CameraView, DiskView, ProgramView, StorageView
from conference.events import (
    AgendaUpdated,
    AwaitedConsultation,
    BroadcastUpdated,
    CameraRemoved,
    CameraUpdated,
    CaptionCorrected,
    CaptionFinal,
    CaptionPartial,
    CaptionsUpdated,
    ClipsUpdated,
    ClipUpdated,
    ConsultationUpdated,
    ConsultationView,
    DeskSelfView,
    DeskSnapshot,
    DiskUpdated,
    FloorUpdated,
    FloorView,
    MediaView,
    NoteAdded,
    NoteUpdated,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    ParticipantView,
    PlayingView,
    ProgramUpdated,
    RelayUpdated,
    RoomEvent,
    SelfView,
    SessionEvent,
    Snapshot,
    SpeakersNow,
    StatementAdded,
    StatementUpdated,
    StorageUpdated,
    VenueMessaged,
    VenueMessageView,
    Waiting,
    WaitingJoined,
    WaitingLeft,
    WaitingView,
)
from conference.model.agenda import Agenda
from conference.model.attendance import Stay
from conference.model.broadcast import Cut
from conference.model.clip import Clip, ClipScope, Playing
from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError, ConflictError, ForbiddenError, NotFoundError
from conference.model.floor import Turn
from conference.model.media import PublicationInfo, Speaker, SubscriberOffer, TrackReport
from conference.model.participant import FloorGate, LeaveReason, Participant, ParticipantKind
from conference.model.permissions import Action, Role, actions_of, allowed
from conference.model.recording import RecordingState
from conference.model.speaking import speaks_for
from conference.model.statement import Statement, StatementBoard
from conference.model.transcript import CaptionState
from conference.model.venue_message import NEWEST, Talkback, VenueMessage, visible_to
from conference.services.captions import Captions
from conference.services.change import Change
from conference.services.ports import Publisher
from conference.services.trace import Bearer, Caller, person
from conference.services.views import (
    broadcast_view,
    clip_view,
    floor_view,
    newest_statements,
    playing_view,
    statement_view,
    venue_message_view,
    waiting_view,
)
from conference.services.warrants import Warrant


@dataclass(slots=True)
class OutstandingOffer:
    """An offer that the participant has not answered. Times are monotonic seconds."""

    offer: SubscriberOffer
    deadline_s: float | None  # None: not delivered, nobody is connected
    patience_s: float  # how long the next one may take


@dataclass(frozen=True, slots=True)
class PlaybackReport:
    """How a client played what it received, in `interval_ms` before `at_s` (monotonic), by publication."""

    at_s: float
    interval_ms: int
    tracks: Mapping[str, TrackReport]


@dataclass(slots=True)
class Seat:
    """One participant in the room."""

    participant: Participant
    stay: Stay | None = None  # its connection in the list of attendance
    resume_secret: str = ""
    session_id: str | None = None
    lost_at_s: float | None = None  # since when no session (WHIP: no transport) holds the seat
    connect_by_s: float | None = None  # WHIP: until its transport connects, the time by which it must
    publications: tuple[PublicationInfo, ...] = ()
    quality: int | None = None
    offer: OutstandingOffer | None = None
    playback: PlaybackReport | None = None
    layers: dict[str, tuple[str, ...]] = field(default_factory=dict)  # needed, by publication
    ice_generation: int = 1  # WHIP: one more after each ICE restart
    warrant: Warrant | None = None  # what its session came with; None until somebody is back after a restart

    @property
    def id(self) -> str:
        return self.participant.id


@dataclass(slots=True)
class Listener:
    """A WHEP session: it receives one participant and is not listed."""

    id: str
    target_id: str
    token_id: str
    connect_by_s: float | None
    lost_at_s: float | None = None
    ice_generation: int = 1
    warrant: Warrant | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """A session that follows and leads the room without a seat in it."""

    id: str
    session_id: str
    bearer: Bearer
    venue: str | None = None
    warrant: Warrant | None = None


@dataclass(frozen=True, slots=True)
class ChangeMark:
    """The last time that a person changed the floor, or the agenda: what two chairs at once are told apart by."""

    version: int
    actor_id: str | None
    name: str

    def require_seen(self, version: int | None, actor_id: str | None, what: str) -> None:
        """ConflictError for somebody else who saw an older version."""
        if version is not None and version < self.version and actor_id != self.actor_id:
            raise ConflictError(self.name, what, f"version {version} is older than {self.version}")


@dataclass(slots=True)
class LiveRoom:
    """The room of one consultation. Changes are made under `lock`, after their rows are committed."""

    consultation: Consultation
    publisher: Publisher
    version: int = 0
    seats: dict[str, Seat] = field(default_factory=dict)  # in the order of joining
    waiting: dict[str, Seat] = field(default_factory=dict)  # before the door: not in the meeting, no media
    listeners: dict[str, Listener] = field(default_factory=dict)
    desks: dict[str, Desk] = field(default_factory=dict)
    # Big screens: they receive, and are not in the meeting.
    screens: dict[str, Seat] = field(default_factory=dict)
    speakers: tuple[Speaker, ...] = ()
    agenda: Agenda = field(default_factory=Agenda)
    board: StatementBoard = field(default_factory=StatementBoard)
    talkback: Talkback = field(default_factory=Talkback)
    turn: Turn | None = None  # who holds the floor
    turn_since_s: float = 0.0  # monotonic: since when the turn is in its state
    recording: RecordingState = RecordingState.OFF
    captions: Captions = field(default_factory=Captions)
    playing: Playing | None = None  # the clip in the room
    playing_of: str | None = None  # the venue whose clip that is
    cuts: tuple[Cut, ...] = ()  # in the order in which they were said
    program: ProgramView | None = None
    disk: DiskView | None = None
    storage: StorageView | None = None  # None where its body has no limit
    cameras: dict[str, CameraView] = field(default_factory=dict)  # by venue and position
    relay: str = "off"
    focus_told: tuple[object, ...] | None = None  # what the media process was last told, and which one
    floor_mark: ChangeMark | None = None
    agenda_mark: ChangeMark | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    closed: bool = False  # dropped from the registry: get the room again
    _floor_shown: FloorView = field(init=False)
    _broadcast_shown: BroadcastView = field(init=False)

    def __post_init__(self) -> None:
        self._floor_shown = self.floor_view()
        self._broadcast_shown = self.broadcast_view()

    @property
    def id(self) -> str:
        return self.consultation.id

    @property
    def is_empty(self) -> bool:
        return not (self.seats or self.waiting or self.listeners or self.desks or self.screens)

    @property
    def connected(self) -> int:
        """How many of its seats somebody holds now."""
        return sum(seat.lost_at_s is None for seat in self.seats.values())

    @property
    def last_joined_at_ms(self) -> int:
        """When the youngest seat was taken: two never have the same time, so rows keep the order."""
        return max((seat.participant.joined_at_ms for seat in self.seats.values()), default=0)

    def seat(self, participant_id: str) -> Seat:
        """The participant's seat, or NotFoundError; not_admitted for who is still before the door."""
        seat = self.seats.get(participant_id)
        if seat is None:
            if participant_id in self.waiting:
                raise ConferenceError("not_admitted", participant_id)
            if participant_id in self.screens:
                raise ForbiddenError("a screen shows, and does nothing else")
            raise NotFoundError(f"participant {participant_id}")
        return seat

    def receiver(self, participant_id: str) -> Seat:
        """The same for what concerns receiving alone, which big screens do as well."""
        return self.screens.get(participant_id) or self.seat(participant_id)

    def receivers(self) -> tuple[Seat, ...]:
        """All to whom media is offered."""
        return (*self.seats.values(), *self.screens.values())

    def held_by(self, invitee_id: str | None) -> Seat | None:
        """Where this invitee sits or waits now; encoders do not count."""
        for seat in (*self.seats.values(), *self.waiting.values()):
            p = seat.participant
            if invitee_id is not None and p.invitee_id == invitee_id and p.kind is ParticipantKind.CLIENT:
                return seat
        return None

    def holder(self, turn: Turn | None) -> Participant | None:
        """Whose turn this is; None when it is nobody's, or of somebody who is not in the room."""
        seat = None if turn is None else self.seats.get(turn.participant_id)
        return None if seat is None else seat.participant

    def focus(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Those whose microphone who has the floor speaks into, and those of who chairs: a hall's is shared."""
        people = [seat.participant for seat in self.seats.values()]
        holder = self.holder(self.turn)
        floor = () if holder is None else tuple(p.id for p in people if speaks_for(holder, p))
        chairs = [p for p in people if p.role is Role.CHAIR]
        return floor, tuple(p.id for p in people if any(speaks_for(chair, p) for chair in chairs))

    def caller(self, by: str | Bearer) -> Caller:
        """Who asks: somebody in the room or at a desk, by id, or the bearer of a token."""
        desk = self.desks.get(by) if isinstance(by, str) else None
        bearer = desk.bearer if desk is not None else by
        if isinstance(bearer, str):
            participant = self.seat(bearer).participant
            return Caller(
                participant.role, participant.name, person(participant), participant.id, participant.user_id
            )
        return Caller(bearer.role, bearer.name, bearer.actor, user_id=bearer.user_id)

    # ── hands ───────────────────────────────────────────────────────────────────────────────────

    def hands(self) -> list[str]:
        """Ids of those who raised a hand, first come first."""
        raised = [
            (seat.participant.hand_order, seat.id)
            for seat in self.seats.values()
            if seat.participant.hand_order is not None
        ]
        return [participant_id for _, participant_id in sorted(raised)]

    def next_hand_order(self) -> int:
        """Greater than every order in the queue."""
        return 1 + max((seat.participant.hand_order or 0 for seat in self.seats.values()), default=0)

    # ── changes, each told to the room ──────────────────────────────────────────────────────────

    def add(self, seat: Seat) -> None:
        self.seats[seat.id] = seat
        self._publish(ParticipantJoined(self._next_version(), self.view(seat)))

    def remove(self, seat: Seat, reason: LeaveReason) -> None:
        """The seat is free; those behind in the queue of hands move up."""
        hands_before = self.hands()
        del self.seats[seat.id]
        self.speakers = tuple(s for s in self.speakers if s.participant_id != seat.id)
        self._publish(ParticipantLeft(self._next_version(), seat.id, reason))
        if seat.id in hands_before:
            self.changed(hands_before[hands_before.index(seat.id) + 1 :])
        self._show_floor()

    def apply(self, change: Change) -> None:
        """Put the new states in place (their rows are committed) and tell the room what looks different."""
        touched = dict.fromkeys([*(each.id for each in change.participants), *self.hands()])
        before = self._views_of(touched)
        for participant in change.participants:
            self.seats[participant.id].participant = participant
        touched.update(dict.fromkeys(self.hands()))
        for view in self._views_of(touched).values():
            if before.get(view.id) != view:
                self._publish(ParticipantUpdated(self._next_version(), view))
        if change.consultation is not None and change.consultation != self.consultation:
            self.consultation = change.consultation
            self._publish(ConsultationUpdated(self._next_version(), self.consultation_view()))
        if change.agenda is not None and change.agenda != self.agenda:
            self.agenda = change.agenda
            self._publish(AgendaUpdated(self._next_version(), self.agenda.items))
        for turn in change.turns:
            self.turn = turn if turn.is_open else None
        self._show_floor()
        self.cuts = tuple({each.id: each for each in (*self.cuts, *change.cuts)}.values())
        self._show_broadcast()

    def _views_of(self, participant_ids: Iterable[str]) -> dict[str, ParticipantView]:
        hands = self.hands()
        return {each: self.view(self.seats[each], hands) for each in participant_ids}

    def _show_floor(self) -> None:
        """Tell the room how the floor looks, when it looks different."""
        floor = self.floor_view()
        if floor != self._floor_shown:
            self._floor_shown = floor
            self._publish(FloorUpdated(self._next_version(), floor))

    def changed(self, participant_ids: Iterable[str]) -> None:
        """Tell the room how these participants look now."""
        hands = self.hands()
        for participant_id in participant_ids:
            view = self.view(self.seats[participant_id], hands)
            self._publish(ParticipantUpdated(self._next_version(), view))

    def set_speakers(self, speakers: Iterable[Speaker]) -> None:
        self.speakers = tuple(s for s in speakers if s.participant_id in self.seats)
        self._publish(SpeakersNow(self.speakers))

    def set_recording(self, state: RecordingState) -> None:
        """Tell everybody whether what they say is kept, when that changed."""
        if state is not self.recording:
            self.recording = state
            self._publish(ConsultationUpdated(self._next_version(), self.consultation_view()))

    def rewound(
        self,
        consultation: Consultation,
        board: StatementBoard,
        messages: Iterable[VenueMessage],
        stays: Mapping[str, Stay],
    ) -> None:
        """A rehearsal is over: everything is what the rows say. Clients ask for the room anew when they hear that it
        is one no more."""
        self.consultation, self.board, self.talkback = consultation, board, Talkback.of(list(messages))
        state, self.captions = self.captions.state, Captions()
        self.captions.state = state
        self.turn, self.cuts, self.floor_mark, self.agenda_mark = None, (), None, None
        for seat in self.seats.values():
            if seat.stay is not None:
                seat.stay = stays.get(seat.stay.id)
        self._show_floor()
        self._show_broadcast()
        self._publish(ConsultationUpdated(self._next_version(), self.consultation_view()))

    # ── captions ────────────────────────────────────────────────────────────────────────────────

    def set_captions(self, state: CaptionState) -> None:
        """Tell everybody how captions fare, when that changed."""
        if state is not self.captions.state:
            self.captions.state = state
            self._publish(CaptionsUpdated(self._next_version(), state))

    def show_partial(self, partial: CaptionPartial, speaker_id: str, now_s: float) -> None:
        """What is being said. `speaker_id`: the participant whose name stands before it."""
        self.captions.partial(partial.participant_id, speaker_id, partial.text, now_s)
        self._publish(partial)

    def show_final(self, final: CaptionFinal, speaker_id: str, now_s: float) -> None:
        """What was said and is written down."""
        self.captions.final(final, speaker_id, now_s)
        self._publish(final)

    def correct_caption(self, segment_id: str, text: str) -> None:
        """Its row was changed: whoever still shows it follows. An empty text takes it away."""
        self.captions.correct(segment_id, text)
        self._publish(CaptionCorrected(segment_id, text))

    # ── clips ───────────────────────────────────────────────────────────────────────────────────

    def show_clip(self, playing: Playing | None, venue_id: str | None = None) -> None:
        """The clip in the room is so now. None: there is none."""
        before, self.playing, self.playing_of = self.playing, playing, venue_id
        if before != playing:
            self._publish(ClipUpdated(self._next_version(), self.clip_view()))

    def clip_view(self) -> PlayingView | None:
        return None if self.playing is None else playing_view(self.playing, self.playing_of)

    def show_clips(self, clips: Sequence[Clip]) -> None:
        """All prepared clips, to those who may see them."""
        told = ClipsUpdated(tuple(clip_view(each) for each in clips))
        for desk in self.desks.values():
            if allowed(desk.bearer.role, Action.CLIP_ADD):
                self.publisher.send(desk.session_id, told)
        for seat in self.seats.values():
            p = seat.participant
            if p.role is Role.VENUE_OPERATOR and seat.session_id is not None:
                scope = ClipScope.of(p.role, p.venue_id, p.venue, p.name)
                own = tuple(clip_view(each) for each in clips if scope.holds(each))
                self.publisher.send(seat.session_id, ClipsUpdated(own))

    # ── the program, shown to desks ─────────────────────────────────────────────────────────────

    def show_program(self, program: ProgramView | None) -> None:
        """How the program fares now."""
        if program != self.program:
            self.program = program
            self._tell_desks(ProgramUpdated(program))

    def show_disk(self, disk: DiskView) -> None:
        """How much may still be kept."""
        if disk != self.disk:
            self.disk = disk
            self._tell_desks(DiskUpdated(disk))

    def show_storage(self, storage: StorageView | None) -> None:
        """How much space its body uses of what it may."""
        if storage != self.storage:
            self.storage = storage
            self._tell_desks(StorageUpdated(storage))

    def show_cameras(self, cameras: Iterable[CameraView]) -> None:
        """How all cameras of venues fare, instead of before."""
        before, self.cameras = self.cameras, {each.id: each for each in cameras}
        for view in before.values():
            if view.id not in self.cameras:
                self._tell_venue(view.venue_id, CameraRemoved(view.id))
        for view in self.cameras.values():
            if before.get(view.id) != view:
                self._tell_venue(view.venue_id, CameraUpdated(view))

    def cameras_for(self, role: Role, venue_id: str | None) -> tuple[CameraView, ...]:
        """Those that somebody in the room is told of: an operator of the own venue's."""
        if role is not Role.VENUE_OPERATOR or venue_id is None:
            return ()
        return tuple(each for each in self.cameras.values() if each.venue_id == venue_id)

    def _tell_venue(self, venue_id: str, event: SessionEvent) -> None:
        """Desks, and who runs the venue."""
        self._tell_desks(event)
        for seat in self.seats.values():
            p = seat.participant
            if p.role is Role.VENUE_OPERATOR and p.venue_id == venue_id and seat.session_id is not None:
                self.publisher.send(seat.session_id, event)

    def show_relay(self, relay: str) -> None:
        """Whether there is a relay, as `ports.Relay.health` says."""
        if relay != self.relay:
            self.relay = relay
            self._tell_desks(RelayUpdated(relay))

    def _show_broadcast(self) -> None:
        broadcast = self.broadcast_view()
        if broadcast != self._broadcast_shown:
            self._broadcast_shown = broadcast
            self._tell_desks(BroadcastUpdated(broadcast))

    def _tell_desks(self, event: SessionEvent) -> None:
        for desk in self.desks.values():
            self.publisher.send(desk.session_id, event)

    # ── the waiting room ────────────────────────────────────────────────────────────────────────

    def add_waiting(self, seat: Seat) -> None:
        """Somebody waits: those who may admit are told."""
        self.waiting[seat.id] = seat
        self._tell_admitters(WaitingJoined(waiting_view(seat.participant)))

    def remove_waiting(self, seat: Seat) -> None:
        """Admitted, refused or gone."""
        del self.waiting[seat.id]
        self._tell_admitters(WaitingLeft(seat.id))

    def show_waiting(self, seat: Seat, participant: Participant) -> None:
        """Somebody who waits looks different now, and keeps the place in the row."""
        self._tell_admitters(WaitingLeft(seat.id))
        seat.participant = participant
        self._tell_admitters(WaitingJoined(waiting_view(participant)))

    def waiting_views(self, role: Role) -> tuple[WaitingView, ...] | None:
        """Who waits, first come first; None for those who may not admit."""
        if not allowed(role, Action.PARTICIPANT_ADMIT):
            return None
        return tuple(waiting_view(seat.participant) for seat in self.waiting.values())

    def waiting_event(self, seat: Seat) -> Waiting:
        """What somebody before the door is told: nothing of the room."""
        c, p = self.consultation, seat.participant
        return Waiting(
            name=p.name,
            role=p.role,
            venue=p.venue,
            since_wall_ms=p.waiting_since_ms or 0,
            participant_id=p.id,
            resume_secret=seat.resume_secret,
            consultation=AwaitedConsultation(c.id, c.title, c.status, c.scheduled_at_ms, c.organization),
        )

    def _tell_admitters(self, event: SessionEvent) -> None:
        for seat in self.seats.values():
            if seat.session_id is not None and allowed(seat.participant.role, Action.PARTICIPANT_ADMIT):
                self.publisher.send(seat.session_id, event)
        for desk in self.desks.values():
            if allowed(desk.bearer.role, Action.PARTICIPANT_ADMIT):
                self.publisher.send(desk.session_id, event)

    # ── statements ──────────────────────────────────────────────────────────────────────────────

    def add_statement(self, statement: Statement) -> None:
        """It is committed: tell those who may see it."""
        self.board.put(statement)
        view = statement_view(self.board, statement)
        if statement.private:
            self._tell_some(statement, NoteAdded(view))
        else:
            self._publish(StatementAdded(self._next_version(), view))

    def change_statement(self, statement: Statement) -> None:
        """The same for one that changed, or its likes."""
        self.board.put(statement)
        view = statement_view(self.board, statement)
        if statement.private:
            self._tell_some(statement, NoteUpdated(view))
        else:
            self._publish(StatementUpdated(self._next_version(), view))

    def _tell_some(self, statement: Statement, event: SessionEvent) -> None:
        for seat in self.seats.values():
            is_seen = self.board.visible_to(statement, seat.id, seat.participant.role)
            if seat.session_id is not None and is_seen:
                self.publisher.send(seat.session_id, event)
        for desk in self.desks.values():
            if self.board.visible_to(statement, None, desk.bearer.role):
                self.publisher.send(desk.session_id, event)

    # ── talkback ────────────────────────────────────────────────────────────────────────────────

    def add_venue_message(self, message: VenueMessage) -> None:
        """It is committed: tell those whom it concerns."""
        self.talkback.put(message)
        event = VenueMessaged(venue_message_view(message))
        for seat in self.seats.values():
            p = seat.participant
            if seat.session_id is not None and visible_to(message, p.role, p.venue_id, p.venue):
                self.publisher.send(seat.session_id, event)
        for desk in self.desks.values():
            if visible_to(message, desk.bearer.role, None, None):
                self.publisher.send(desk.session_id, event)

    def venue_messages(
        self, role: Role, venue_id: str | None, venue: str | None
    ) -> tuple[VenueMessageView, ...] | None:
        """The newest that somebody may read, oldest first; None for those who are not concerned."""
        found = self.talkback.visible(role, venue_id, venue)
        return None if found is None else tuple(venue_message_view(each) for each in found[-NEWEST:])

    # ── views ───────────────────────────────────────────────────────────────────────────────────

    def consultation_view(self) -> ConsultationView:
        c = self.consultation
        return ConsultationView(
            id=c.id,
            title=c.title,
            status=c.status,
            mode=c.mode,
            recording=self.recording,
            captions=self.captions.state,
            program_captions=c.program_captions,
        )

    def view(self, seat: Seat, hands: list[str] | None = None) -> ParticipantView:
        p = seat.participant
        hand = None
        if p.hand_order is not None:
            hand = (self.hands() if hands is None else hands).index(p.id) + 1
        return ParticipantView(
            id=p.id,
            name=p.name,
            role=p.role,
            venue=p.venue,
            kind=p.kind,
            device=p.device,
            joined_at_ms=p.joined_at_ms,
            connected=seat.lost_at_s is None,
            microphone=p.sound_open,
            camera=p.camera_on,
            hard_muted=p.is_locked,
            muted_by=None if p.floor_gate is FloorGate.OPEN else p.muted_by,
            hand=hand,
            quality=seat.quality,
            publications=seat.publications,
            title=p.title,
            sector=p.sector,
            in_hall=p.in_hall,
            entered_by=p.entered_by,
        )

    def views(self) -> tuple[ParticipantView, ...]:
        hands = self.hands()
        return tuple(self.view(seat, hands) for seat in self.seats.values())

    def floor_view(self) -> FloorView:
        queue = (self.seats[each].participant for each in self.hands())
        return floor_view(self.consultation.mode, self.turn, queue)

    def broadcast_view(self) -> BroadcastView:
        return broadcast_view(self.consultation, self.cuts)

    def snapshot(
        self,
        seat: Seat,
        *,
        media: MediaView,
        program_time_ms: int | None,
        server_time_ms: int,
        resumed: bool,
    ) -> Snapshot:
        p = seat.participant
        statements, statement_count = newest_statements(self.board, p.id, p.role)
        return Snapshot(
            version=self.version,
            consultation=self.consultation_view(),
            program_time_ms=program_time_ms,
            server_time_ms=server_time_ms,
            self=SelfView(
                participant_id=p.id,
                name=p.name,
                role=p.role,
                venue=p.venue,
                resume_secret=seat.resume_secret,
                resumed=resumed,
                can=actions_of(p.role),
                in_hall=p.in_hall,
            ),
            media=media,
            participants=self.views(),
            speakers=self.speakers,
            agenda=self.agenda.items,
            floor=self.floor_view(),
            statements=statements,
            statement_count=statement_count,
            waiting=self.waiting_views(p.role),
            recent_captions=self.captions.recent,
            venue_messages=self.venue_messages(p.role, p.venue_id, p.venue),
            cameras=self.cameras_for(p.role, p.venue_id),
            clip=self.clip_view(),
        )

    def desk_snapshot(self, desk: Desk, *, program_time_ms: int | None, server_time_ms: int) -> DeskSnapshot:
        by = desk.bearer
        statements, statement_count = newest_statements(self.board, None, by.role)
        return DeskSnapshot(
            version=self.version,
            consultation=self.consultation_view(),
            program_time_ms=program_time_ms,
            server_time_ms=server_time_ms,
            self=DeskSelfView(by.name, by.role, desk.venue, actions_of(by.role)),
            participants=self.views(),
            speakers=self.speakers,
            agenda=self.agenda.items,
            floor=self.floor_view(),
            statements=statements,
            statement_count=statement_count,
            waiting=self.waiting_views(by.role),
            broadcast=self.broadcast_view(),
            program=self.program,
            disk=self.disk,
            storage=self.storage,
            relay=self.relay,
            recent_captions=self.captions.recent,
            venue_messages=self.venue_messages(by.role, None, None),
            cameras=tuple(self.cameras.values()),
            clip=self.clip_view(),
        )

    def _next_version(self) -> int:
        self.version += 1
        return self.version

    def _publish(self, event: RoomEvent) -> None:
        self.publisher.publish(self.id, event)
