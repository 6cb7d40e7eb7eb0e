"""One participant with several cameras: listed with labels, played by the main one, and all of them recorded."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from tests.support.encoded import pictures
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, RoomClient, VideoSource, WhepPlayer
from tests.support.server import Server

FRAMES = [each.data for each in pictures("libvpx", options={"deadline": "realtime", "g": "15"})]
CAMERAS: dict[int, dict[str, Any]] = {1: {"label": "全景机位", "main": True}, 2: {"label": "发言席"}}
NAMES = ["microphone", "camera", "camera"]


async def call(server: Server, cid: str, method: str, path: str) -> Any:
    token = server.token(cid, "secretariat", "秘书处")
    url = f"{server.url}/api/v1/consultations/{cid}{path}"
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, url, headers={"Authorization": f"Bearer {token}"}) as response,
    ):
        assert response.status == 200, await response.text()
        return await response.json()


def cameras_of(seen: RoomClient, participant_id: str) -> dict[str, bool]:
    """Label to whether it is the main one."""
    listed = seen.participants[participant_id]["publications"]
    return {each["label"]: each["main"] for each in listed if each["source"] == "camera"}


async def test_the_main_camera_is_what_a_single_player_gets_and_another_may_take_its_place(
    server: Server, consultation: str
) -> None:
    token = server.token(consultation, "venue_operator", "马师傅", "青禾县分会场")
    async with (
        RoomClient(server.url, token, receive=False) as hall,
        RoomClient(server.url, server.token(consultation, "member", "吴委员")) as member,
    ):
        wide, seat = VideoSource(fps=15, frames=FRAMES), VideoSource(fps=15, frames=FRAMES)
        await hall.publish([AudioSource(), wide, seat], names=NAMES, more=CAMERAS)
        me = hall.participant_id
        await eventually(lambda: cameras_of(member, me) == {"全景机位": True, "发言席": False})
        assert len({each["id"] for each in member.participants[me]["publications"]}) == 3

        player = WhepPlayer(token=server.token(consultation, "observer", "听众"))
        await player.play(f"{server.url}/whep/{consultation}/{me}")

        def played() -> int:
            stream = player.stream("video")
            return stream.packets if stream is not None else 0

        await eventually(played, lambda n: n >= 20, what="the main camera at the player")
        # Only the main one is played: with it stopped nothing comes, though the other goes on.
        wide.stop()
        await eventually(stands_still(played), what="is played the main camera alone")
        await hall.say_anew({1: {"label": "全景机位"}, 2: {"label": "主席台", "main": True}})
        await eventually(lambda: cameras_of(member, me) == {"全景机位": False, "主席台": True})
        before = played()
        await eventually(played, lambda n: n >= before + 20, what="the other camera at the same player")
        await player.close()


def stands_still(count: Any) -> Any:
    """Whether nothing was counted for half a second."""

    async def still() -> bool:
        before = count()
        await asyncio.sleep(0.5)
        return bool(count() == before)

    return still


async def test_all_cameras_are_recorded_under_their_labels(server: Server, consultation: str) -> None:
    token = server.token(consultation, "venue_operator", "马师傅", "青禾县分会场")
    async with RoomClient(server.url, token, receive=False) as hall:
        sources = [VideoSource(fps=15, frames=FRAMES) for _ in range(2)]
        await hall.publish([AudioSource(), *sources], names=NAMES, more=CAMERAS)
        await call(server, consultation, "POST", "/start")

        async def rows() -> list[Any]:
            return list((await call(server, consultation, "GET", "/recordings"))["items"])

        await eventually(
            rows,
            lambda now: sum(each["source"] == "camera" for each in now) == 2,
            timeout_s=20,
            what="two cameras are being recorded",
        )
        sent = [each.packets for each in sources]
        await eventually(lambda: all(one.packets > was + 30 for one, was in zip(sources, sent, strict=True)))
        await call(server, consultation, "POST", "/end")
        done = await eventually(
            rows, lambda now: all(each["state"] != "recording" for each in now), timeout_s=30
        )
        kept = [each for each in done if each["source"] == "camera"]
        assert {each["label"] for each in kept} == {"全景机位", "发言席"}, "one is told from the other"
        assert all(each["state"] == "done" and each["duration_ms"] > 500 for each in kept), kept
