"""The composition root: chooses and builds every object of the web process."""

from __future__ import annotations

from importlib.metadata import version
from zoneinfo import ZoneInfo

from sqlalchemy import make_url

from conference.clock import Clock
from conference.services.accounts import Accounts
from conference.services.agendas import Agendas
from conference.services.arrivals import Arrivals
from conference.services.attendance import Attendance
from conference.services.audit import Trace
from conference.services.audit_across import AuditAcross
from conference.services.body_words import BodyWords
from conference.services.broadcasts import Broadcasts
from conference.services.camera_finding import CameraFinding
from conference.services.cameras import Cameras
from conference.services.case_queries import CaseQueries
from conference.services.catching_up import CatchingUp
from conference.services.clip_shows import ClipShows
from conference.services.clips import Clips
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
from conference.services.ingests import CameraIngests
from conference.services.insight import Insight
from conference.services.invitee_imports import InviteeImports
from conference.services.invitees import Invitees
from conference.services.key_care import KeyCare
from conference.services.ledger import Ledgers
from conference.services.life_cycle import LifeCycle
from conference.services.logins import Logins
from conference.services.media_sessions import MediaSessions
from conference.services.minutes import MinutesDesk
from conference.services.moderation import Moderation
from conference.services.notices import Notices
from conference.services.offers import Offers
from conference.services.overview import Overview, ServerFacts
from conference.services.own_speeches import OwnSpeeches
from conference.services.passwords import Passwords
from conference.services.ports import (
    Devices,
    Disk,
    Ingests,
    MediaPlane,
    OneServer,
    ProgramMaker,
    Recorder,
    Relay,
    SecondListener,
    Transcriber,
    Works,
)
from conference.services.prechecks import Prechecks
from conference.services.program import ProgramTimes
from conference.services.programs import Programs
from conference.services.promotions import Promotions
from conference.services.public_captions import PublicCaptions
from conference.services.public_responses import PublicResponses
from conference.services.public_views import PublicViews
from conference.services.recordings import Recordings
from conference.services.recovery import Recovery
from conference.services.rehearsals import Rehearsals
from conference.services.rehearsed_comments import RehearsedComments
from conference.services.relay_watch import RelayWatch
from conference.services.relisting import Relisting
from conference.services.reminders import Reminders
from conference.services.responses import Responses
from conference.services.retention import Retention
from conference.services.revocations import Revocations
from conference.services.rewriting import TermRewriter
from conference.services.rooms import RoomLimits, Rooms
from conference.services.rule_book import RuleBook, ServerRules
from conference.services.screen_links import ScreenLinks
from conference.services.screens import Screens
from conference.services.second_passes import SecondPasses
from conference.services.staff import Staff
from conference.services.statements import Statements
from conference.services.storage_watch import StorageWatch
from conference.services.streams import Streams
from conference.services.talkback import VenueTalk
from conference.services.term_lists import TermLists
from conference.services.terms import Terms
from conference.services.track_sounds import TrackSounds
from conference.services.transcript_editing import TranscriptEditing
from conference.services.transcript_news import TranscriptNews
from conference.services.transcript_presence import TranscriptPresence
from conference.services.transcription import Transcription
from conference.services.transcripts import Transcripts
from conference.services.venue_board import VenueBoard
from conference.services.venues import Venues
from conference.services.viewers import Viewers
from conference.services.waiting import WaitingRoom
from conference.storage.clips import DirectoryClips
from conference.storage.database import Database
from conference.storage.files import DirectoryFiles
from conference.storage.works import DirectoryWorks
from conference.text.reader import TextReader
from recording.hls.card_segments import Cards
from recording.hls.store import ProgramStores
from signaling.archive import ArchiveBuilder
from signaling.auth.access import Access
from signaling.auth.tokens import TokenKey
from signaling.clip_workers import ClipWorkers
from signaling.data_dir import DataDirectory
from signaling.documents.client import DocumentWorkers
from signaling.ephemeral import Ephemeral
from signaling.exports import ExportWorkers
from signaling.footage import StoredFootage
from signaling.health import KeyHealth
from signaling.http.application import make_application
from signaling.http.context import HttpContext
from signaling.http.crowd import Crowd
from signaling.identity import providers_of
from signaling.key_ring import KeyRing
from signaling.metrics import Metrics
from signaling.network import TrustedProxies
from signaling.notifiers import notifiers_of
from signaling.other_nodes import OtherNodes
from signaling.paper.client import PaperWorkers
from signaling.realtime.broadcast_requests import BroadcastRequests
from signaling.realtime.clip_requests import ClipRequests
from signaling.realtime.comment_requests import CommentRequests
from signaling.realtime.desk_namespace import DeskNamespace
from signaling.realtime.fanout import Fanout
from signaling.realtime.floor_requests import FloorRequests
from signaling.realtime.namespace import Surroundings
from signaling.realtime.rehearsal_requests import RehearsalRequests
from signaling.realtime.room_namespace import RoomNamespace
from signaling.realtime.room_requests import RoomRequests
from signaling.realtime.server import SocketServer
from signaling.realtime.session_requests import AgendaRequests, StatementRequests
from signaling.realtime.transcript_requests import TranscriptRequests
from signaling.realtime.venue_requests import VenueRequests
from signaling.settings import Settings
from signaling.shared_dir import SharedDirectory
from signaling.shared_watch import SharedWatch
from signaling.sound_cuts import SoundCuts
from signaling.storage_meter import DirectoryMeter
from signaling.tables.client import TableWorkers
from signaling.tasks import Background
from signaling.tls.certificate import Certificate
from signaling.web_process import WebProcess


