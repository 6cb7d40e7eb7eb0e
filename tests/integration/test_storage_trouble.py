"""A database that is locked, full or read-only: a typed answer for each request, nothing half-way, and on it goes."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.model.audit import verify
from conference.model.errors import ERROR_TEXTS
from conference.storage.database import Database, open_engine, sqlite_url
from tests.support.eventually import eventually
from tests.support.server import COMMAND, Server
from tests.unit.signaling.harness import Client

MOUNTS = Path("/proc/self/mountinfo")
WAIT_S = 30  # longer than the database waits for a lock


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"mount is refused here: {done.stderr.strip()}")


def _unmount(path: Path) -> None:
    while any(line.split()[4] == str(path) for line in MOUNTS.read_text().splitlines()):
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    path = tmp_path / "small"
    path.mkdir()
    _mount("-t", "tmpfs", "-o", "size=6m", "tmpfs", str(path))
    try:
        yield path
    finally:
        _unmount(path)


class Meeting:
    """A consultation on the real server, with a chair and a member."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.id = server.create_consultation()
        self.clients: list[Client] = []

    async def join(self, role: str, **auth: Any) -> Client:
        client = Client(self.server.url)
        self.clients.append(client)
        await client.connect({"token": self.server.token(self.id, role, role), **auth})
        await eventually(client.has_snapshot)
        return client

    async def code(self, client: Client, event: str, body: dict[str, Any]) -> str | None:
        """None when it was done."""
        ack = await client._sio.call(event, body, namespace="/room", timeout=WAIT_S)
        if ack["ok"]:
            return None
        assert ack["error"]["message"] == ERROR_TEXTS[ack["error"]["code"]]
        return str(ack["error"]["code"])

    async def put_agenda(self, title: str) -> tuple[int, dict[str, Any]]:
        url = f"{self.server.url}/api/v1/consultations/{self.id}/agenda"
        headers = {"Authorization": f"Bearer {self.server.token(self.id, 'chair')}"}
        items = [{"title": title, "kind": "speech"}]
        async with (
            aiohttp.ClientSession() as http,
            http.put(url, headers=headers, json={"items": items}) as answer,
        ):
            return answer.status, await answer.json(content_type=None)

    async def assert_whole(self, client: Client) -> None:
        """Memory, rows and the trace agree."""
        shown = await client.ask("room.sync")
        database = Database(open_engine(sqlite_url(self.server.data_dir / "yuanshang.sqlite3")))
        async with database.reading() as unit:
            agenda, board = await unit.agenda.get(self.id), await unit.statements.board(self.id)
            turn = await unit.floor.open_turn(self.id)
            people = {each.id: each for each in await unit.participants.present()}
            consultation = await unit.consultations.get(self.id)
            lines = await unit.audit.lines(self.id, limit=10_000)
            texts = await unit.audit.texts(self.id, 1, 10_000)
            assert verify(lines, texts, await unit.audit.head(self.id)) is None
        await database.close()
        assert [each["title"] for each in shown["agenda"]] == [each.title for each in agenda.items]
        assert [each["state"] for each in shown["agenda"]] == [each.state for each in agenda.items]
        assert [(each["id"], each["likes"], each["taken"]) for each in shown["statements"]] == [
            (each.id, board.likes(each.id), each.taken) for each in board.statements.values()
        ]
        holder = shown["floor"]["holder"]
        assert (holder and holder["participant_id"]) == (turn and turn.participant_id)
        assert consultation is not None
        assert shown["floor"]["mode"] == consultation.mode
        for each in shown["participants"]:
            row = people.pop(each["id"])
            assert (each["name"], each["microphone"], each["hard_muted"], each["camera"]) == (
                row.name,
                row.sound_open,
                row.is_locked,
                row.camera_on,
            )
        queue = sorted((each.hand_order, each.id) for each in people.values() if each.hand_order)
        assert not people, f"not shown: {queue or people}"


@contextlib.asynccontextmanager
async def meeting(server: Server) -> AsyncIterator[Meeting]:
    held = await asyncio.to_thread(Meeting, server)
    try:
        yield held
    finally:
        for client in held.clients:
            await client.close()


def requests(member: Client, statement: str) -> list[tuple[bool, str, dict[str, Any]]]:
    """One of each kind of write that the chair (True) or the member asks for."""
    return [
        (False, "statement.add", {"text": "没有存下", "key": "lost" * 2}),
        (False, "statement.like", {"id": statement, "liked": True}),
        (True, "statement.take", {"id": statement, "taken": True}),
        (True, "agenda.set", {"items": [{"title": "没有存下", "kind": "speech"}]}),
        (True, "agenda.next", {}),
        (False, "floor.request", {}),
        (True, "floor.grant", {"participant_id": member.me}),
        (True, "floor.mode", {"mode": "chair"}),
        (True, "participant.mute", {"participant_id": member.me, "muted": True, "hard": True}),
        (False, "participant.update", {"name": "没有存下"}),
    ]


