"""The services on a real SQLite database, with scripted media and a hand-moved clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from conference.model.audit import AuditLine, verify
from conference.model.invitee import Invitee
from conference.model.permissions import Role
from conference.services.agendas import Agendas
from conference.services.arrivals import Arrivals
from conference.services.attendance import Attendance
from conference.services.consultations import ConsultationDraft, Consultations
from conference.services.departures import Departures
from conference.services.desks import Desks
from conference.services.entrances import Entrances, Issued, Pass
from conference.services.entry import Entry, Resume
from conference.services.floor_clock import FloorClock
from conference.services.floors import Floors
from conference.services.invitees import InviteeDraft, Invitees
from conference.services.life_cycle import LifeCycle
from conference.services.links import LinkKind, Links
from conference.services.media_sessions import MediaSessions
from conference.services.moderation import Moderation
from conference.services.offers import Offers
from conference.services.program import ProgramTimes
from conference.services.relisting import Relisting
from conference.services.rooms import RoomLimits, Rooms
from conference.services.screen_links import ScreenLinks
from conference.services.screens import Screens
from conference.services.statements import Statements
from conference.services.streams import Streams
from conference.services.talkback import VenueTalk
from conference.services.trace import Bearer
from conference.services.venues import Venues
from conference.services.waiting import WaitingRoom
from conference.services.warrants import Warrant
from conference.storage.database import Database, open_engine, sqlite_url
from conference.storage.ephemeral.memory import MemoryPresence
from tests.support.trace_law import enforce_trace_law
from tests.unit.services.fakes import ManualClock, RecordingPublisher, ScriptedMedia


class World:
    """Everything a use case touches. `restart` is what kill -9 and a new start leave of it."""

    def __init__(self, database: Database, clock: ManualClock, limits: RoomLimits) -> None:
        self.database = database
        self.clock = clock
        self.limits = limits
        self.media = ScriptedMedia()
        self.publisher = RecordingPublisher()
        self.programs = ProgramTimes(database, clock)
        self.registry = MemoryPresence("node")
        self.rooms = Rooms(database, self.media, self.publisher, self.programs, clock, limits, self.registry)
        self.offers = Offers(self.rooms)
        self.floors = Floors(self.rooms)
        self.floor_clock = FloorClock(self.rooms, self.floors)
        self.arrivals = Arrivals(self.rooms, self.offers)
        self.departures = Departures(self.rooms, self.floors)
        self.relisting = Relisting(self.rooms)
        self.waiting = WaitingRoom(self.rooms, self.arrivals, self.departures)
        self.links = Links(b"k" * 32)
        self.venues = Venues(database, clock, self.links, self.relisting)
        self.invitees = Invitees(database, clock, self.links, self.relisting)
        self.entrances = Entrances(database, clock, self.links, self.issue)
        self.issued: dict[str, Pass] = {}
        self.moderation = Moderation(self.rooms)
        self.media_sessions = MediaSessions(self.rooms, self.offers)
        self.streams = Streams(self.rooms, self.arrivals, self.departures)
        self.agendas = Agendas(self.rooms)
        self.statements = Statements(self.rooms)
        self.venue_talk = VenueTalk(self.rooms)
        self.desks = Desks(self.rooms)
        self.screens = Screens(self.rooms, self.arrivals, self.links)
        self.screen_links = ScreenLinks(database, clock, self.links, self.issue)
        self.attendance = Attendance(database, self.programs, clock)
        self.consultations = Consultations(database, clock)
        self.life_cycle = LifeCycle(self.rooms, self.programs, self.floors)

    def issue(self, given: Pass) -> Issued:
        """A token as the doors give it out; what it says is kept in `issued`."""
        token_id = f"t_{len(self.issued)}"
        self.issued[token_id] = given
        return Issued(f"token {token_id}", token_id, given.consultation_id, self.clock.wall_ms() + 1)

    def guest(self, given: Pass, token_id: str = "t_guest", **more: Any) -> Entry:
        """At the door of the room with such a pass."""
        warrant = Warrant(
            token_id, given.role, given.via, given.invitee_id, given.venue_id, given.link_revision
        )
        return Entry(
            given.consultation_id,
            given.role,
            given.name,
            given.venue,
            token_id,
            entered_by=given.via,
            invitee_id=given.invitee_id,
            venue_id=given.venue_id,
            in_hall=given.in_hall,
            warrant=warrant,
            **more,
        )

    async def invited(self, name: str = "张三", **draft: Any) -> tuple[Invitee, Pass]:
        """Somebody on the list, and the pass of the personal link."""
        invitee = await self.invitees.add("c", self.bearer(Role.SECRETARIAT), InviteeDraft(name, **draft))
        linked = await self.entrances.look(self.links.code(LinkKind.INVITEE, invitee.id, 1))
        return invitee, linked.pass_()

    async def restart(self) -> World:
        world = World(self.database, self.clock, self.limits)
        world.media.life = "e2"
        await world.programs.restore()
        await world.rooms.restore()
        await world.floor_clock.restore()
        await world.attendance.restore()
        return world

    async def join(
        self, session_id: str, role: Role = Role.MEMBER, resume: Resume | None = None, expired: bool = False
    ) -> str:
        entry = self.entry(session_id, role, resume, expired)
        return await self.arrivals.join(entry, session_id)

    @staticmethod
    def entry(
        name: str, role: Role = Role.MEMBER, resume: Resume | None = None, expired: bool = False
    ) -> Entry:
        return Entry("c", role, name, None, f"t_{name}", token_expired=expired, resume=resume)

    async def trace(self, chain: str = "c") -> list[AuditLine]:
        """The whole chain, which is verified with every look at it."""
        async with self.database.reading() as unit:
            lines = await unit.audit.lines(chain, limit=10_000)
            texts = await unit.audit.texts(chain, 1, 10_000)
            assert verify(lines, texts, await unit.audit.head(chain)) is None
        return lines

    @staticmethod
    def bearer(role: Role, name: str = "外") -> Bearer:
        return Bearer(role, f"t_{name}", name)

    def resume(self, session_id: str) -> Resume:
        me = self.publisher.snapshot(session_id).self
        return Resume(me.participant_id, me.resume_secret)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    engine = open_engine(sqlite_url(tmp_path / "db.sqlite3"))
    database = Database(engine)
    await database.migrate()
    enforce_trace_law(engine)
    made = World(database, ManualClock(), RoomLimits(max_participants=5, max_listeners=2))
    await made.consultations.create(ConsultationDraft(title="协商会", id="c"))
    yield made
    await database.close()