def compose(
    *,
    settings: Settings,
    ring: KeyRing,
    database: Database,
    media: MediaPlane,
    recorder: Recorder,
    maker: ProgramMaker,
    transcriber: Transcriber,
    second_listener: SecondListener,
    ingests: Ingests,
    devices: Devices,
    stores: ProgramStores,
    disk: Disk,
    background: Background,
    clock: Clock,
    limits: RoomLimits,
    ephemeral: Ephemeral,
    lan_ca: bytes | None = None,
    relay: Relay | None = None,
    certificate: Certificate | None = None,
    shared_dir: SharedDirectory | None = None,
    watch: SharedWatch | None = None,
) -> WebProcess:
    """The web process on storage and media that are given, and closed by whoever gave them. Nothing runs yet.

    `lan_ca`: the certificate of the authority that phones may trust, with --lan. `shared_dir`: where files of
    consultations lie for all servers, with `watch` over it."""
    metrics, fanout, key = Metrics(), Fanout(), TokenKey(ring)
    proxies = TrustedProxies(settings.trusted_proxies)
    access = Access(key, database, clock)
    programs = ProgramTimes(database, clock)
    works: Works = OneServer() if shared_dir is None else DirectoryWorks(shared_dir.locks)
    rooms = Rooms(
        database,
        media,
        fanout,
        programs,
        clock,
        limits,
        ephemeral.registry,
        relay,
        shares_files=works.is_shared,
    )
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
    if watch is not None:
        metrics.watch_shared_directory(watch)
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
    vault, camera_sealer = key.vault(), key.camera_sealer()
    identities = Identities(
        boards,
        broadcasts,
        providers_of(settings),
        vault,
        ephemeral.rate_limits,
        days=settings.comment_address_days,
    )
    media_sessions.follow(productions.media_lost)
    disk_watch = DiskWatch(rooms, disk, int(settings.disk_warn_gb * 1e9))
    metrics.watch_programs(productions, disk_watch)
    presence = TranscriptPresence(rooms)
    desks.follow(presence.left)
    cameras = Cameras(database, clock, camera_sealer, ingests)
    camera_ingests = CameraIngests(rooms, arrivals, departures, ingests, camera_sealer)
    cameras.follow(camera_ingests.changed)
    key_care = KeyCare(
        database,
        clock,
        ring,
        ephemeral.registry,
        links,
        cameras=camera_sealer,
        comments=sealer,
        vault=vault,
    )
    venue_talk, venue_board = VenueTalk(rooms), VenueBoard(rooms, insight, camera_ingests)
    rehearsals = Rehearsals(rooms, programs, floors, broadcasts, boards, life_cycle)
    rehearsed_comments = RehearsedComments(boards)
    directory = DataDirectory.given(settings.data_dir, None if shared_dir is None else shared_dir.path)
    require = (lambda: None) if shared_dir is None else shared_dir.require
    reserve_bytes = settings.recording_reserve_mb << 20
    clips = Clips(
        database,
        DirectoryClips(
            directory.clips,
            max_bytes=settings.clip_max_mb << 20,
            reserve_bytes=reserve_bytes,
            require=require,
        ),
        ClipWorkers(directory.clips, reserve_bytes=reserve_bytes),
        clock,
        works,
    )
    storage_watch = StorageWatch(
        rooms, DirectoryMeter(directory.recordings, directory.program, directory.clips)
    )
    clips.bound(storage_watch.require_space)
    clip_shows = ClipShows(rooms, clips, ingests, departures)
    shared = {
        **RehearsalRequests(rehearsals, rehearsed_comments).calls(),
        **FloorRequests(floors).calls(),
        **AgendaRequests(agendas).calls(),
        **StatementRequests(statements).calls(),
        **BroadcastRequests(broadcasts, productions).calls(),
        **ClipRequests(clip_shows).calls(),
        **CommentRequests(comment_desk, promotions).calls(),
        **TranscriptRequests(presence).calls(),
        **VenueRequests(venue_talk).calls(),
    }
    waiting = WaitingRoom(rooms, arrivals, departures)
    screens = Screens(rooms, arrivals, links)
    requests = RoomRequests(arrivals, departures, screens, desks, moderation, media_sessions, waiting, shared)
    nodes = OtherNodes(ephemeral.registry, proxies)
    around = Surroundings(access, fanout, metrics, proxies, background.spawn, nodes)
    sockets = SocketServer(
        RoomNamespace(requests.handlers(), arrivals, departures, screens, offers, around),
        DeskNamespace(requests.desk_handlers(), desks, around),
        metrics=metrics,
        public_url=settings.public_url,
        redis_url=settings.redis_url,
    )
    passwords, revocations = Passwords(), Revocations(rooms, departures, ring)
    files = Files(database, DirectoryFiles(directory.files, require), clock, works)
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
    catching_up = CatchingUp(rooms, transcription, transcriber, recorder, works)
    metrics.watch_transcription(transcription, catching_up)
    second_passes = SecondPasses(rooms, second_listener, recorder, term_lists, news)
    exporter = ExportWorkers(
        directory.recordings,
        directory.program,
        reserve_bytes=settings.recording_reserve_mb << 20,
        forget=stores.forget,
        require=require,
    )

    def is_made(consultation_id: str) -> bool:
        """Here, or by the node that has its room and writes the same files."""
        is_elsewhere = works.is_shared and consultation_id in ephemeral.registry.elsewhere()
        return is_elsewhere or productions.is_making(consultation_id)

    exports = Exports(database, clock, exporter, is_made, works)
    sounds = TrackSounds(database, SoundCuts(directory.recordings))
    rehearsals.see_to(exporter, recordings, productions, transcription)
    rehearsals.close_with(clip_shows.close)
    days = settings.recording_retention_days
    retention = Retention(database, clock, exporter, exports, days=days, works=works)
    retention.follow(clips.clear)
    tables, documents = TableWorkers(settings.time_zone), DocumentWorkers()
    public_views = PublicViews(
        database,
        clock,
        broadcasts,
        StoredFootage(stores, broadcasts, clock),
        viewers,
        identity_kinds=identities.kinds,
    )
    staff = Staff(database, passwords, clock)
    storage = make_url(database.url).get_backend_name()
    facts = ServerFacts(version("yuanshang"), storage, clock.wall_ms())
    context = HttpContext(
        access=access,
        tables=tables,
        imports=InviteeImports(database, tables, links, clock),
        venues=Venues(database, clock, links, relisting),
        cameras=cameras,
        camera_finding=CameraFinding(database, devices),
        venue_talk=venue_talk,
        venue_board=venue_board,
        prechecks=Prechecks(rooms, key.record_signer()),
        invitees=Invitees(database, clock, links, relisting),
        entrances=Entrances(database, clock, links, access.for_guest),
        entry_codes=EntryCodes(database, clock, access.for_guest, ephemeral.rate_limits),
        logins=Logins(database, passwords, clock),
        staff=staff,
        audit_across=AuditAcross(database, staff),
        overview=Overview(rooms, staff, disk_watch, key_care, facts),
        body_words=BodyWords(database, staff, clock),
        rule_book=RuleBook(rooms, staff, storage_watch, ServerRules(limits.max_participants, days)),
        editing=Editing(rooms, floors, waiting, identity_kinds=identities.kinds),
        files=files,
        clips=clips,
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
        department_door=DepartmentDoor(database, programs, clock, links, ledgers, zone),
        case_queries=CaseQueries(database, clock, boards.reader, ledgers, zone),
        responses=Responses(boards, ledgers, notices, zone),
        public_responses=PublicResponses(boards, broadcasts, ledgers, zone),
        stores=stores,
        cards=cards,
        crowd=crowd,
        revocations=revocations,
        consultations=Consultations(database, clock, identity_kinds=identities.kinds),
        life_cycle=life_cycle,
        rehearsals=rehearsals,
        rehearsed_comments=rehearsed_comments,
        rooms=rooms,
        streams=streams,
        screen_links=ScreenLinks(database, clock, links, access.for_guest),
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
        shared_watch=watch,
        key_health=KeyHealth(ring, key_care),
        rate_limits=ephemeral.rate_limits,
    )
    floor_clock = FloorClock(rooms, floors)
    recovery = Recovery(rooms, programs, floor_clock, attendance)
    recovery.follow(rehearsals.take_over)
    app = make_application(
        context,
        strict_transport=settings.tls_cert is not None,
        lan_ca=lan_ca,
        nodes=nodes,
    )
    sockets.attach(app)
    return WebProcess(
        database=database,
        media=media,
        rooms=rooms,
        life_cycle=life_cycle,
        departures=departures,
        floor_clock=floor_clock,
        attendance=attendance,
        recovery=recovery,
        offers=offers,
        media_sessions=media_sessions,
        streams=streams,
        camera_ingests=camera_ingests,
        screens=screens,
        insight=insight,
        venue_board=venue_board,
        revocations=revocations,
        files=files,
        clips=clips,
        clip_shows=clip_shows,
        recordings=recordings,
        rehearsals=rehearsals,
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
        storage_watch=storage_watch,
        relay_watch=RelayWatch(rooms),
        key_ring=ring,
        key_care=key_care,
        terms=terms,
        boards=boards,
        hot_words=HotWords(term_lists, transcriber, transcription.listened),
        sockets=sockets,
        metrics=metrics,
        app=app,
    )
