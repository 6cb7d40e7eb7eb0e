"""A clock that is moved by hand, a media plane that follows a script, and a publisher that remembers."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from conference.events import DeskSnapshot, ParticipantView, RoomEvent, SessionEvent, Snapshot
from conference.ingest_events import (
    DeviceDoor,
    DeviceFound,
    DeviceStream,
    IngestEvent,
    IngestFailed,
    IngestJob,
    IngestLook,
    IngestReason,
)
from conference.model.errors import ConferenceError
from conference.model.media import (
    PROGRAM_TARGET,
    RECORDING_TAP,
    MediaEvent,
    MediaRestarted,
    PublicationInfo,
    Source,
    SubscriberOffer,
    TrackHint,
    TrackWish,
)
from conference.model.media_report import MediaReport
from conference.services.ports import MediaError, Storage, UnitOfWork
from conference.worker_events import (
    ListenEnded,
    ListenJob,
    Passage,
    ProgramEvent,
    RecordedFile,
    RecorderEvent,
    Reheard,
    Scene,
    TranscriberEvent,
    TranscriberModel,
)

T = TypeVar("T")


class FailingStorage:
    """Implements services.ports.Storage on a real one: one transaction comes to nothing, after so many good ones."""

    def __init__(self, storage: Storage, after: int = 0) -> None:
        self._storage = storage
        self._left = after
        self.has_failed = False
        self.reading = storage.reading
        self.ping = storage.ping

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[UnitOfWork]:
        async with self._storage.transaction() as unit:
            yield unit
            if not self.has_failed and self._left == 0:
                self.has_failed = True
                raise ConferenceError("storage_unavailable")
            self._left -= 1


@dataclass
class ManualClock:
    """Both clocks move together, by hand."""

    now_s: float = 1000.0
    epoch_ms: int = 1_700_000_000_000

    def monotonic(self) -> float:
        return self.now_s

    def wall_ms(self) -> int:
        return self.epoch_ms + int((self.now_s - 1000.0) * 1000)

    def forward(self, seconds: float) -> None:
        self.now_s += seconds


class ScriptedMedia:
    """Implements services.ports.MediaPlane: remembers what it was asked, answers what it was told to."""

    def __init__(self) -> None:
        self.life = "e1"
        self.rooms: set[str] = set()  # that somebody joined
        self.calls: list[tuple[object, ...]] = []
        self.gates: dict[str, bool] = {}
        self.deaf: set[str] = set()  # participants that get no sound
        self.halls: dict[
            str, tuple[frozenset[str], frozenset[str]]
        ] = {}  # where they stand, to whom they are deaf
        self.failures: dict[str, str] = {}  # method -> code
        self.unknown: set[str] = set()  # participants that it does not know
        self.publications: tuple[PublicationInfo, ...] = ()
        self.focused: list[tuple[tuple[str, ...], tuple[str, ...]]] = []  # floor, chairs
        self.taps: dict[tuple[str, str], str] = {}  # room, name -> path
        self.feeds: dict[str, str] = {}  # room -> path
        self.participant_feeds: dict[tuple[str, str], str] = {}  # room and participant -> path
        self.reports: tuple[MediaReport, ...] = ()
        self.offers_on_subscribe = False
        self.fragment: str | None = None
        self.answers: list[tuple[str, int, str]] = []
        self._receive: Callable[[MediaEvent], None] | None = None
        self._generation = 0

    def epoch(self, room_id: str) -> str:
        return self.life

    def listen(self, receive: Callable[[MediaEvent], None]) -> None:
        self._receive = receive

    def emit(self, event: MediaEvent) -> None:
        assert self._receive is not None
        self._receive(event)

    def restart(self, epoch: str) -> None:
        self.life = epoch
        self.gates.clear()
        self.taps.clear()
        self.feeds.clear()
        self.participant_feeds.clear()
        self.emit(MediaRestarted(epoch, frozenset(self.rooms)))

    def offer(self, room_id: str, participant_id: str) -> SubscriberOffer:
        self._generation += 1
        offer = SubscriberOffer(room_id, participant_id, self._generation, f"offer {self._generation}", ())
        self.emit(offer)
        return offer

    def _called(self, name: str, *arguments: object) -> None:
        self.calls.append((name, *arguments))
        if name in self.failures:
            raise MediaError(self.failures[name], "scripted")

    async def join(
        self,
        room_id: str,
        participant_id: str,
        *,
        sound_open: bool,
        hears: bool = True,
        hall: tuple[str, ...] = (),
        deaf_to: tuple[str, ...] = (),
    ) -> None:
        self._called("join", participant_id, sound_open)
        self.rooms.add(room_id)
        self.halls[participant_id] = (frozenset(hall), frozenset(deaf_to))
        self.deaf.discard(participant_id)
        if not hears:
            self.deaf.add(participant_id)
        self.unknown.discard(participant_id)
        self.gates[participant_id] = sound_open

    async def leave(self, room_id: str, participant_id: str) -> None:
        self._called("leave", participant_id)
        self.gates.pop(participant_id, None)

    async def publish(
        self, room_id: str, participant_id: str, sdp: str, hints: tuple[TrackHint, ...] = ()
    ) -> tuple[str, tuple[PublicationInfo, ...]]:
        self._called("publish", participant_id, sdp, hints)
        if participant_id in self.unknown:
            raise MediaError("not_found", participant_id)
        return f"answer to {sdp}", self.publications

    async def subscribe(self, room_id: str, participant_id: str, *, fresh: bool = False) -> None:
        self._called("subscribe", participant_id, fresh)
        if self.offers_on_subscribe:
            self.offer(room_id, participant_id)

    async def answer(self, room_id: str, participant_id: str, generation: int, sdp: str) -> None:
        self._called("answer", participant_id, generation)
        self.answers.append((participant_id, generation, sdp))

    async def pull(self, room_id: str, participant_id: str, target_id: str, sdp: str) -> str:
        self._called("pull", participant_id, target_id)
        return f"answer to {sdp}"

    async def trickle(self, room_id: str, participant_id: str, fragment: str) -> str | None:
        self._called("trickle", participant_id, fragment)
        return self.fragment

    async def try_out(self, sdp: str) -> str:
        return "answer"

    async def set_sound(self, room_id: str, participant_id: str, *, is_open: bool) -> None:
        self._called("set_sound", participant_id, is_open)
        self.gates[participant_id] = is_open

    async def wish(self, room_id: str, participant_id: str, wishes: tuple[TrackWish, ...]) -> None:
        self._called("wish", participant_id, wishes)

    async def focus(self, room_id: str, *, floor_ids: tuple[str, ...], chair_ids: tuple[str, ...]) -> None:
        if "focus" in self.failures:
            raise MediaError(self.failures["focus"], "scripted")
        self.focused.append((floor_ids, chair_ids))

    async def tap(
        self,
        room_id: str,
        path: str,
        *,
        program_time_ms: int,
        at_monotonic_s: float,
        name: str = RECORDING_TAP,
        sources: tuple[Source, ...] = (),
    ) -> None:
        self._called("tap", room_id, path, name)
        self.taps[room_id, name] = path

    async def untap(self, room_id: str, name: str = RECORDING_TAP) -> None:
        self._called("untap", room_id, name)
        self.taps.pop((room_id, name), None)

    async def feed(self, room_id: str, path: str, participant_id: str = PROGRAM_TARGET) -> None:
        if participant_id != PROGRAM_TARGET:
            self._called("feed", room_id, path, participant_id)
            self.participant_feeds[room_id, participant_id] = path
            return
        self._called("feed", room_id, path)
        self.feeds[room_id] = path

    async def unfeed(self, room_id: str, participant_id: str = PROGRAM_TARGET) -> None:
        if participant_id != PROGRAM_TARGET:
            self._called("unfeed", room_id, participant_id)
            self.participant_feeds.pop((room_id, participant_id), None)
            return
        self._called("unfeed", room_id)
        self.feeds.pop(room_id, None)

    async def room_report(self, room_id: str) -> tuple[MediaReport, ...]:
        self._called("room_report", room_id)
        return self.reports

    async def statistics(self) -> Mapping[str, float]:
        self._called("statistics")
        return {'yuanshang_media_packets_total{direction="in"}': 3.0}


@dataclass
class RecordingPublisher:
    """Implements services.ports.Publisher: what each session was sent, in order."""

    sent: dict[str, list[RoomEvent | SessionEvent]] = field(default_factory=lambda: defaultdict(list))
    closed: set[str] = field(default_factory=set)
    _members: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))

    def enter(self, session_id: str, room_id: str, snapshot: Snapshot | DeskSnapshot) -> None:
        self.sent[session_id].append(snapshot)
        self._members[room_id][session_id] = None

    def exit(self, session_id: str) -> None:
        for members in self._members.values():
            members.pop(session_id, None)

    def publish(self, room_id: str, event: RoomEvent) -> None:
        for session_id in self._members[room_id]:
            self.sent[session_id].append(event)

    def send(self, session_id: str, event: SessionEvent) -> None:
        self.sent[session_id].append(event)

    def close(self, session_id: str) -> None:
        self.exit(session_id)
        self.closed.add(session_id)

    def snapshot(self, session_id: str) -> Snapshot:
        """The last snapshot of a session."""
        found = [each for each in self.sent[session_id] if isinstance(each, Snapshot)]
        return found[-1]

    def of_kind(self, session_id: str, kind: type[T]) -> list[T]:
        return [each for each in self.sent[session_id] if isinstance(each, kind)]


class ScriptedRecorder:
    """A recorder whose events the test sends. Files lie where `directory` says."""

    def __init__(self, directory: Path = Path("/nonexistent")) -> None:
        self.directory = directory
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.settled: list[str] = []
        self.left: dict[str, tuple[RecordedFile, ...]] = {}
        self.writing: set[str] = set()
        self.emit: Callable[[RecorderEvent], None] = lambda _event: None

    def listen(self, receive: Callable[[RecorderEvent], None]) -> None:
        self.emit = receive

    def begin(self, consultation_id: str) -> None:
        self.begun.append(consultation_id)

    def end(self, consultation_id: str) -> None:
        self.ended.append(consultation_id)

    async def wait_ended(self, consultation_id: str) -> None:
        """A worker that was told to end has ended."""
        assert consultation_id not in self.begun or consultation_id in self.ended

    async def settle(self, consultation_id: str) -> tuple[RecordedFile, ...]:
        self.settled.append(consultation_id)
        return self.left.get(consultation_id, ())

    def is_writing(self, relative: str) -> bool:
        return relative in self.writing

    def path(self, relative: str) -> Path:
        return self.directory / relative

    async def remove(self, relative: str) -> None:
        self.path(relative).unlink(missing_ok=True)


class ScriptedMaker:
    """A maker of programs whose events the test sends."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.erased: list[tuple[str, int, int]] = []
        self.scenes: dict[str, list[Scene]] = defaultdict(list)
        self.failures = 0  # so many erasures come to nothing
        self.emit: Callable[[ProgramEvent], None] = lambda _event: None

    def listen(self, receive: Callable[[ProgramEvent], None]) -> None:
        self.emit = receive

    def begin(self, consultation_id: str) -> None:
        self.begun.append(consultation_id)

    def show(self, consultation_id: str, scene: Scene) -> None:
        self.scenes[consultation_id].append(scene)

    def end(self, consultation_id: str) -> None:
        self.ended.append(consultation_id)

    async def wait_ended(self, consultation_id: str) -> None:
        pass

    async def erase(self, consultation_id: str, from_ms: int, to_ms: int) -> int:
        assert self.ended.count(consultation_id) == self.begun.count(consultation_id), "a worker runs"
        if self.failures:
            self.failures -= 1
            raise OSError("scripted")
        self.erased.append((consultation_id, from_ms, to_ms))
        return 7


