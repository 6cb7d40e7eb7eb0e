"""The composition root: builds every object of the web process, runs it, and takes it down in order."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web

from conference.clock import Clock, SystemClock
from conference.media.client import MediaClient
from conference.media.settings import MediaSettings
from conference.services.accounts import Accounts
from conference.services.agendas import Agendas
from conference.services.arrivals import Arrivals
from conference.services.attendance import Attendance
from conference.services.audit import Trace
from conference.services.broadcasts import Broadcasts
from conference.services.case_queries import CaseQueries
from conference.services.catching_up import CatchingUp
from conference.services.comment_boards import CommentBoards
from conference.services.comment_desk import CommentDesk
from conference.services.comments import Comments
from conference.services.consultations import Consultations
from conference.services.department_door import DepartmentDoor
from conference.services.departments import Departments
from conference.services.departures import Departures
from conference.services.desks import Desks
from conference.services.disk_watch import DiskWatch
from conference.services.editing import Editing
from conference.services.entrances import Entrances
from conference.services.entry_codes import EntryCodes
from conference.services.exports import Exports
from conference.services.files import Files
from conference.services.floor_clock import FloorClock
from conference.services.floors import Floors
from conference.services.hot_words import HotWords
from conference.services.identities import Identities
from conference.services.insight import STEP_S, Insight
from conference.services.invitee_imports import InviteeImports
from conference.services.invitees import Invitees
from conference.services.ledger import Ledgers
from conference.services.life_cycle import LifeCycle
from conference.services.logins import Logins
from conference.services.media_sessions import MediaSessions
from conference.services.minutes import MinutesDesk
from conference.services.moderation import Moderation
from conference.services.notices import Notices
from conference.services.offers import Offers
from conference.services.own_speeches import OwnSpeeches
from conference.services.passwords import Passwords
from conference.services.ports import (
    Disk,
    MediaPlane,
    ProgramMaker,
    Recorder,
    Relay,
    SecondListener,
    Transcriber,
)
from conference.services.program import ProgramTimes
from conference.services.programs import Programs
from conference.services.promotions import Promotions
from conference.services.public_captions import PublicCaptions
from conference.services.public_responses import PublicResponses
from conference.services.public_views import PublicViews
from conference.services.recordings import Recordings
from conference.services.recovery import Recovery
from conference.services.relisting import Relisting
from conference.services.reminders import Reminders
from conference.services.responses import Responses
from conference.services.retention import Retention
from conference.services.revocations import Revocations
from conference.services.rewriting import TermRewriter
from conference.services.rooms import RoomLimits, Rooms
from conference.services.second_passes import SecondPasses
from conference.services.staff import Staff
from conference.services.statements import Statements
from conference.services.streams import Streams
from conference.services.term_lists import TermLists
from conference.services.terms import Terms
from conference.services.track_sounds import TrackSounds
from conference.services.transcript_editing import TranscriptEditing
from conference.services.transcript_news import TranscriptNews
from conference.services.transcript_presence import TranscriptPresence
from conference.services.transcription import Transcription
from conference.services.transcripts import Transcripts
from conference.services.venues import Venues
from conference.services.viewers import Viewers
from conference.services.waiting import WaitingRoom
from conference.storage.database import Database
from conference.storage.files import DirectoryFiles
from conference.text.reader import TextReader
from recording.disk import DirectoryDisk
from recording.hls.card_segments import Cards
from recording.hls.store import ProgramStores
from recording.program.supervisor import ProgramSupervisor
from recording.supervisor import RecorderSupervisor
from signaling.archive import ArchiveBuilder
from signaling.auth.access import Access
from signaling.auth.tokens import TokenKey
from signaling.console import Ready
from signaling.data_dir import DataDirectory
from signaling.database import open_database
from signaling.demo import DemoStaff, demo_links, demo_staff
from signaling.descriptors import raise_descriptor_limit
from signaling.documents.client import DocumentWorkers
from signaling.ephemeral import Ephemeral, open_ephemeral
from signaling.exports import ExportWorkers
from signaling.footage import StoredFootage
from signaling.http.application import make_application
from signaling.http.context import HttpContext
from signaling.http.crowd import Crowd
from signaling.identity import providers_of
from signaling.lan import LanIdentity, lan_addresses, lan_identity
from signaling.metrics import Metrics
from signaling.network import TrustedProxies, announced_addresses, local_url_host
from signaling.notifiers import notifiers_of
from signaling.paper.client import PaperWorkers
from signaling.reach import public_port, relay_of
from signaling.realtime.broadcast_requests import BroadcastRequests
from signaling.realtime.comment_requests import CommentRequests
from signaling.realtime.desk_namespace import DeskNamespace
from signaling.realtime.fanout import Fanout
from signaling.realtime.floor_requests import FloorRequests
from signaling.realtime.namespace import Surroundings
from signaling.realtime.room_namespace import RoomNamespace
from signaling.realtime.room_requests import RoomRequests
from signaling.realtime.server import SocketServer
from signaling.realtime.session_requests import AgendaRequests, StatementRequests
from signaling.realtime.transcript_requests import TranscriptRequests
from signaling.settings import Settings
from signaling.sound_cuts import SoundCuts
from signaling.tables.client import TableWorkers
from signaling.tasks import Background
from signaling.tls.certificate import Certificate
from signaling.tls.port import TlsPort
from transcription.second_pass_supervisor import SecondPassSupervisor
from transcription.supervisor import TranscriberSupervisor

log = structlog.get_logger(__name__)

_SWEEP_S = 1.0
_TICK_S = 0.1  # how late a countdown may begin, warn and end
_HEARTBEAT_S = 5.0
_PROGRAM_S = 0.1  # how late a program shows what happened
_CAPTIONS_S = 0.05  # how late a final is written and shown
_CATCHING_UP_S = 1.0
_TERMS_S = 0.2  # between some hundred segments that follow a changed list
_HOT_WORDS_S = 5.0
_COMMENTS_S = 0.5  # how late desks learn of comments
_VIEWERS_S = 5.0
_ADDRESSES_S = 3600.0
_PROOFS_S = 60.0
_REMINDERS_S = 5.0  # how soon a department is written to
_DISK_S = 2.0
_RECORDING_S = 0.2  # how late a recording may begin and end
_CHECKPOINT_S = 2.0
_RETENTION_S = 5.0  # how soon after a start; then once a day
_CLAIMS_S = 2.0  # a quarter of the time for which a claim lasts
_ADOPT_S = 15.0
_DEAD_PEER_MS = 30_000
_STOP_STEP_S = 1.0  # how long any one step of stopping may take


class StartError(Exception):
    """The server cannot start; the message is for the person at the terminal."""


@dataclass(slots=True)
class WebProcess:
    """Every object of the web process, built on storage and media that are given. Close them after it."""

    database: Database
    media: MediaPlane
    rooms: Rooms
    life_cycle: LifeCycle
    departures: Departures
    floor_clock: FloorClock
    attendance: Attendance
    recovery: Recovery
    offers: Offers
    media_sessions: MediaSessions
    streams: Streams
    insight: Insight
    revocations: Revocations
    files: Files
    recordings: Recordings
    exports: Exports
    retention: Retention
    programs: ProgramTimes
    productions: Programs
    transcription: Transcription
    catching_up: CatchingUp
    second_passes: SecondPasses
    terms: Terms
    hot_words: HotWords
    broadcasts: Broadcasts
    comments: Comments
    comment_desk: CommentDesk
    reminders: Reminders
    viewers: Viewers
    identities: Identities
    stores: ProgramStores
    cards: Cards
    crowd: Crowd
    disk_watch: DiskWatch
    sockets: SocketServer
    metrics: Metrics
    app: web.Application

    @classmethod
    def build(
        cls,
        *,
        settings: Settings,
        key: TokenKey,
        database: Database,
        media: MediaPlane,
        recorder: Recorder,
        maker: ProgramMaker,
        transcriber: Transcriber,
        second_listener: SecondListener,
        stores: ProgramStores,
        disk: Disk,
        background: Background,
        clock: Clock,
        limits: RoomLimits,
        ephemeral: Ephemeral,
        lan: LanIdentity | None = None,
        relay: Relay | None = None,
        certificate: Certificate | None = None,
    ) -> WebProcess:
        """Nothing runs yet."""
        metrics, fanout = Metrics(), Fanout()
        proxies = TrustedProxies(settings.trusted_proxies)
        access = Access(key, database, clock)
        programs = ProgramTimes(database, clock)
        rooms = Rooms(database, media, fanout, programs, clock, limits, ephemeral.registry, relay)
        offers = Offers(rooms)
        floors = Floors(rooms)
        arrivals, departures, relisting = Arrivals(rooms, offers), Departures(rooms, floors), Relisting(rooms)
        media_sessions = MediaSessions(rooms, offers)
        streams = Streams(rooms, arrivals, departures)
        insight = Insight(rooms)
        metrics.watch(rooms)
        metrics.watch_quality(insight)
        if relay is not None:
            metrics.watch_relay(relay)
        moderation, agendas, statements = Moderation(rooms), Agendas(rooms), Statements(rooms)
        attendance = Attendance(database, programs, clock)
        desks, life_cycle = Desks(rooms), LifeCycle(rooms, programs, floors)
        broadcasts, productions = Broadcasts(rooms), Programs(rooms, maker, enabled=settings.programs)
        boards, sealer = CommentBoards(rooms, TextReader()), key.sealer()
        comments = Comments(boards, broadcasts, sealer, address_days=settings.comment_address_days)
        promotions = Promotions(boards)
        comment_desk = CommentDesk(boards, promotions, sealer)
        zone, ledgers = ZoneInfo(settings.time_zone), Ledgers(database, clock)
        notices, links = Notices(notifiers_of(settings)), key.links(settings.public_url)
        departments = Departments(database, clock, links, ledgers)
        reminders = Reminders(database, programs, clock, notices, links, zone)
        viewers = Viewers(rooms, broadcasts)
        identities = Identities(
            boards,
            broadcasts,
            providers_of(settings),
            key.vault(),
            ephemeral.rate_limits,
            days=settings.comment_address_days,
        )
        media_sessions.follow(productions.media_lost)
        disk_watch = DiskWatch(rooms, disk, int(settings.disk_warn_gb * 1e9))
        metrics.watch_programs(productions, disk_watch)
        presence = TranscriptPresence(rooms)
        desks.follow(presence.left)
        shared = {
            **FloorRequests(floors).calls(),
            **AgendaRequests(agendas).calls(),
            **StatementRequests(statements).calls(),
            **BroadcastRequests(broadcasts, productions).calls(),
            **CommentRequests(comment_desk, promotions).calls(),
            **TranscriptRequests(presence).calls(),
        }
        waiting = WaitingRoom(rooms, arrivals, departures)
        requests = RoomRequests(arrivals, departures, desks, moderation, media_sessions, waiting, shared)
        around = Surroundings(access, fanout, metrics, proxies, background.spawn)
        sockets = SocketServer(
            RoomNamespace(requests.handlers(), arrivals, departures, offers, around),
            DeskNamespace(requests.desk_handlers(), desks, around),
            metrics=metrics,
            public_url=settings.public_url,
            redis_url=settings.redis_url,
        )
        passwords, revocations = Passwords(), Revocations(rooms, departures)
        directory = DataDirectory(settings.data_dir.resolve())
        files = Files(database, DirectoryFiles(directory.files), clock)
        recordings = Recordings(rooms, recorder)
        cards, crowd = Cards(directory.cards), Crowd(settings.live_ll_limit)
        metrics.watch_crowd(crowd)
        media_sessions.follow(recordings.follow)
        term_lists = TermLists(database)
        news = TranscriptNews(rooms)
        terms = Terms(rooms, term_lists, news)
        transcription = Transcription(
            rooms,
            transcriber,
            TermRewriter(term_lists),
            enabled=settings.captions,
        )
        media_sessions.follow(transcription.follow)
        catching_up = CatchingUp(rooms, transcription, transcriber, recorder)
        metrics.watch_transcription(transcription, catching_up)
        second_passes = SecondPasses(rooms, second_listener, recorder, term_lists, news)
        exporter = ExportWorkers(
            directory.recordings,
            directory.program,
            reserve_bytes=settings.recording_reserve_mb << 20,
            forget=stores.forget,
        )
        exports = Exports(database, clock, exporter, productions.is_making)
        sounds = TrackSounds(database, SoundCuts(directory.recordings))
        days = settings.recording_retention_days
        retention = Retention(database, clock, exporter, exports, days=days)
        tables, documents = TableWorkers(settings.time_zone), DocumentWorkers()
        public_views = PublicViews(
            database,
            clock,
            broadcasts,
            StoredFootage(stores, broadcasts, clock),
            viewers,
            identity_kinds=identities.kinds,
        )
        context = HttpContext(
            access=access,
            tables=tables,
            imports=InviteeImports(database, tables, links, clock),
            venues=Venues(database, clock, links, relisting),
            invitees=Invitees(database, clock, links, relisting),
            entrances=Entrances(database, clock, access.for_guest),
            entry_codes=EntryCodes(database, clock, access.for_guest, ephemeral.rate_limits),
            logins=Logins(database, passwords, clock),
            staff=Staff(database, passwords, clock),
            editing=Editing(rooms, floors, waiting, identity_kinds=identities.kinds),
            files=files,
            recordings=recordings,
            exports=exports,
            transcription=transcription,
            catching_up=catching_up,
            second_passes=second_passes,
            broadcasts=broadcasts,
            public_views=public_views,
            public_captions=PublicCaptions(database, clock, public_views),
            identities=identities,
            viewers=viewers,
            accounts=Accounts(boards, viewers, zone),
            papers=PaperWorkers(),
            time_zone=settings.time_zone,
            public_url=settings.public_url,
            comments=comments,
            comment_desk=comment_desk,
            promotions=promotions,
            departments=departments,
            department_door=DepartmentDoor(database, programs, clock, ledgers, zone),
            case_queries=CaseQueries(database, clock, boards.reader, ledgers, zone),
            responses=Responses(boards, ledgers, notices, zone),
            public_responses=PublicResponses(boards, broadcasts, ledgers, zone),
            stores=stores,
            cards=cards,
            crowd=crowd,
            revocations=revocations,
            consultations=Consultations(database, clock, identity_kinds=identities.kinds),
            life_cycle=life_cycle,
            rooms=rooms,
            streams=streams,
            insight=insight,
            agendas=agendas,
            floors=floors,
            statements=statements,
            attendance=attendance,
            trace=Trace(database, clock),
            transcripts=Transcripts(rooms),
            transcript_editing=TranscriptEditing(rooms, news),
            terms=terms,
            minutes=MinutesDesk(database, programs, clock, catching_up, documents, zone),
            documents=documents,
            sounds=sounds,
            own_speeches=OwnSpeeches(database, sounds, exports, clock),
            archives=ArchiveBuilder(database.url, directory.path, directory.files),
            storage=database,
            media=media,
            metrics=metrics,
            proxies=proxies,
            certificate=certificate,
            rate_limits=ephemeral.rate_limits,
        )
        app = make_application(
            context,
            strict_transport=settings.tls_cert is not None,
            lan_ca=lan.ca_pem if lan else None,
        )
        sockets.attach(app)
        floor_clock = FloorClock(rooms, floors)
        return cls(
            database=database,
            media=media,
            rooms=rooms,
            life_cycle=life_cycle,
            departures=departures,
            floor_clock=floor_clock,
            attendance=attendance,
            recovery=Recovery(rooms, programs, floor_clock, attendance),
            offers=offers,
            media_sessions=media_sessions,
            streams=streams,
            insight=insight,
            revocations=revocations,
            files=files,
            recordings=recordings,
            exports=exports,
            retention=retention,
            programs=programs,
            productions=productions,
            transcription=transcription,
            catching_up=catching_up,
            second_passes=second_passes,
            broadcasts=broadcasts,
            comments=comments,
            comment_desk=comment_desk,
            reminders=reminders,
            viewers=viewers,
            identities=identities,
            stores=stores,
            cards=cards,
            crowd=crowd,
            disk_watch=disk_watch,
            terms=terms,
            hot_words=HotWords(term_lists, transcriber, transcription.listened),
            sockets=sockets,
            metrics=metrics,
            app=app,
        )

    async def run(self, background: Background) -> None:
        """Take up what the rows remember, and begin the recurring work."""
        await self.recovery.start()
        await self.files.restore()
        await self.recordings.restore()
        await self.productions.restore()
        await self.disk_watch.tick()
        await self.exports.restore()
        await self.catching_up.restore()
        background.keep(self.media_sessions.run)
        background.keep(self.recordings.run)
        background.keep(self.productions.run)
        background.keep(self.exports.run)
        background.keep(self.second_passes.run)
        background.keep(self.metrics.measure_lag)
        background.every(_SWEEP_S, self.departures.expire, self.streams.expire, self.offers.repeat_overdue)
        background.every(_SWEEP_S, self.revocations.sweep)
        background.every(_TICK_S, self.floor_clock.tick)
        background.every(_RECORDING_S, self.recordings.tick, self.recordings.write_rows)
        background.every(_PROGRAM_S, self.productions.tick)
        background.every(_RECORDING_S, self.transcription.tick)
        background.every(_CAPTIONS_S, self.transcription.rows.write)
        background.every(_CATCHING_UP_S, self.catching_up.tick)
        background.every(_RECORDING_S, self.broadcasts.save_cuts)
        background.every(_COMMENTS_S, self.comment_desk.tell)
        background.every(_TERMS_S, self.terms.tick)
        background.every(_HOT_WORDS_S, self.hot_words.tick)
        background.every(_VIEWERS_S, self.viewers.tick)
        background.every(_ADDRESSES_S, self.comments.erase_addresses, self.identities.erase_subjects)
        background.every(_PROOFS_S, self.identities.forget_lapsed)
        background.every(_REMINDERS_S, self.reminders.tick)
        background.every(_DISK_S, self.disk_watch.tick)
        background.every(_RETENTION_S, self.retention.tick)
        background.every(_CHECKPOINT_S, self.database.checkpoint)
        background.every(_HEARTBEAT_S, self.rooms.heartbeat)
        background.every(STEP_S, self.insight.tick)
        background.every(_CLAIMS_S, self.rooms.renew_claims)
        background.every(_ADOPT_S, self.recovery.adopt)

    async def stop(self) -> None:
        """Say goodbye to the sockets; participants keep their seats for the next start."""
        self.departures.stop()
        for step in (
            self.rooms.heartbeat,
            self.viewers.write_all,
            self.transcription.stop,
            self.sockets.close,
            self.stores.close,
            self.cards.close,
        ):
            try:
                await asyncio.wait_for(step(), _STOP_STEP_S)
            except TimeoutError:
                log.warning("stop.slow", step=step.__name__)


async def serve(settings: Settings, announce: Callable[[Ready], None]) -> None:
    """Run a server until SIGTERM or SIGINT."""
    raise_descriptor_limit()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    emblem = _emblem(settings)
    directory = DataDirectory(settings.data_dir.resolve())
    directory.create()
    async with AsyncExitStack() as stack:
        stack.callback(directory.lock().release)
        listener = stack.enter_context(_listen(settings.host, settings.port))
        lan = lan_identity(directory.lan) if settings.lan else None
        certificate = _certificate(settings)
        tls = (
            certificate.context if certificate is not None else lan.give_context if lan is not None else None
        )
        port = listener.getsockname()[1]
        base_url = _base_url(settings, port, is_tls=tls is not None)
        key = TokenKey(directory.load_key())
        directory.remember_database(settings.database_url)
        database = open_database(directory, settings.database_url)
        stack.push_async_callback(database.close)
        try:
            await database.migrate()
        except OSError as error:
            raise StartError(f"the database does not answer: {error}") from error
        ephemeral = open_ephemeral(settings, SystemClock(), port)
        stack.push_async_callback(ephemeral.close)
        limits = RoomLimits(max_participants=settings.max_participants)
        shared_port = public_port(base_url) if tls is not None and settings.media_on_https else 0
        media = MediaClient(_media_settings(settings, limits, shared_port))
        stack.push_async_callback(media.close)
        media_port = await media.start()
        relay = None
        if tls is not None:
            relay = relay_of(
                settings,
                directory.relay,
                base_url=base_url,
                certificate=certificate,
                media_port=media_port,
                clock=SystemClock(),
            )
        if relay is not None:
            stack.push_async_callback(relay.close)
            await relay.start()
        recorder = RecorderSupervisor(
            directory.recordings, directory.run, reserve_bytes=settings.recording_reserve_mb << 20
        )
        stack.push_async_callback(recorder.close)
        stores = ProgramStores(directory.program)
        maker = ProgramSupervisor(
            directory.program,
            directory.run,
            reserve_bytes=settings.recording_reserve_mb << 20,
            emblem=emblem,
            time_zone=settings.time_zone,
            take_fact=stores.take,
        )
        stack.push_async_callback(maker.close)
        transcriber = TranscriberSupervisor(
            directory.run,
            recordings=directory.recordings,
            models=directory.models,
            model=None if settings.speech_model is None else settings.speech_model.resolve(),
            engine=settings.speech_engine,
            streams=settings.caption_streams,
        )
        stack.push_async_callback(transcriber.close)
        second_listener = SecondPassSupervisor(
            directory.recordings,
            model=None if settings.second_pass_model is None else settings.second_pass_model.resolve(),
            engine=settings.second_pass_engine,
        )
        stack.push_async_callback(second_listener.close)
        async with asyncio.TaskGroup() as group:
            background = Background(group)
            process = WebProcess.build(
                settings=settings,
                key=key,
                database=database,
                media=media,
                recorder=recorder,
                maker=maker,
                transcriber=transcriber,
                second_listener=second_listener,
                stores=stores,
                disk=DirectoryDisk(directory.path),
                background=background,
                clock=SystemClock(),
                limits=limits,
                ephemeral=ephemeral,
                lan=lan,
                relay=relay,
                certificate=certificate,
            )
            links: dict[str, str] = {}
            staff: DemoStaff | None = None
            if settings.demo:
                staff = await demo_staff(Staff(database, Passwords(), SystemClock()), base_url)
                links = await demo_links(Consultations(database, SystemClock()), key, base_url)
            await process.run(background)
            runner = web.AppRunner(process.app, access_log=None, shutdown_timeout=_STOP_STEP_S / 2)
            await runner.setup()
            tls_port: TlsPort | None = None
            if tls is not None:
                assert runner.server is not None
                tls_port = TlsPort(
                    listener,
                    tls,
                    http=runner.server,
                    hand_over=media.hand_over if shared_port else None,
                    turn=relay.client if relay is not None else None,
                    is_proxy=TrustedProxies(settings.trusted_proxies).trusts,
                )
                tls_port.open()
                process.metrics.watch_tls(tls_port, certificate)
            else:
                await web.SockSite(runner, listener).start()
            if certificate is not None:
                background.keep(certificate.watch)
                loop.add_signal_handler(signal.SIGHUP, certificate.reload_soon)
            gc.collect()
            gc.freeze()  # modules stay: going through them stops the event loop for 80 ms each time
            log.info("server.ready", url=base_url, media_port=media_port, pid=os.getpid())
            fingerprint = lan.fingerprint if lan else None
            announce(Ready(base_url, media_port, os.getpid(), links, fingerprint, staff))
            await stopping.wait()
            log.info("server.stopping")
            await process.stop()
            if tls_port is not None:
                await tls_port.close()
            await runner.cleanup()
            background.cancel()
    log.info("server.stopped")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server(
            (host, port), family=family, backlog=1024, dualstack_ipv6=host == "::"
        )
    except OSError as error:
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    # A peer that is gone, or never reads, does not hold a connection for a quarter of an hour.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_PEER_MS)
    return listener


def _certificate(settings: Settings) -> Certificate | None:
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    try:
        return Certificate(settings.tls_cert.absolute(), settings.tls_key.absolute())
    except (OSError, ValueError) as error:
        raise StartError(f"cannot use the certificate {settings.tls_cert}: {error}") from error


def _emblem(settings: Settings) -> Path | None:
    """Workers take the mark when they cannot read it: nobody would hear of that in time."""
    if settings.program_emblem is None:
        return None
    from recording.program.emblem import EmblemError, read_emblem  # with Pillow, for those who have one

    path = settings.program_emblem.resolve()
    try:
        read_emblem(path)
    except EmblemError as error:
        raise StartError(f"cannot use the emblem {path}: {error}") from error
    return path


def _media_settings(settings: Settings, limits: RoomLimits, shared_tcp_port: int) -> MediaSettings:
    return MediaSettings(
        host=settings.host,
        port=settings.media_port,
        addresses=announced_addresses(settings.host, settings.media_address),
        shared_tcp_port=shared_tcp_port,
        max_participants=limits.max_participants + limits.max_listeners,
        max_tracks=settings.max_tracks,
    )


def _base_url(settings: Settings, port: int, *, is_tls: bool) -> str:
    if settings.public_url is not None:
        return settings.public_url
    host = local_url_host(settings.host)
    if settings.lan and host == "127.0.0.1":
        host = next(iter(lan_addresses()), host)
    return f"{'https' if is_tls else 'http'}://{host}:{port}"
