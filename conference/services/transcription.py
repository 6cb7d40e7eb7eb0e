"""Transcription: which rooms are listened to, and how captions fare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from conference.model.audit import SYSTEM, AuditEntry, Value
from conference.model.broadcast import CutKind, running
from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError
from conference.model.media import TRANSCRIPTION_TAP, Source, TapLost
from conference.model.permissions import Role
from conference.model.speaking import speaks_for
from conference.model.transcript import CaptionState
from conference.services.heard import HeardRows, Rewriter
from conference.services.heard_segments import Written
from conference.services.live_captions import LiveCaptions
from conference.services.live_room import LiveRoom
from conference.services.media_sessions import RoomsEvent
from conference.services.pauses import until
from conference.services.ports import MediaError, Transcriber
from conference.services.rooms import Rooms
from conference.services.transcript_news import TranscriptNews
from conference.worker_events import (
    Heard,
    HeardPartial,
    ListenEnded,
    TranscriberEvent,
    TranscriberLoad,
    TranscriberModel,
    TranscriberReady,
)

log = structlog.get_logger(__name__)

_PATIENCE_S: Final = (
    15.0  # a large model takes its time; what takes longer is trouble that people are told of
)
_LOOK_S: Final = 0.05  # how often it is looked whether one that is held has ended
_AGAIN_S: Final = 1.0  # a tap that was lost or refused is tried again after this
_LATE_MS: Final = 5_000
_CAUGHT_UP_MS: Final = 2_000  # captions that were late are late no more
_BEHIND_MS: Final = 3_000  # what is recorded is on the disk
_LONGEST_MS: Final = (
    45_000  # an utterance and what is told of it: a microphone that was silent for so long was left
)
_NO_MODEL: Final = frozenset({"no_model", "model_broken", "wrong_rate", "engine_missing"})


@dataclass(slots=True)
class _Kept:
    """A room that is listened to."""

    since_s: float  # monotonic: when the state began that is not what it should be
    socket_path: str | None = None  # where the worker waits for the tap
    epoch: str | None = None  # of the media process that the tap stands with
    tapped_at_ms: int = 0  # program time
    ends: int = 0  # of taps, as heard from the worker or the media process
    not_before_s: float = 0.0  # monotonic: no tap before
    reason: str = "worker_ended"  # why it would be in trouble
    state: CaptionState = CaptionState.STARTING  # as told last
    is_noted: bool = False  # whether the trace says that it goes on
    preferred: tuple[str, ...] = ()
    reached: dict[str, int] = field(
        default_factory=dict
    )  # by microphone: program time up to which it was heard

    def lost(self, not_before_s: float = 0.0) -> None:
        self.epoch, self.not_before_s = None, not_before_s
        self.ends += 1


class Transcription:
    """Every live room of this node is listened to, unless its consultation says otherwise or its recording is paused.

    A transcriber in trouble never harms the room: captions say so, and what was said is recognised from the recording.
    """

    def __init__(
        self, rooms: Rooms, transcriber: Transcriber, rewriter: Rewriter, *, enabled: bool = True
    ) -> None:
        """Without `enabled` this server listens to nobody. `rewriter`: what the terms make of what was said."""
        self._enabled = enabled
        self._rooms = rooms
        self._transcriber = transcriber
        self._kept: dict[str, _Kept] = {}
        self._load: TranscriberLoad | None = None
        self._captions, self._news = LiveCaptions(rooms), TranscriptNews(rooms)
        self.rows = HeardRows(rooms, rewriter, self._written)
        self.ended_jobs: list[ListenEnded] = []  # not dealt with yet
        self._held: set[str] = set()  # nobody listens to them
        self._unwanted: set[str] = (
            set()
        )  # what is still told of them is dropped, until they are listened to anew
        transcriber.listen(self._receive)

    # ── keeping ─────────────────────────────────────────────────────────────────────────────────

    async def tick(self) -> None:
        """Call a few times a second."""
        for room in self._rooms.all() if self._enabled else ():
            if room.id not in (*self._kept, *self._held) and _is_wanted(room.consultation):
                self._kept[room.id] = _Kept(self._rooms.clock.monotonic())
                self._transcriber.begin(room.id)
        for consultation_id, kept in tuple(self._kept.items()):
            try:
                await self._see_to(consultation_id, kept)
            except ConferenceError as error:
                # The next tick tries again, and other rooms do not wait for this one.
                log.warning("transcription.delayed", room=consultation_id, code=error.code)
            except Exception as error:  # a database that refuses a row says so in its own way
                log.error("transcription.delayed", room=consultation_id, exc_info=error)

    async def stop(self) -> None:
        """The server stops: what was told is written down."""
        await self.rows.write(everything=True)

    async def _see_to(self, consultation_id: str, kept: _Kept) -> None:
        consultation = await self._consultation(consultation_id)
        if consultation is None:
            await self._end(consultation_id, kept)
        elif consultation.recording_paused or self._is_unkept(consultation_id):
            await self._pause(consultation, kept)
        else:
            await self._tap(consultation, kept)
            await self._show(consultation, kept)
            self._prefer(consultation_id, kept)

    def _is_unkept(self, consultation_id: str) -> bool:
        """Whether this stretch is not recorded, so that nothing of it is written down either."""
        room = self._rooms.find(consultation_id)
        return room is not None and running(room.cuts, CutKind.PAUSE) is not None

    async def _consultation(self, consultation_id: str) -> Consultation | None:
        """The consultation, while it is to be listened to here."""
        if consultation_id in self._held:
            return None
        room = self._rooms.find(consultation_id)
        if room is not None:
            return room.consultation if _is_wanted(room.consultation) else None
        if consultation_id in self._rooms.registry.elsewhere():
            return None
        async with self._rooms.storage.reading() as unit:
            found = await unit.consultations.get(consultation_id)
        return found if found is not None and _is_wanted(found) else None

    async def _tap(self, consultation: Consultation, kept: _Kept) -> None:
        media, now_s = self._rooms.media, self._rooms.clock.monotonic()
        epoch, ends, path = media.epoch(consultation.id), kept.ends, kept.socket_path
        if path is None or not epoch or kept.epoch == epoch or now_s < kept.not_before_s:
            return
        program_time_ms = self._rooms.program_time_ms(consultation) or 0
        try:
            await media.tap(
                consultation.id,
                path,
                program_time_ms=program_time_ms,
                at_monotonic_s=self._rooms.clock.monotonic(),
                name=TRANSCRIPTION_TAP,
                sources=(Source.MICROPHONE,),
            )
        except MediaError as error:
            log.warning("transcription.tap_failed", room=consultation.id, code=error.code)
            kept.not_before_s = self._rooms.clock.monotonic() + _AGAIN_S
            kept.reason = error.code
        else:
            if kept.ends == ends:  # it may have ended before this was heard
                kept.epoch, kept.tapped_at_ms = epoch, program_time_ms

    async def _pause(self, consultation: Consultation, kept: _Kept) -> None:
        """The worker is given nothing; people are told so once that is true."""
        if kept.epoch is not None:
            try:
                await self._rooms.media.untap(consultation.id, TRANSCRIPTION_TAP)
            except MediaError as error:
                log.warning("transcription.untap_failed", room=consultation.id, code=error.code)
                return  # a tap that is lost with its media process is heard of
            kept.lost()
        kept.since_s, kept.state = self._rooms.clock.monotonic(), CaptionState.PAUSED
        self._tell(consultation.id, kept, CaptionState.PAUSED)

    async def _show(self, consultation: Consultation, kept: _Kept) -> None:
        """Note the state when it changed, and tell the room."""
        state = self._state(consultation.id, kept)
        is_on = state in (CaptionState.ON, CaptionState.LATE)
        if is_on is not kept.is_noted and state is not CaptionState.STARTING:
            action = "captions.started" if is_on else "captions.interrupted"
            await self._note(consultation, action, {} if is_on else {"reason": self._reason(kept)})
            kept.is_noted = is_on
        kept.state = state
        self._tell(consultation.id, kept, state)

    def _state(self, consultation_id: str, kept: _Kept) -> CaptionState:
        now_s = self._rooms.clock.monotonic()
        if kept.epoch is not None and kept.epoch == self._rooms.media.epoch(consultation_id):
            kept.since_s = now_s
            lag_ms = 0 if self._load is None else self._load.lag_ms
            limit_ms = _CAUGHT_UP_MS if kept.state is CaptionState.LATE else _LATE_MS
            return CaptionState.LATE if lag_ms > limit_ms else CaptionState.ON
        if self._transcriber.model().reason in _NO_MODEL:
            kept.since_s = now_s
            return CaptionState.NO_MODEL
        if now_s - kept.since_s >= _PATIENCE_S:
            return CaptionState.TROUBLE
        fresh = kept.state in (CaptionState.NO_MODEL, CaptionState.PAUSED)
        return CaptionState.STARTING if fresh else kept.state

    def _reason(self, kept: _Kept) -> str:
        return self._transcriber.model().reason or kept.reason

    def _prefer(self, consultation_id: str, kept: _Kept) -> None:
        room = self._rooms.find(consultation_id)
        wanted = () if room is None else _preferred(room)
        if wanted != kept.preferred:
            kept.preferred = wanted
            self._transcriber.prefer(consultation_id, wanted)

    def _tell(self, consultation_id: str, kept: _Kept, state: CaptionState) -> None:
        room = self._rooms.find(consultation_id)
        if room is None or room.closed:
            return
        room.set_captions(state)
        if kept.epoch is None:
            self._captions.end_partials(consultation_id)

    async def _end(self, consultation_id: str, kept: _Kept) -> None:
        """It is over, switched off, or another node has the room."""
        if kept.is_noted:
            async with self._rooms.storage.reading() as unit:
                consultation = await unit.consultations.get(consultation_id)
            if consultation is not None:
                await self._note(consultation, "captions.ended", {})
        del self._kept[consultation_id]
        try:
            await self._rooms.media.untap(consultation_id, TRANSCRIPTION_TAP)
        except MediaError as error:
            log.warning("transcription.untap_failed", room=consultation_id, code=error.code)
        self._transcriber.end(consultation_id)
        kept.lost()
        self._tell(consultation_id, kept, CaptionState.OFF)

    async def _note(self, consultation: Consultation, action: str, content: dict[str, Value]) -> None:
        at_ms, now_ms = self._rooms.program_time_ms(consultation), self._rooms.clock.wall_ms()
        entry = AuditEntry(consultation.id, now_ms, at_ms, SYSTEM, action, consultation.id, content)
        async with self._rooms.storage.transaction() as unit:
            await unit.audit.append(entry)

    def _written(self, consultation_id: str, written: Sequence[Written]) -> None:
        """Rows are there: everybody reads them, and desks put them into the transcript."""
        self._captions.written(consultation_id, written)
        self._news.tell(consultation_id, [each.segment for each in written])

    # ── what the transcriber and the media process tell ─────────────────────────────────────────

    def _receive(self, event: TranscriberEvent) -> None:
        """Called on the event loop, in order; never waits."""
        match event:
            case Heard() | HeardPartial() if event.consultation_id in self._unwanted:
                return
            case Heard():
                kept = self._kept.get(event.consultation_id)
                if kept is not None and event.job_id is None:
                    before_ms = kept.reached.get(event.participant_id, 0)
                    kept.reached[event.participant_id] = max(before_ms, event.to_ms)
                self.rows.take(event)
            case HeardPartial():
                self._captions.partial(event)
            case ListenEnded():
                self.ended_jobs.append(event)
            case TranscriberReady(consultation_id, socket_path):
                if consultation_id not in self._held:
                    self._unwanted.discard(consultation_id)
                kept = self._kept.get(consultation_id)
                if kept is not None:
                    kept.socket_path = socket_path
                    kept.lost()
            case TranscriberLoad():
                self._load = event
            case TranscriberModel(reason=reason):
                log.info("transcription.model", engine=event.engine, model=event.name, reason=reason)
                if reason:
                    self._gone(reason)

    def _gone(self, reason: str) -> None:
        """No worker listens: it says where it does when it is back."""
        self._load = None
        for kept in self._kept.values():
            kept.socket_path, kept.reason = None, reason
            kept.lost()
            kept.since_s = self._rooms.clock.monotonic() - _PATIENCE_S

    def follow(self, event: RoomsEvent) -> None:
        """Given to MediaSessions.follow: the media process may have given our tap up."""
        if not isinstance(event, TapLost) or event.name != TRANSCRIPTION_TAP:
            return  # a media process that is new has another epoch
        kept = self._kept.get(event.room_id)
        if kept is not None:
            log.warning("transcription.tap_lost", room=event.room_id)
            kept.reason = "tap_lost"
            kept.lost(self._rooms.clock.monotonic() + _AGAIN_S)

    # ── ports.RoomWork: for what was rehearsed ──────────────────────────────────────────────────

    async def hold(self, consultation_id: str) -> None:
        self._held.add(consultation_id)
        self._unwanted.add(consultation_id)
        await self.rows.drop(consultation_id)

    async def still(self, consultation_id: str) -> None:
        await until(lambda: consultation_id not in self._kept, _LOOK_S)

    def release(self, consultation_id: str) -> None:
        self._held.discard(consultation_id)
        if consultation_id in self._kept:  # it has not ended: the rehearsal goes on
            self._unwanted.discard(consultation_id)

    def look_at(self, consultation_id: str) -> None:
        """What was not heard any more is missing in it, as in any that is over: see catching_up."""

    # ── for others ──────────────────────────────────────────────────────────────────────────────

    @property
    def model(self) -> TranscriberModel:
        """What recognises, or why nothing does."""
        return self._transcriber.model()

    @property
    def is_enabled(self) -> bool:
        """Whether this server listens at all."""
        return self._enabled

    @property
    def lag_ms(self) -> int:
        """How far the slowest microphone is behind."""
        return 0 if self._load is None else self._load.lag_ms

    @property
    def load(self) -> TranscriberLoad | None:
        """As it was told last; None while no worker runs."""
        return self._load

    def states(self) -> Iterable[CaptionState]:
        """Of the rooms that are to be listened to, for /metrics."""
        return [each.state for each in self._kept.values()]

    def state(self, consultation_id: str) -> CaptionState:
        """How captions fare."""
        kept = self._kept.get(consultation_id)
        return CaptionState.OFF if kept is None else kept.state

    def listened(self) -> tuple[str, ...]:
        """Consultations whose rooms are to be listened to here."""
        return tuple(self._kept)

    def horizons(self, consultation_id: str, now_ms: int) -> tuple[int, dict[str, int]]:
        """Up to which program time each microphone has been dealt with, or will not be: of all, and of some."""
        kept = self._kept.get(consultation_id)
        if kept is None or kept.epoch is None:
            return now_ms - _BEHIND_MS, {}
        least_ms = max(kept.tapped_at_ms, now_ms - _LONGEST_MS)
        return least_ms, {pid: max(reached_ms, least_ms) for pid, reached_ms in kept.reached.items()}


def _is_wanted(consultation: Consultation) -> bool:
    return consultation.is_running and consultation.captions


def _preferred(room: LiveRoom) -> tuple[str, ...]:
    """Whose speech comes first: the chair, who has the floor and the hall that they speak from, then who is next."""
    chairs = [seat.id for seat in room.seats.values() if seat.participant.role is Role.CHAIR]
    holder = room.holder(room.turn)
    speaking = (
        [] if holder is None else [s.id for s in room.seats.values() if speaks_for(holder, s.participant)]
    )
    return tuple(dict.fromkeys((*chairs, *speaking, *room.hands())))