NO_MODEL = TranscriberModel("", "", "no_model")
MODEL = TranscriberModel("scripted", "zh-small")


class ScriptedTranscriber:
    """A transcriber whose events the test sends."""

    def __init__(self, model: TranscriberModel = NO_MODEL) -> None:
        self.now = model
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.preferred: dict[str, tuple[str, ...]] = {}
        self.terms: dict[str, tuple[str, ...]] = {}
        self.jobs: dict[str, ListenJob] = {}
        self.asked: list[ListenJob] = []
        self.emit: Callable[[TranscriberEvent], None] = lambda _event: None

    def listen(self, receive: Callable[[TranscriberEvent], None]) -> None:
        self.emit = receive

    def model(self) -> TranscriberModel:
        return self.now

    def becomes(self, model: TranscriberModel) -> None:
        """The worker found this model, or is gone."""
        self.now = model
        self.emit(model)

    def begin(self, consultation_id: str) -> None:
        self.begun.append(consultation_id)

    def end(self, consultation_id: str) -> None:
        self.ended.append(consultation_id)

    def prefer(self, consultation_id: str, participant_ids: Sequence[str]) -> None:
        self.preferred[consultation_id] = tuple(participant_ids)

    def use_terms(self, consultation_id: str, words: Sequence[str]) -> None:
        self.terms[consultation_id] = tuple(words)

    def recognise(self, job: ListenJob) -> None:
        self.jobs[job.id] = job
        self.asked.append(job)

    def cancel(self, job_id: str) -> None:
        self.jobs.pop(job_id, None)

    def end_job(self, job: ListenJob, reason: str = "") -> None:
        """It is over."""
        del self.jobs[job.id]
        self.emit(ListenEnded(job.id, reason))


