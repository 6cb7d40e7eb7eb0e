"""The real server: started from the command line, killed, started again, stopped."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import aiohttp
import pytest
import socketio

from tests.support.eventually import eventually
from tests.support.server import COMMAND, Server
from tests.unit.signaling.harness import Client


async def join(server: Server, token: str, **auth: object) -> Client:
    client = Client(server.url)
    await client.connect({"token": token, **auth})
    await eventually(lambda: bool(client.state.snapshot))
    return client


def command(data_dir: Path, *arguments: str) -> str:
    done = subprocess.run(
        [COMMAND, *arguments, "--data-dir", str(data_dir)],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout


def token(data_dir: Path, role: str) -> str:
    return command(data_dir, "token", "--consultation", "c", "--role", role, "--name", role).strip()


async def test_kill_and_start_again_forgets_nobody(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    server = await asyncio.to_thread(Server(data_dir=data_dir).start)
    try:
        await asyncio.to_thread(command, data_dir, "consultation", "create", "--title", "协商会", "--id", "c")
        chair = await join(server, await asyncio.to_thread(token, data_dir, "chair"))
        ticket = await asyncio.to_thread(token, data_dir, "member")
        member = await join(server, ticket)
        assert chair.state.snapshot is not None
        epoch = chair.state.snapshot["media"]["epoch"]
        await chair.ask("participant.mute", {"participant_id": member.me, "muted": True, "hard": True})
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.restart)
        back = await join(server, ticket, resume=member.resume)
        assert back.me == member.me
        assert back.state.snapshot is not None
        assert back.state.snapshot["media"]["epoch"] != epoch
        assert back.state.participants[member.me]["hard_muted"] is True
        assert back.state.participants[chair.me]["connected"] is False
        for client in (chair, member, back):
            await client.close()
    finally:
        await asyncio.to_thread(server.stop)


async def test_kill_with_a_running_floor_goes_on_with_it(tmp_path: Path) -> None:
    server = await asyncio.to_thread(Server(data_dir=tmp_path / "data", arguments=["--demo"]).start)
    try:
        tickets = {role: server.links[role].split("token=")[1] for role in ("chair", "member", "department")}
        chair = await join(server, tickets["chair"])
        member, other = await join(server, tickets["member"]), await join(server, tickets["department"])
        path = f"{server.url}/api/v1/consultations/{chair.state.consultation['id']}/start"
        authorization = {"Authorization": f"Bearer {tickets['chair']}"}
        async with aiohttp.ClientSession() as session:
            assert (await session.post(path, headers=authorization)).status == 200
        await other.ask("floor.request")
        await chair.ask("agenda.set", {"items": [{"title": "发言", "kind": "speech"}]})
        await chair.ask("agenda.next")
        await member.ask("statement.add", {"text": "留在记录里", "key": "k" * 8})
        await chair.ask("floor.mode", {"mode": "chair"})
        await chair.ask("floor.grant", {"participant_id": member.me, "duration_ms": 600_000})
        before = await chair.ask("room.sync")
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.restart)
        back = await join(server, tickets["member"], resume=member.resume)
        again = await join(server, tickets["chair"], resume=chair.resume)
        after = await again.ask("room.sync")
        assert after["floor"] == before["floor"]
        assert after["agenda"] == before["agenda"]
        assert after["statements"] == before["statements"]
        assert after["program_time_ms"] >= before["program_time_ms"]
        assert [each["id"] for each in after["participants"] if each["microphone"]] == [chair.me, member.me]
        assert await back.ask("floor.withdraw") == {}
        for client in (chair, member, other, back, again):
            await client.close()
    finally:
        await asyncio.to_thread(server.stop)


async def test_a_media_process_that_dies_is_replaced_under_the_same_participants(tmp_path: Path) -> None:
    server = await asyncio.to_thread(Server(data_dir=tmp_path / "data", arguments=["--demo"]).start)
    try:
        chair = await join(server, server.links["chair"].split("token=")[1])
        member = await join(server, server.links["member"].split("token=")[1])
        await chair.ask("participant.mute", {"participant_id": member.me, "muted": True, "hard": True})
        await asyncio.to_thread(server.kill9, "media")
        await eventually(lambda: member.of("media.restart") and chair.of("media.restart"))
        fresh = await member.ask("room.sync")
        assert fresh["media"]["epoch"] == member.of("media.restart")[0]["epoch"]
        assert [each["id"] for each in fresh["participants"]] == [chair.me, member.me]
        assert fresh["participants"][1]["hard_muted"] is True
        assert await member.refused("media.publish", {"sdp": "nonsense"}) == "sdp_invalid"
        for client in (chair, member):
            await client.close()
    finally:
        await asyncio.to_thread(server.stop)


def test_a_second_server_on_the_same_data_is_refused_plainly(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with Server(data_dir=data_dir, arguments=["--demo"]) as server:
        assert set(server.links) == {
            "chair",
            "member",
            "department",
            "expert",
            "citizen",
            "venue_operator",
            "moderator",
            "secretariat",
            "observer",
        }
        second = subprocess.run(
            [COMMAND, "serve", "--data-dir", str(data_dir), "--port", "0"],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert second.returncode == 1
        assert "another server" in second.stderr
        assert "Traceback" not in second.stderr


def test_a_taken_port_is_refused_plainly(tmp_path: Path) -> None:
    with Server(data_dir=tmp_path / "a") as server:
        for name, port, media_port in (("b", server.port, 0), ("c", 0, server.media_port)):
            arguments = ["--host", server.host, "--port", str(port), "--media-port", str(media_port)]
            second = subprocess.run(
                [COMMAND, "serve", "--data-dir", str(tmp_path / name), *arguments],
                capture_output=True,
                text=True,
                timeout=30,
            )
            assert second.returncode == 1
            assert "in use" in second.stderr
            assert "Traceback" not in second.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "No such file"), (b"<svg/>", "no picture"), (b"\x89PNG\r\n\x1a\n", "no picture")],
)
def test_an_emblem_that_cannot_be_read_is_refused_plainly(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "emblem.png"
    if content is not None:
        path.write_bytes(content)
    done = subprocess.run(
        [
            COMMAND,
            "serve",
            "--data-dir",
            str(tmp_path / "data"),
            "--port",
            "0",
            "--program-emblem",
            str(path),
        ],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert f"emblem {path}" in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_within_three_seconds_with_sockets_open(
    tmp_path: Path, number: signal.Signals
) -> None:
    data_dir = tmp_path / "data"
    process = subprocess.Popen(  # noqa: ASYNC220 its output is read line by line below
        [
            COMMAND,
            *("serve", "--data-dir", str(data_dir), "--host", "127.0.0.1", "--demo", "--ready-json"),
            *("--port", "0", "--media-port", "0"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    ready = json.loads(await asyncio.to_thread(process.stdout.readline))
    assert ready["pid"] == process.pid
    assert ready["media_port"] > 0
    sio = socketio.AsyncClient(reconnection=False)
    await sio.connect(
        ready["url"], namespaces=["/room"], auth={"token": ready["links"]["chair"].split("token=")[1]}
    )
    began = time.monotonic()
    os.kill(process.pid, number)
    _, log = await asyncio.to_thread(process.communicate)
    assert time.monotonic() - began < 3
    assert process.returncode == 0
    assert "Traceback" not in log
    assert ready["links"]["chair"].split("token=")[1] not in log
    await sio.shutdown()