async def begun(held: Meeting) -> tuple[Client, Client, str]:
    chair, member = await held.join("chair"), await held.join("member")
    assert (await held.put_agenda("议程"))[0] == 200
    added = await member.ask("statement.add", {"text": "存下了", "key": "kept" * 2})
    return chair, member, added["statement"]["id"]


async def fill_log(held: Meeting, chair: Client, member: Client, statement: str) -> str:
    """What the log has room for is still written, down to the smallest write there is; the code of the refusal."""
    number = 0
    for length in (1000, 1):
        while True:
            number += 1
            assert number < 1000
            text = {"text": "长" * length, "key": f"filling{number}"}
            if await held.code(member, "statement.add", text):
                break
    for number in range(1000):
        like = {"id": statement, "liked": number % 2 == 0}
        if code := await held.code(chair, "statement.like", like):
            return code
    raise AssertionError("the disk is not full")


async def test_locked_by_another_process(tmp_path: Path) -> None:
    async with Server(data_dir=tmp_path / "data") as server, meeting(server) as held:
        chair, member, _ = await begun(held)
        other = sqlite3.connect(tmp_path / "data" / "yuanshang.sqlite3", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            answers = await asyncio.gather(
                held.code(member, "statement.add", {"text": "没有存下", "key": "lost" * 2}),
                held.code(chair, "floor.grant", {"participant_id": member.me}),
            )
            assert [*answers] == ["storage_unavailable", "storage_unavailable"]
            status, problem = await held.put_agenda("没有存下")
            assert (status, problem["code"]) == (503, "storage_unavailable")
            assert problem["detail"] == ERROR_TEXTS["storage_unavailable"]
            assert (await chair.ask("room.sync"))["floor"]["holder"] is None  # reading goes on
        finally:
            other.close()
        await held.assert_whole(chair)
        assert await held.code(member, "statement.add", {"text": "再来", "key": "lost" * 2}) is None
        assert (await held.put_agenda("再来"))[0] == 200
        await held.assert_whole(chair)


async def test_a_full_disk(small_disk: Path) -> None:
    async with Server(data_dir=small_disk / "data") as server, meeting(server) as held:
        chair, member, statement = await begun(held)
        filler = small_disk / "filler"
        await asyncio.to_thread(_fill, filler)
        code = await fill_log(held, chair, member, statement)
        assert code == "storage_unavailable"
        for is_chair, event, body in requests(member, statement):
            assert await held.code(chair if is_chair else member, event, body) == code, event
        status, problem = await held.put_agenda("没有存下")
        assert (status, problem["code"]) == (503, "storage_unavailable")
        late = Client(server.url)
        held.clients.append(late)
        await late.connect({"token": server.token(held.id)})
        await eventually(lambda: late.of("session.refused"))
        assert late.of("session.refused")[0]["code"] == "storage_unavailable"
        await held.assert_whole(chair)

        filler.unlink()
        for is_chair, event, body in requests(member, statement):
            assert await held.code(chair if is_chair else member, event, body) is None, event
        await held.assert_whole(chair)
        before = await chair.ask("room.sync")
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.restart)
        again = await held.join("chair", resume=chair.resume)
        after = await again.ask("room.sync")
        assert [after[name] for name in ("agenda", "floor", "statements")] == [
            before[name] for name in ("agenda", "floor", "statements")
        ]


def _fill(path: Path) -> None:
    """Nothing is left of the file system."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 16, 1 << 12):
            with contextlib.suppress(OSError):
                while file.write(b"0" * size):
                    pass


@pytest.mark.parametrize("is_live", [True, False], ids=["a session is taken up again", "nothing to write"])
async def test_a_read_only_file_is_named_at_the_start(tmp_path: Path, is_live: bool) -> None:
    server = await asyncio.to_thread(Server(data_dir=tmp_path / "data").start)
    database = tmp_path / "data" / "yuanshang.sqlite3"
    try:
        async with meeting(server) as held:
            if is_live:
                chair, *_ = await begun(held)
            await asyncio.to_thread(server.kill)
        _mount("--bind", str(database), str(database))
        _mount("-o", "remount,bind,ro", str(database))
        command = [str(COMMAND), "serve", "--data-dir", str(tmp_path / "data")]
        command += ["--port", "0", "--media-port", "0"]
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=WAIT_S, check=False
        )
        assert done.returncode == 1
        assert "readonly database" in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
        _unmount(database)
        await asyncio.to_thread(server.restart)
        if is_live:
            async with meeting_again(server, held) as again:
                await again.assert_whole(await again.join("chair", resume=chair.resume))
    finally:
        _unmount(database)
        await asyncio.to_thread(server.stop)


@contextlib.asynccontextmanager
async def meeting_again(server: Server, held: Meeting) -> AsyncIterator[Meeting]:
    """The same consultation after a restart."""
    held.clients.clear()
    try:
        yield held
    finally:
        for client in held.clients:
            await client.close()
