"""A web process on a real port with a real database and scripted media, and Socket.IO clients that keep a state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import socketio
from aiohttp.test_utils import TestServer

from conference.clock import Clock, SystemClock
from conference.model.permissions import Role
from conference.services.consultations import ConsultationDraft, Consultations
from conference.services.rooms import RoomLimits
from conference.storage.database import Database, open_engine, sqlite_url
from recording.hls.store import ProgramStores
from signaling.auth.tokens import TokenKey
from signaling.composition import compose
from signaling.data_dir import DataDirectory, write_private
from signaling.ephemeral import open_ephemeral
from signaling.key_file import KeyFile
from signaling.key_ring import KeyRing
from signaling.settings import Settings
from signaling.tasks import Background
from signaling.web_process import WebProcess
from tests.support.eventually import eventually
from tests.support.trace_law import enforce_trace_law
from tests.unit.services.fakes import (
    ScriptedDevices,
    ScriptedDisk,
    ScriptedIngests,
    ScriptedMaker,
    ScriptedMedia,
    ScriptedRecorder,
    ScriptedSecondListener,
    ScriptedTranscriber,
)

SECRET = b"k" * 32
KEY = TokenKey(SECRET)
SHORT = RoomLimits(max_participants=8, grace_s=0.4, whip_grace_s=0.2, offer_patience_s=0.2)


@dataclass
class Signalling:
    """The process under test."""

    url: str
    process: WebProcess
    media: ScriptedMedia
    recorder: ScriptedRecorder
    maker: ScriptedMaker
    transcriber: ScriptedTranscriber
    second_listener: ScriptedSecondListener
    ingests: ScriptedIngests
    disk: ScriptedDisk
    clients: list[Client] = field(default_factory=list)

    def token(self, role: Role = Role.MEMBER, name: str = "张三", cid: str = "c", ttl_s: int = 60) -> str:
        return KEY.issue(cid, role, name, ttl_s=ttl_s)

    async def join(self, role: Role = Role.MEMBER, name: str = "张三", **auth: Any) -> Client:
        """A client with its snapshot."""
        client = await self.connect({"token": self.token(role, name), **auth})
        await eventually(lambda: client.state.snapshot)
        return client

    async def desk(self, role: Role = Role.CHAIR, name: str = "张三") -> Client:
        """A desk with its snapshot."""
        client = await self.connect({"token": self.token(role, name)}, "/desk")
        await eventually(lambda: client.state.snapshot)
        return client

    async def connect(self, auth: Any, namespace: str = "/room") -> Client:
        client = Client(self.url, namespace)
        self.clients.append(client)
        await client.connect(auth)
        return client


@asynccontextmanager
async def signalling(
    directory: Path, limits: RoomLimits = SHORT, clock: Clock | None = None, **options: Any
) -> AsyncIterator[Signalling]:
    """Run a web process; leaving the block stops it as SIGTERM would."""
    engine = open_engine(sqlite_url(directory / "db.sqlite3"))
    database = Database(engine)
    await database.migrate()
    enforce_trace_law(engine)
    consultations = Consultations(database, SystemClock())
    for consultation_id in ("c", "other"):
        await consultations.rehearse(ConsultationDraft(title="协商会", id=consultation_id))
    media, recorder = ScriptedMedia(), ScriptedRecorder(directory / "recordings")
    maker, transcriber, disk = ScriptedMaker(), ScriptedTranscriber(), ScriptedDisk()
    second_listener, ingests = ScriptedSecondListener(), ScriptedIngests()
    settings = Settings.load({"data_dir": directory, **options})
    write_private(DataDirectory(directory).token_key, SECRET)
    ephemeral = open_ephemeral(settings, SystemClock(), 0)
    async with asyncio.TaskGroup() as group:
        background = Background(group)
        process = compose(
            settings=settings,
            ring=KeyRing(KeyFile(DataDirectory(directory)), SystemClock()),
            database=database,
            media=media,
            recorder=recorder,
            maker=maker,
            transcriber=transcriber,
            second_listener=second_listener,
            ingests=ingests,
            devices=ScriptedDevices(),
            stores=ProgramStores(directory / "program"),
            disk=disk,
            background=background,
            clock=clock or SystemClock(),
            limits=limits,
            ephemeral=ephemeral,
        )
        await process.run(background)
        background.every(
            0.05, process.departures.expire, process.offers.repeat_overdue, process.streams.expire
        )
        server = TestServer(process.app, host="127.0.0.1")
        await server.start_server()
        url = str(server.make_url("")).rstrip("/")
        running = Signalling(
            url, process, media, recorder, maker, transcriber, second_listener, ingests, disk
        )
        try:
            yield running
        finally:
            for client in running.clients:
                await client.close()
            await process.stop()
            await server.close()
            background.cancel()
    await ephemeral.close()
    await database.close()


@dataclass
class RoomState:
    """What a client knows, by the rules of the protocol: the snapshot and every event after it."""

    snapshot: dict[str, Any] | None = None
    version: int = 0
    consultation: dict[str, Any] = field(default_factory=dict)
    participants: dict[str, dict[str, Any]] = field(default_factory=dict)
    agenda: list[dict[str, Any]] = field(default_factory=list)
    floor: dict[str, Any] = field(default_factory=dict)
    statements: dict[str, dict[str, Any]] = field(default_factory=dict)
    statement_count: int = 0
    waiting: list[dict[str, Any]] | None = None
    venue_messages: list[dict[str, Any]] | None = None
    clip: dict[str, Any] | None = None

    def start(self, snapshot: dict[str, Any]) -> None:
        self.snapshot = snapshot
        self.version = snapshot["version"]
        self.consultation = snapshot["consultation"]
        self.participants = {each["id"]: each for each in snapshot["participants"]}
        self.agenda, self.floor = snapshot["agenda"], snapshot["floor"]
        self.statements = {each["id"]: each for each in snapshot["statements"]}
        self.statement_count = snapshot["statement_count"]
        self.waiting = snapshot["waiting"]
        self.venue_messages = snapshot["venue_messages"]
        self.clip = snapshot["clip"]

    def apply(self, event: str, body: dict[str, Any]) -> None:
        """Raises AssertionError at a hole."""
        if "version" not in body and "statement" in body:  # a private note
            self._put(body["statement"])
        if event == "waiting.joined":
            assert self.waiting is not None, "told of the waiting room without the right to admit"
            self.waiting = [*self.waiting, body["person"]]
        elif event == "waiting.left":
            assert self.waiting is not None
            self.waiting = [e for e in self.waiting if e["participant_id"] != body["participant_id"]]
        elif event == "venue.message":
            assert self.venue_messages is not None, "told of venues without the right to"
            self.venue_messages = [*self.venue_messages, body["message"]][-200:]
        if "version" not in body or body["version"] <= self.version:
            return
        assert body["version"] == self.version + 1, f"hole before {event} {body['version']}"
        self.version = body["version"]
        if event == "participant.left":
            del self.participants[body["participant_id"]]
        elif event == "consultation.updated":
            self.consultation = body["consultation"]
        elif event == "captions.updated":
            self.consultation = {**self.consultation, "captions": body["state"]}
        elif event == "agenda.updated":
            self.agenda = body["agenda"]
        elif event == "clip.updated":
            self.clip = body["clip"]
        elif event == "floor.updated":
            self.floor = body["floor"]
        elif "statement" in body:
            self._put(body["statement"])
        else:
            self.participants[body["participant"]["id"]] = body["participant"]

    def _put(self, statement: dict[str, Any]) -> None:
        """Events are the same for all: whether the client itself likes it, it knows from its own requests."""
        known = self.statements.get(statement["id"])
        self.statement_count += known is None
        self.statements[statement["id"]] = {**statement, "liked": (known or {}).get("liked", False)}

    def comparable(self) -> dict[str, Any]:
        """In the form of a snapshot; `liked` is each client's own."""
        statements = [{**each, "liked": None} for each in self.statements.values()]
        return {
            "version": self.version,
            "consultation": self.consultation,
            "participants": list(self.participants.values()),
            "agenda": self.agenda,
            "clip": self.clip,
            "floor": self.floor,
            "statements": statements[-100:],
            "statement_count": self.statement_count,
            "waiting": self.waiting,
            "venue_messages": self.venue_messages,
        }


