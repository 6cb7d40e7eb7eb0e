"""Clips end to end: the real server takes a film in, prepares it in its process, plays it into a room with clients."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import pytest

from tests.support.eventually import eventually
from tests.support.films import film
from tests.support.light_client import RoomClient, SessionRefusedError
from tests.support.process import alive, command_line, descendants
from tests.support.server import Server


class Desk:
    """Somebody with a token who asks over HTTP."""

    def __init__(self, server: Server, consultation: str, role: str = "secretariat", **token: Any) -> None:
        self.token = server.token(consultation, role, f"{role}甲", **token)
        self.path = f"{server.url}/api/v1/consultations/{consultation}/clips"

    async def ask(self, method: str, path: str = "", **options: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, self.path + path, headers=headers, **options) as response,
        ):
            body = await response.read()
            is_json = "json" in response.headers.get("Content-Type", "")
            return response.status, json.loads(body) if is_json else body

    async def bring(self, path: Path, name: str) -> dict[str, Any]:
        with path.open("rb") as content:
            status, clip = await self.ask("POST", f"?name={quote(name)}", data=content)
        assert status == 201, clip
        return dict(clip)

    async def one(self, clip_id: str) -> dict[str, Any] | None:
        listed = (await self.ask("GET"))[1]["items"]
        return next((dict(each) for each in listed if each["id"] == clip_id), None)

    async def settled(self, clip_id: str) -> dict[str, Any]:
        """Ready, or refused."""

        async def done() -> dict[str, Any] | None:
            clip = await self.one(clip_id)
            return clip if clip and clip["state"] in ("ready", "refused") else None

        clip: dict[str, Any] | None = await eventually(done, timeout_s=60, every_s=0.2, what="prepared")
        assert clip is not None
        return clip


async def test_a_film_is_brought_prepared_played_paused_and_ends(
    server: Server, consultation: str, tmp_path: Path
) -> None:
    desk = Desk(server, consultation)
    clip = await desk.bring(film(tmp_path / "x.mov", seconds=3), "暖心 食堂.mov")
    ready = await desk.settled(clip["id"])
    assert (ready["state"], ready["name"], ready["has_sound"]) == ("ready", "暖心 食堂.mov", True)
    status, poster = await desk.ask("GET", f"/{clip['id']}/poster")
    assert (status, poster[:2]) == (200, b"\xff\xd8")
    kept = sorted(each.name for each in (server.data_dir / "clips" / consultation).iterdir())
    assert kept == [f"{clip['id']}.jpg", f"{clip['id']}.mp4"]

    async with (
        RoomClient(server.url, server.token(consultation, "chair", "刘主持")) as chair,
        RoomClient(server.url, server.token(consultation, "member", "陈委员")) as member,
    ):
        started = (await chair.request("clip.play", {"clip_id": clip["id"], "from_ms": 500}))["clip"]
        who = started["participant_id"]
        picture = await member.receives(who, "screen", packets=20)
        await member.receives(who, "screen_sound", packets=20)
        assert member.participants[who]["kind"] == "clip"
        assert member.participants[who]["name"] == "暖心 食堂"
        await eventually(lambda: member.clip and member.clip["state"] == "playing", what="told")
        with pytest.raises(SessionRefusedError, match="forbidden"):
            await member.request("clip.pause")
        paused = (await chair.request("clip.pause"))["clip"]
        assert paused["state"] == "paused"
        assert (await desk.ask("DELETE", f"/{clip['id']}"))[1]["code"] == "clip_playing"
        late = RoomClient(server.url, server.token(consultation, "member", "吴委员"))
        await late.connect()
        assert late.clip is not None
        assert late.clip["state"] == "paused"
        await late.receives(who, "screen", packets=1)  # the picture stands for who comes now
        await late.close()
        await chair.request("clip.resume")
        await eventually(lambda: member.clip is None, timeout_s=15, what="its end")
        await eventually(lambda: who not in member.participants)
        assert picture.gaps == 0
        assert member.version_holes == 0
    assert (await desk.ask("DELETE", f"/{clip['id']}"))[0] == 204
    assert list((server.data_dir / "clips" / consultation).iterdir()) == []


async def test_an_operator_brings_and_plays_for_the_own_venue(
    server: Server, consultation: str, tmp_path: Path
) -> None:
    source = film(tmp_path / "x.mp4", seconds=2, sound=None)
    venue, desk = Desk(server, consultation, "venue_operator", venue="石桥村"), Desk(server, consultation)
    own, other = await venue.bring(source, "桥.mp4"), await desk.bring(source, "主.mp4")
    assert (await venue.settled(own["id"]))["has_sound"] is False
    await desk.settled(other["id"])
    assert [each["id"] for each in (await venue.ask("GET"))[1]["items"]] == [own["id"]]
    token = server.token(consultation, "venue_operator", "venue_operator甲", venue="石桥村")
    async with RoomClient(server.url, token) as operator:
        with pytest.raises(SessionRefusedError, match="not_found"):
            await operator.request("clip.play", {"clip_id": other["id"]})
        await operator.request("clip.play", {"clip_id": own["id"]})
        await eventually(lambda: operator.clip and operator.clip["state"] == "playing", what="playing")
        await operator.request("clip.stop")
        await eventually(lambda: operator.clip is None)


async def test_what_is_no_film_is_refused_in_a_word(
    server: Server, consultation: str, tmp_path: Path
) -> None:
    desk = Desk(server, consultation)
    (tmp_path / "x.mp4").write_bytes(b"%PDF-1.7 nothing to see\n" * 500)
    clip = await desk.settled((await desk.bring(tmp_path / "x.mp4", "x.mp4"))["id"])
    assert (clip["state"], clip["reason"]) == ("refused", "not_media")
    async with RoomClient(server.url, server.token(consultation, "chair", "刘主持")) as chair:
        with pytest.raises(SessionRefusedError, match="clip_not_ready"):
            await chair.request("clip.play", {"clip_id": clip["id"]})


async def test_one_that_is_too_large_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with Server(arguments=["--clip-max-mb", "1"]) as server:
        consultation = await asyncio.to_thread(server.create_consultation)
        desk = Desk(server, consultation)
        status, problem = await desk.ask("POST", "?name=x.mp4", data=b"x" * ((1 << 20) + 1))
        assert (status, problem["code"]) == (413, "too_large")
        assert not list((server.data_dir / "clips").glob("*/*"))


async def test_after_a_kill_halves_are_gone_and_the_queue_goes_on(tmp_path: Path) -> None:
    with Server() as server:
        consultation = await asyncio.to_thread(server.create_consultation)
        desk = Desk(server, consultation)
        done = await desk.bring(film(tmp_path / "a.mp4", seconds=1), "a.mp4")
        await desk.settled(done["id"])
        long = film(tmp_path / "b.mp4", seconds=20, size=(1280, 720), options={"preset": "ultrafast"})
        waiting = await desk.bring(long, "b.mp4")
        place = urlsplit(server.url)
        assert place.hostname is not None
        half = socket.create_connection((place.hostname, place.port or 80))
        head = (
            f"POST {urlsplit(desk.path).path}?name=c.mp4 HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n"
        )
        half.sendall(f"{head}Authorization: Bearer {desk.token}\r\n\r\n".encode() + b"x" * 3_000_000)

        async def is_transcoding() -> bool:
            clip = await desk.one(waiting["id"])
            return clip is not None and clip["state"] == "transcoding"

        await eventually(is_transcoding, timeout_s=30, what="transcoding")
        directory = server.data_dir / "clips" / consultation
        await eventually(lambda: len(list(directory.glob("*.part"))) >= 2, what="two halves")
        running = [pid for pid in descendants(server.pid) if "clip_transcoder" in command_line(pid)]
        assert len(running) == 1
        server.kill()
        half.close()
        await eventually(lambda: not alive(running[0]), timeout_s=10, what="the child is gone, too")
        await asyncio.to_thread(server.start)
        desk = Desk(server, consultation)
        assert (await desk.one(done["id"]) or {})["state"] == "ready"
        clip = await desk.settled(waiting["id"])
        assert clip["state"] == "ready"
        assert not list(directory.glob("*.part"))
        assert {each.suffix for each in directory.iterdir()} == {".mp4", ".jpg"}
