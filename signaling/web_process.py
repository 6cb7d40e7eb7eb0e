"""Every object of the web process, with what recurs in it and how it stops."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog
from aiohttp import web

from conference.services.attendance import Attendance
from conference.services.broadcasts import Broadcasts
from conference.services.catching_up import CatchingUp
from conference.services.clip_shows import ClipShows
from conference.services.clips import Clips
from conference.services.comment_boards import CommentBoards
from conference.services.comment_desk import CommentDesk
from conference.services.comments import Comments
from conference.services.departures import Departures
from conference.services.disk_watch import DiskWatch
from conference.services.exports import Exports
from conference.services.files import Files
from conference.services.floor_clock import FloorClock
from conference.services.hot_words import HotWords
from conference.services.identities import Identities
from conference.services.ingests import CameraIngests
from conference.services.insight import STEP_S, Insight
from conference.services.key_care import KeyCare
from conference.services.life_cycle import LifeCycle
from conference.services.media_sessions import MediaSessions
from conference.services.offers import Offers
from conference.services.ports import (
    MediaPlane,
)
from conference.services.program import ProgramTimes
from conference.services.programs import Programs
from conference.services.recordings import Recordings
from conference.services.recovery import Recovery
from conference.services.rehearsals import Rehearsals
from conference.services.relay_watch import RelayWatch
from conference.services.reminders import Reminders
from conference.services.retention import Retention
from conference.services.revocations import Revocations
from conference.services.rooms import Rooms
from conference.services.screens import Screens
from conference.services.second_passes import SecondPasses
from conference.services.storage_watch import StorageWatch
from conference.services.streams import Streams
from conference.services.terms import Terms
from conference.services.transcription import Transcription
from conference.services.venue_board import STEP_S as BOARD_S
from conference.services.venue_board import VenueBoard
from conference.services.viewers import Viewers
from conference.storage.database import Database
from recording.hls.card_segments import Cards
from recording.hls.store import ProgramStores
from signaling.http.crowd import Crowd
from signaling.key_ring import KeyRing
from signaling.metrics import Metrics
from signaling.realtime.server import SocketServer
from signaling.tasks import Background

log = structlog.get_logger(__name__)

_SWEEP_S = 1.0
_TICK_S = 0.1  # how late a countdown may begin, warn and end
_HEARTBEAT_S = 5.0
_PROGRAM_S = 0.1  # how late a program shows what happened
_CAPTIONS_S = 0.05  # how late a final is written and shown
_CATCHING_UP_S = 1.0
_TERMS_S = 0.2  # between some hundred segments that follow a changed list
_HOT_WORDS_S = 5.0
_BODY_WORDS_S = 2.0
_COMMENTS_S = 0.5  # how late desks learn of comments
_VIEWERS_S = 5.0
_ADDRESSES_S = 3600.0
_PROOFS_S = 60.0
_REMINDERS_S = 5.0  # how soon a department is written to
_DISK_S = 2.0
_STORAGE_S = 5.0
_CLIPS_S = 0.1  # how late a clip is in the room, and out of it
_QUALITIES_S = 0.2
_CAMERAS_S = 0.2  # how late a camera is in the room, and desks learn of its fault
_RELAY_S = 2.0  # how late desks learn of its end
_KEYS_S = 1.0  # how late a rotation by another process is noticed; a token of the new key is never refused
_KEY_CARE_S = 5.0
_RECORDING_S = 0.2  # how late a recording may begin and end
_LEFT_S = 2.0  # how soon a dead server's recordings are closed
_UNERASED_S = 60.0
_CHECKPOINT_S = 2.0
_RETENTION_S = 5.0  # how soon after a start; then once a day
_CLAIMS_S = 2.0  # a quarter of the time for which a claim lasts
_ADOPT_S = 15.0
STOP_STEP_S = 1.0
"""How long any one step of stopping may take."""


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
    camera_ingests: CameraIngests
    screens: Screens
    insight: Insight
    venue_board: VenueBoard
    revocations: Revocations
    files: Files
    clips: Clips
    clip_shows: ClipShows
    recordings: Recordings
    rehearsals: Rehearsals
    exports: Exports
    retention: Retention
    programs: ProgramTimes
    productions: Programs
    transcription: Transcription
    catching_up: CatchingUp
    second_passes: SecondPasses
    terms: Terms
    hot_words: HotWords
    boards: CommentBoards
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
    storage_watch: StorageWatch
    relay_watch: RelayWatch
    key_ring: KeyRing
    key_care: KeyCare
    sockets: SocketServer
    metrics: Metrics
    app: web.Application

    async def run(self, background: Background) -> None:
        """Take up what the rows remember, and begin the recurring work."""
        await self.recovery.start()
        await self.rehearsals.restore()  # before anybody looks for files that killed workers left
        await self.files.restore()
        await self.clips.restore()
        await self.clip_shows.restore()
        await self.recordings.restore()
        await self.productions.restore()
        await self.disk_watch.tick()
        await self.exports.restore()
        await self.catching_up.restore()
        background.keep(self.media_sessions.run)
        background.keep(self.recordings.run)
        background.keep(self.rehearsals.run)
        background.keep(self.productions.run)
        background.keep(self.exports.run)
        background.keep(self.clips.run)
        background.keep(self.second_passes.run)
        background.keep(self.metrics.measure_lag)
        background.every(_SWEEP_S, self.departures.expire, self.streams.expire, self.screens.expire)
        background.every(_SWEEP_S, self.offers.repeat_overdue)
        background.every(_SWEEP_S, self.revocations.sweep)
        background.every(_TICK_S, self.floor_clock.tick)
        background.every(_QUALITIES_S, self.media_sessions.tell_qualities)
        background.every(_RECORDING_S, self.recordings.tick, self.recordings.write_rows)
        background.every(_PROGRAM_S, self.productions.tick)
        background.every(_RECORDING_S, self.transcription.tick)
        background.every(_CAPTIONS_S, self.transcription.rows.write)
        background.every(_CATCHING_UP_S, self.catching_up.tick)
        background.every(_RECORDING_S, self.broadcasts.save_cuts)
        background.every(_COMMENTS_S, self.comment_desk.tell)
        background.every(_TERMS_S, self.terms.tick)
        background.every(_HOT_WORDS_S, self.hot_words.tick)
        background.every(_BODY_WORDS_S, self.boards.follow_bodies)
        background.every(_VIEWERS_S, self.viewers.tick)
        background.every(_ADDRESSES_S, self.comments.erase_addresses, self.identities.erase_subjects)
        background.every(_PROOFS_S, self.identities.forget_lapsed)
        background.every(_REMINDERS_S, self.reminders.tick)
        background.every(_DISK_S, self.disk_watch.tick)
        background.every(_STORAGE_S, self.storage_watch.tick)
        background.every(_CAMERAS_S, self.camera_ingests.tick)
        background.every(_CLIPS_S, self.clip_shows.tick)
        background.every(_RELAY_S, self.relay_watch.tick)
        background.every(_KEYS_S, self.key_ring.tick)
        background.every(_KEY_CARE_S, self.key_care.tick)
        background.every(_RETENTION_S, self.retention.tick, self.rehearsals.tick)
        if self.rooms.shares_files:
            background.every(_LEFT_S, self.recordings.look_for_left)
            background.every(_UNERASED_S, self.productions.look_for_left, self.second_passes.look_for_left)
        background.every(_CHECKPOINT_S, self.database.checkpoint)
        background.every(_HEARTBEAT_S, self.rooms.heartbeat)
        background.every(STEP_S, self.insight.tick)
        background.every(BOARD_S, self.venue_board.tick)
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
                await asyncio.wait_for(step(), STOP_STEP_S)
            except TimeoutError:
                log.warning("stop.slow", step=step.__name__)
