"""A media process as the web process sees it: starts, supervises and talks to it.

Its methods are those of conference.services.ports.MediaPlane; which rooms are here, the pool knows. When the process
dies it is started again with back-off; requests in flight fail with `media_unavailable`, and MediaRestarted tells that
its rooms are empty.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict

from conference.model.media import (
    PROGRAM_TARGET,
    RECORDING_TAP,
    AllocatedTrack,
    AllocationChanged,
    AllocationReason,
    Direction,
    FeedLost,
    Kind,
    LayersNeeded,
    MediaEvent,
    MediaRestarted,
    OfferedTrack,
    PublicationInfo,
    PublicationsChanged,
    QualityChanged,
    Source,
    Speaker,
    SpeakersChanged,
    SubscriberOffer,
    SubscriptionChanged,
    TapLost,
    TrackHint,
    TrackWish,
    TransportChanged,
    TransportState,
)
from conference.model.media_report import MediaReport
from conference.net.handover import hand_over, socket_pair
from conference.services.ports import MediaError

from . import messages
from .settings import EXIT_PORT_IN_USE, MediaSettings

_START_TIMEOUT_S = 30.0  # an old machine with a cold disk takes its time
_REQUEST_TIMEOUT_S = 5.0
_FIRST_BACKOFF_S = 0.1
_LAST_BACKOFF_S = 5.0
_STEADY_S = 30.0  # a process that lived this long has its back-off forgiven
_STOP_S = 1.0
_READ_SIZE = 1 << 16
_MOST_PAGES = 200  # of a report: whoever goes while it is read makes it begin anew

log = logging.getLogger("media.client")


class _Process:
    """One life of the media process and the sockets to it."""

    def __init__(
        self, process: asyncio.subprocess.Process, sock: socket.socket, giver: socket.socket
    ) -> None:
        self.process = process
        self.sock = sock
        self.giver = giver
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None


class MediaClient:
    """Owned by signaling.app: `start` before use, `close` at the end."""

    def __init__(self, settings: MediaSettings) -> None:
        self.settings = settings
        self._epoch = ""
        self._listener: Callable[[MediaEvent], None] | None = None
        self._waiting: dict[int, asyncio.Future[messages.Result]] = {}
        self._next_id = 1
        self._life: _Process | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._closing = False

    # ── life ────────────────────────────────────────────────────────────────────────────────────

    def epoch(self, room_id: str) -> str:
        """Names one life of the media process; empty while none is ready."""
        return self._epoch

    @property
    def pid(self) -> int | None:
        """Process id of the media process, None while there is none."""
        return self._life.process.pid if self._life is not None else None

    @property
    def is_ready(self) -> bool:
        return bool(self._epoch)

    async def start(self) -> int:
        """Start the process; returns the media port. Raises MediaError(port_in_use | media_unavailable)."""
        life, ready = await self._spawn()
        # The number is kept for later lives, also where a free one was asked for.
        self.settings = MediaSettings(**{**asdict(self.settings), "port": ready.media_port})
        self._supervisor = asyncio.create_task(self._supervise(life), name="media supervisor")
        return ready.media_port

    async def close(self) -> None:
        """End the process and everything that waits for it; idempotent."""
        self._closing = True
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None
        if self._life is not None:
            await self._end(self._life)
        self._fail_waiting("the server is stopping")

    async def _spawn(self) -> tuple[_Process, messages.Ready]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        giver, taker = socket_pair()
        settings = json.dumps(asdict(self.settings))
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "conference.media.main", str(theirs.fileno()), settings, str(taker.fileno()),
                pass_fds=(theirs.fileno(), taker.fileno()), stdin=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        except OSError as error:
            ours.close()
            giver.close()
            raise MediaError("media_unavailable", f"cannot start the media process: {error}") from error
        finally:
            theirs.close()
            taker.close()
        life = _Process(process, ours, giver)
        try:
            life.reader, life.writer = await asyncio.open_connection(sock=ours, limit=messages.MAX_FRAME)
            async with asyncio.timeout(_START_TIMEOUT_S):
                ready = await self._first_message(life)
        except (TimeoutError, EOFError, OSError) as error:
            await self._end(life)
            if process.returncode == EXIT_PORT_IN_USE:
                raise MediaError("port_in_use", f"media port {self.settings.port} is in use") from error
            raise MediaError("media_unavailable", "the media process did not get ready") from error
        self._life = life
        self._epoch = ready.epoch
        return life, ready

    async def _first_message(self, life: _Process) -> messages.Ready:
        assert life.reader is not None
        decoder = messages.Decoder()
        while True:
            data = await life.reader.read(_READ_SIZE)
            if not data:
                await life.process.wait()
                raise EOFError
            for envelope in decoder.feed(data):
                if isinstance(envelope.body, messages.Ready):
                    return envelope.body

    async def _supervise(self, life: _Process) -> None:
        """Read until the process ends, then start it again, for ever."""
        loop = asyncio.get_running_loop()
        backoff = _FIRST_BACKOFF_S
        while True:
            began = loop.time()
            try:
                await self._read(life)
            finally:
                self._epoch = ""
                self._fail_waiting("the media process ended")
                if not self._closing:
                    await self._end(life)
            log.error("the media process ended with code %s", life.process.returncode)
            if loop.time() - began > _STEADY_S:
                backoff = _FIRST_BACKOFF_S
            while True:
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, _LAST_BACKOFF_S)
                try:
                    life, _ = await self._spawn()
                except MediaError as error:
                    log.error("media process: %s", error)
                    continue
                break
            self._publish(MediaRestarted(self._epoch))

    async def _read(self, life: _Process) -> None:
        assert life.reader is not None
        decoder = messages.Decoder()
        while data := await life.reader.read(_READ_SIZE):
            try:
                envelopes = decoder.feed(data)
            except messages.FrameError:
                log.exception("the media process sent a broken frame")
                return
            for envelope in envelopes:
                self._take(envelope)

    async def _end(self, life: _Process) -> None:
        """Closing the socket asks it to go; then it is made to."""
        if life is self._life:
            self._life = None
            self._epoch = ""
        if life.writer is not None:
            life.writer.close()
        else:
            life.sock.close()
        life.giver.close()
        try:
            async with asyncio.timeout(_STOP_S):
                await life.process.wait()
        except TimeoutError:
            life.process.kill()
            await life.process.wait()

    def hand_over(self, connection: socket.socket) -> bool:
        """Give the media process a TCP connection of which nothing was read; the caller closes its own copy in any
        case. False when the media process is away, or has not taken earlier ones."""
        life = self._life
        return life is not None and bool(self._epoch) and hand_over(life.giver, connection)

    # ── messages ────────────────────────────────────────────────────────────────────────────────

    def _take(self, envelope: messages.Envelope) -> None:
        body = envelope.body
        if envelope.id:
            waiting = self._waiting.pop(envelope.id, None)
            if waiting is not None and not waiting.done() and isinstance(body, messages.Result):
                waiting.set_result(body)
            return
        event = _translate(body)
        if event is not None:
            self._publish(event)

    def _publish(self, event: MediaEvent) -> None:
        if self._listener is not None:
            try:
                self._listener(event)
            except Exception:
                log.exception("event %s failed", type(event).__name__)

    def _fail_waiting(self, reason: str) -> None:
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(MediaError("media_unavailable", reason))
                future.exception()  # whoever waits still gets it; nobody waiting is no fault

    async def _ask(self, request: messages.Request) -> messages.Result:
        life = self._life
        if life is None or life.writer is None or not self._epoch:
            raise MediaError("media_unavailable", "the media process is not ready")
        number = self._next_id
        self._next_id += 1
        future: asyncio.Future[messages.Result] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            life.writer.write(messages.encode(messages.Envelope(number, request)))
            async with asyncio.timeout(_REQUEST_TIMEOUT_S):
                result = await future
        except TimeoutError as error:
            raise MediaError("media_unavailable", "the media process does not answer") from error
        except messages.FrameError as error:
            raise MediaError("sdp_invalid", str(error)) from error
        finally:
            self._waiting.pop(number, None)
        if isinstance(result, messages.Failure):
            raise MediaError(result.code, result.message)
        return result

    # ── conference.services.ports.MediaPlane ────────────────────────────────────────────────────

    def listen(self, receive: Callable[[MediaEvent], None]) -> None:
        self._listener = receive

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
        await self._ask(messages.Join(room_id, participant_id, sound_open, hears, hall, deaf_to))

    async def leave(self, room_id: str, participant_id: str) -> None:
        await self._ask(messages.Leave(room_id, participant_id))

    async def publish(
        self, room_id: str, participant_id: str, sdp: str, hints: tuple[TrackHint, ...] = ()
    ) -> tuple[str, tuple[PublicationInfo, ...]]:
        packed = tuple(messages.Hint(hint.mid, hint.source.value, hint.label, hint.main) for hint in hints)
        result = await self._ask(messages.Publish(room_id, participant_id, sdp, packed))
        assert isinstance(result, messages.Published)
        return result.sdp, tuple(_publication(one) for one in result.publications)

    async def subscribe(self, room_id: str, participant_id: str, *, fresh: bool = False) -> None:
        await self._ask(messages.Subscribe(room_id, participant_id, fresh))

    async def answer(self, room_id: str, participant_id: str, generation: int, sdp: str) -> None:
        await self._ask(messages.Answer(room_id, participant_id, generation, sdp))

    async def pull(self, room_id: str, participant_id: str, target_id: str, sdp: str) -> str:
        result = await self._ask(messages.Pull(room_id, participant_id, target_id, sdp))
        assert isinstance(result, messages.Description)
        return result.sdp

    async def trickle(self, room_id: str, participant_id: str, fragment: str) -> str | None:
        result = await self._ask(messages.Trickle(room_id, participant_id, fragment))
        assert isinstance(result, messages.Description)
        return result.sdp or None

    async def try_out(self, sdp: str) -> str:
        result = await self._ask(messages.TryOut(sdp))
        assert isinstance(result, messages.Description)
        return result.sdp

    async def set_sound(self, room_id: str, participant_id: str, *, is_open: bool) -> None:
        await self._ask(messages.SetSound(room_id, participant_id, is_open))

    async def wish(self, room_id: str, participant_id: str, wishes: tuple[TrackWish, ...]) -> None:
        packed = tuple(
            messages.TrackWish(one.publication_id, one.width, one.height, one.priority) for one in wishes
        )
        await self._ask(messages.Wish(room_id, participant_id, packed))

    async def focus(self, room_id: str, *, floor_ids: tuple[str, ...], chair_ids: tuple[str, ...]) -> None:
        await self._ask(messages.Focus(room_id, floor_ids, chair_ids))

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
        await self._ask(messages.Tap(room_id, path, program_time_ms, at_monotonic_s, name, sources))

    async def untap(self, room_id: str, name: str = RECORDING_TAP) -> None:
        await self._ask(messages.Untap(room_id, name))

    async def feed(self, room_id: str, path: str, participant_id: str = PROGRAM_TARGET) -> None:
        await self._ask(messages.Feed(room_id, path, participant_id))

    async def unfeed(self, room_id: str, participant_id: str = PROGRAM_TARGET) -> None:
        await self._ask(messages.Unfeed(room_id, participant_id))

    async def room_report(self, room_id: str) -> tuple[MediaReport, ...]:
        found: dict[str, MediaReport] = {}
        after = ""
        for _ in range(_MOST_PAGES):
            page = await self._ask(messages.GetRoomReport(room_id, after))
            assert isinstance(page, messages.RoomReport)
            found.update((one.participant_id, one) for one in page.participants)
            after = page.next
            if not after:
                break
        return tuple(found.values())

    async def statistics(self) -> Mapping[str, float]:
        result = await self._ask(messages.GetStatistics())
        assert isinstance(result, messages.Statistics)
        return result.values


def _publication(one: messages.Publication) -> PublicationInfo:
    return PublicationInfo(one.id, Kind(one.kind), Source(one.source), one.label, one.codec, one.main)


def _translate(body: object) -> MediaEvent | None:
    match body:
        case messages.Offer(room_id, participant_id, generation, sdp, tracks):
            offered = tuple(
                OfferedTrack(one.mid, one.participant_id, one.publication_id, Source(one.source))
                for one in tracks
            )
            return SubscriberOffer(room_id, participant_id, generation, sdp, offered)
        case messages.Transport(room_id, participant_id, direction, state):
            return TransportChanged(room_id, participant_id, Direction(direction), TransportState(state))
        case messages.Publications(room_id, participant_id, publications):
            described = tuple(_publication(one) for one in publications)
            return PublicationsChanged(room_id, participant_id, described)
        case messages.Speakers(room_id, speakers):
            heard = tuple(Speaker(one.participant_id, one.level_db) for one in speakers)
            return SpeakersChanged(room_id, heard)
        case messages.Quality(room_id, participant_id, quality):
            return QualityChanged(room_id, participant_id, quality)
        case messages.Subscription(room_id, participant_id, publication_id, state):
            return SubscriptionChanged(room_id, participant_id, publication_id, state)
        case messages.Allocation(room_id, participant_id, sent, sound_only, available_bps):
            allocated = tuple(
                AllocatedTrack(one.publication_id, one.layer, one.height, AllocationReason(one.reason))
                for one in sent
            )
            return AllocationChanged(room_id, participant_id, allocated, sound_only, available_bps)
        case messages.LayersNeeded(room_id, participant_id, publication_id, layers):
            return LayersNeeded(room_id, participant_id, publication_id, layers)
        case messages.TapLost(room_id, name):
            return TapLost(room_id, name)
        case messages.FeedLost(room_id, participant_id):
            return FeedLost(room_id, participant_id)
    return None
