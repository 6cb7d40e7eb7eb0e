"""Broadcast, program and disk through the doors: REST and its twins on sockets, what desks are told, /metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.model.permissions import Role
from conference.worker_events import ProgramLoad, ProgramReady, ProgramShown
from tests.support.eventually import eventually
from tests.support.server import Metrics
from tests.unit.signaling.harness import Client, Signalling, signalling

CID = "/api/v1/consultations/c"
Json = Any
NOTHING: Json = {"is_public": True, "cut": None, "delay_s": 0, "withdrawn": []}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Signalling]:
    async with signalling(tmp_path, disk_warn_gb=1.0) as running:
        yield running


async def ask(
    server: Signalling, method: str, path: str, role: Role = Role.SECRETARIAT, body: Json = None
) -> tuple[int, Json]:
    headers = {"Authorization": f"Bearer {server.token(role, role.value)}"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, server.url + CID + path, headers=headers, json=body) as response,
    ):
        return response.status, await response.json()


def last(client: Client, name: str) -> Json:
    return client.of(f"{name}.updated")[-1][name]


async def test_the_button_and_what_follows_over_http(server: Signalling) -> None:
    assert await ask(server, "GET", "/broadcast") == (200, NOTHING)
    status, problem = await ask(server, "POST", "/broadcast/cut", body={})
    assert (status, problem["code"]) == (409, "invalid_state")
    await ask(server, "POST", "/start")
    desk = await server.desk(Role.MODERATOR)
    assert desk.state.snapshot is not None
    assert desk.state.snapshot["broadcast"] == NOTHING
    status, shown = await ask(server, "POST", "/broadcast/cut", Role.ORGANIZER, {"back_s": 0})
    assert (status, shown["cut"]["by"]) == (200, "organizer")
    await eventually(lambda: desk.of("broadcast.updated"))
    assert last(desk, "broadcast") == shown == (await ask(server, "GET", "/broadcast"))[1]
    later = await server.desk(Role.CHAIR)
    assert later.state.snapshot is not None
    assert later.state.snapshot["broadcast"] == shown
    status, shown = await ask(server, "POST", "/broadcast/restore")
    assert (status, shown["cut"]) == (200, None)
    cut_id = shown["withdrawn"][0]["id"]
    body = {"id": cut_id, "reason": "误操作"}
    status, shown = await ask(server, "POST", "/broadcast/reinstate", body=body)
    assert shown["withdrawn"][0]["reinstated_wall_ms"] is not None
    status, _ = await ask(server, "POST", "/broadcast/reinstate", body={**body, "id": "b_none"})
    assert status == 404
    stretch = {"from_ms": 0, "to_ms": 1, "reason": " 个人信息 "}
    await eventually(lambda: server.process.rooms.find("c") is not None)
    status, shown = await ask(server, "POST", "/broadcast/withdraw", body=stretch)
    assert (status, shown["withdrawn"][0]["reason"]) == (200, "个人信息")
    for bad in ({**stretch, "reason": " "}, {**stretch, "from_ms": -1}, {"from_ms": 1}):
        assert (await ask(server, "POST", "/broadcast/withdraw", body=bad))[0] == 400
    assert (await ask(server, "POST", "/broadcast/cut", body={"back_s": 301}))[0] == 400
    lines = (await ask(server, "GET", "/audit?limit=200"))[1]["items"]
    assert [each["action"] for each in lines if each["action"].startswith("broadcast.")] == [
        "broadcast.cut",
        "broadcast.restored",
        "broadcast.reinstated",
        "broadcast.withdrawn",
    ]


async def test_delay_and_switches_are_edited_like_everything_else(server: Signalling) -> None:
    _, shown = await ask(server, "GET", "")
    assert (shown["public_delay_s"], shown["program"], shown["recording_paused"]) == (0, True, False)
    edit = {"revision": shown["revision"], "public_delay_s": 40, "program": False}
    status, shown = await ask(server, "PATCH", "", body=edit)
    assert (status, shown["public_delay_s"], shown["program"]) == (200, 40, False)
    for bad in ({"public_delay_s": 61}, {"public_delay_s": -1}, {"program": None}):
        assert (await ask(server, "PATCH", "", body={"revision": shown["revision"], **bad}))[0] == 400
    await ask(server, "POST", "/start")
    less = {"revision": shown["revision"], "public_delay_s": 0}
    status, problem = await ask(server, "PATCH", "", body=less)
    assert (status, problem["code"]) == (409, "invalid_state")


async def test_a_program_is_directed_from_the_desk(server: Signalling) -> None:
    member = await server.join()
    desk = await server.desk(Role.CHAIR)
    assert await desk.refused("program.direct", {"mode": "auto"}) == "invalid_state"
    await ask(server, "POST", "/start")
    await eventually(lambda: desk.of("program.updated"))
    assert last(desk, "program")["state"] == "starting"
    server.maker.emit(ProgramReady("c", "/run/p.tap", "/run/p.feed"))
    server.maker.emit(ProgramShown("c", "speaker", (member.me,)))
    server.maker.emit(ProgramLoad("c", 3, 24.0, 0.75, 2))
    await eventually(lambda: last(desk, "program")["state"] == "on")
    assert last(desk, "program") == {
        "state": "on",
        "reason": None,
        "layout": "speaker",
        "people": [member.me],
        "load_level": 3,
        "fps": 24.0,
        "mode": "auto",
        "chosen_layout": None,
        "chosen_people": [],
    }
    direction = {"mode": "manual", "layout": "side", "people": [member.me]}
    shown = await desk.ask("program.direct", direction)
    assert shown["program"]["chosen_layout"] == "side"
    assert await desk.refused("program.direct", {"mode": "manual", "layout": "cube"}) == "bad_request"
    await eventually(lambda: server.maker.scenes["c"][-1].direction.layout == "side")
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/metrics") as response:
        metrics = Metrics(await response.text())
    assert metrics.value("yuanshang_programs", state="on") == 1
    assert metrics.value("yuanshang_program_load_level", consultation="c") == 3
    assert metrics.value("yuanshang_program_core", consultation="c") == 0.75
    assert metrics.value("yuanshang_disk_free_bytes") == 1 << 40
    assert member.of("program.updated") == []


async def test_the_chair_pauses_the_recording(server: Signalling) -> None:
    member = await server.join()
    desk = await server.desk(Role.CHAIR)
    assert await desk.refused("recording.pause", {"paused": True}) == "invalid_state"
    await ask(server, "POST", "/start")
    await desk.ask("recording.pause", {"paused": True})
    await eventually(lambda: member.state.consultation["recording"] == "paused")
    assert last(desk, "broadcast")["withdrawn"][0]["kind"] == "pause"
    assert (await ask(server, "GET", ""))[1]["recording_paused"] is True
    pause = last(desk, "broadcast")["withdrawn"][0]
    assert await desk.refused("broadcast.reinstate", {"id": pause["id"], "reason": "x"}) == "invalid_state"
    await desk.ask("recording.pause", {"paused": False})
    assert (await ask(server, "GET", ""))[1]["recording_paused"] is False


async def test_a_full_disk_is_said_in_time(server: Signalling) -> None:
    desk = await server.desk(Role.CHAIR)
    await eventually(lambda: desk.of("disk.updated"))
    assert last(desk, "disk") == {"free_bytes": 1 << 40, "warn": False}
    server.disk.free = 900_000_000
    await eventually(lambda: desk.of("disk.updated") and last(desk, "disk")["warn"])
    assert last(desk, "disk")["free_bytes"] <= 900_000_000