class ScriptedSecondListener:
    """Hears passages again as the test says: by the segment's id, else that nothing was heard."""

    def __init__(self, model: TranscriberModel = NO_MODEL) -> None:
        self.now = model
        self.says: dict[str, Reheard] = {}
        self.asked: list[Passage] = []
        self.rests = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def model(self) -> TranscriberModel:
        return self.now

    async def hear(self, passage: Passage) -> Reheard:
        self.asked.append(passage)
        await self.may_answer.wait()
        return self.says.get(passage.id, Reheard(passage.id, reason="nothing_heard"))

    async def rest(self) -> None:
        self.rests += 1


class ScriptedIngests:
    """Fetches nothing: the test says what its processes tell."""

    def __init__(self) -> None:
        self.jobs: dict[str, IngestJob] = {}
        self.started: list[IngestJob] = []
        self.stopped: list[str] = []
        self.orders: list[tuple[str, str, int]] = []  # ingest, order, position
        self.looked: list[IngestJob] = []
        self.found: IngestLook | IngestFailed = IngestFailed("", IngestReason.UNREACHABLE, None)
        self.may_look = asyncio.Event()
        self.may_look.set()
        self._receivers: list[Callable[[IngestEvent], None]] = []

    def listen(self, receive: Callable[[IngestEvent], None]) -> None:
        self._receivers.append(receive)

    def emit(self, event: IngestEvent) -> None:
        for receive in self._receivers:
            receive(event)

    def start(self, job: IngestJob) -> None:
        self.jobs[job.ingest_id] = job
        self.started.append(job)

    def stop(self, ingest_id: str) -> None:
        self.jobs.pop(ingest_id, None)
        self.stopped.append(ingest_id)

    def play(self, ingest_id: str) -> None:
        self.orders.append((ingest_id, "play", 0))

    def pause(self, ingest_id: str) -> None:
        self.orders.append((ingest_id, "pause", 0))

    def seek(self, ingest_id: str, position_ms: int) -> None:
        self.orders.append((ingest_id, "seek", position_ms))

    async def look(self, job: IngestJob) -> IngestLook | IngestFailed:
        self.looked.append(job)
        await self.may_look.wait()
        return self.found


class ScriptedDevices:
    """A network in which the test says what there is."""

    def __init__(self) -> None:
        self.found: list[DeviceFound] = []
        self.answer: list[DeviceStream] | IngestReason = IngestReason.UNREACHABLE
        self.asked: list[DeviceDoor] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def find(self) -> list[DeviceFound]:
        await self.may_answer.wait()
        return self.found

    async def streams(self, door: DeviceDoor) -> list[DeviceStream] | IngestReason:
        self.asked.append(door)
        await self.may_answer.wait()
        return self.answer


class ScriptedDisk:
    """As full as the test says."""

    def __init__(self) -> None:
        self.free = 1 << 40

    async def free_bytes(self) -> int:
        if self.free < 0:
            raise OSError("scripted")
        return self.free


def by_id(views: tuple[ParticipantView, ...]) -> dict[str, ParticipantView]:
    return {view.id: view for view in views}