class Client:
    """One socket. `events` holds everything received, in order."""

    def __init__(self, url: str, namespace: str = "/room") -> None:
        self._url = url
        self._namespace = namespace
        self._sio = socketio.AsyncClient(reconnection=False)
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.state = RoomState()
        self.answer: Callable[[dict[str, Any]], Any] | None = lambda offer: {
            "sdp": f"answer to {offer['sdp']}"
        }
        self._sio.register_namespace(_Namespace(self, namespace))

    async def connect(self, auth: Any, transports: Sequence[str] = ("websocket",)) -> None:
        await self._sio.connect(
            self._url, namespaces=[self._namespace], auth=auth, transports=list(transports), wait_timeout=20
        )

    async def call(self, event: str, data: Any = None) -> Any:
        return await self._sio.call(
            event, {} if data is None else data, namespace=self._namespace, timeout=30
        )

    async def ask(self, event: str, data: Any = None) -> Any:
        """The data of a good ack."""
        ack = await self.call(event, data)
        assert ack["ok"], ack
        return ack["data"]

    async def refused(self, event: str, data: Any = None) -> str:
        """The code of a refusal."""
        ack = await self.call(event, data)
        assert not ack["ok"], ack
        return str(ack["error"]["code"])

    async def send_raw(self, text: str) -> None:
        """A frame as it is, below Socket.IO."""
        await self._sio.eio.send(text)

    def has_snapshot(self) -> bool:
        return self.state.snapshot is not None

    @property
    def connected(self) -> bool:
        return self._namespace in self._sio.namespaces

    @property
    def me(self) -> str:
        assert self.state.snapshot is not None
        return str(self.state.snapshot["self"]["participant_id"])

    @property
    def resume(self) -> dict[str, str]:
        assert self.state.snapshot is not None
        me = self.state.snapshot["self"]
        return {"participant_id": me["participant_id"], "secret": me["resume_secret"]}

    def names(self) -> list[str]:
        return [name for name, _ in self.events]

    def of(self, name: str) -> list[dict[str, Any]]:
        return [body for event, body in self.events if event == name]

    async def drop(self) -> None:
        """Lose the connection without a word."""
        session: aiohttp.ClientSession = self._sio.eio.http
        await session.close()

    async def close(self) -> None:
        await self._sio.shutdown()

    def received(self, event: str, body: dict[str, Any]) -> Any:
        self.events.append((event, body))
        if event in ("room.snapshot", "desk.snapshot"):
            self.state.start(body)
        elif event == "media.offer":
            return self.answer(body) if self.answer is not None else None
        else:
            self.state.apply(event, body)
        return None


class _Namespace(socketio.AsyncClientNamespace):  # type: ignore[misc]  # the library is untyped
    def __init__(self, client: Client, name: str) -> None:
        super().__init__(name)
        self._client = client

    async def trigger_event(self, event: str, *arguments: Any) -> Any:
        if event in ("connect", "disconnect", "__disconnect_final"):
            return None
        return self._client.received(event, arguments[0])
