"""Wishes end to end: what a client does not show it is not sent, and it is told what it is sent of the rest."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from conference.sfu.audio_choice import FEW
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, RoomClient, VideoSource, WhipPublisher
from tests.support.light_client.room import SessionRefusedError
from tests.support.server import Server


def last_allocation(client: RoomClient) -> dict[str, Any]:
    """What the client was told last."""
    told = (data for name, data in reversed(client.events) if name == "media.allocation")
    return next(told, {"tracks": [], "sound_only": False, "available_bps": None})


def allocated(client: RoomClient) -> dict[str, Any]:
    """The last allocation by publication."""
    return {each["publication_id"]: each for each in last_allocation(client)["tracks"]}


def camera_of(client: RoomClient, owner: RoomClient) -> str:
    publications = client.participants[owner.participant_id]["publications"]
    return next(str(each["id"]) for each in publications if each["source"] == "camera")


async def test_what_is_not_shown_is_not_sent_and_sound_goes_on(server: Server, consultation: str) -> None:
    async with (
        RoomClient(server.url, server.token(consultation, "chair", "主持人")) as chair,
        RoomClient(server.url, server.token(consultation, "member", "陈委员")) as viewer,
        RoomClient(server.url, server.token(consultation, "member", "吴委员")) as other,
    ):
        await chair.publish([AudioSource(level_db=10), VideoSource()], names=["microphone", "camera"])
        for client in (viewer, other):
            await client.receives(chair.participant_id, "camera", packets=20)
        camera = camera_of(viewer, chair)
        assert allocated(viewer)[camera]["reason"] == "size", "everything, until the first wish"

        await viewer.request("media.wish", {"items": []})
        await eventually(lambda: allocated(viewer).get(camera, {}).get("reason"), lambda it: it == "hidden")
        assert allocated(viewer)[camera]["layer"] is None
        metrics = await asyncio.to_thread(server.metrics)
        assert metrics.value("yuanshang_media_tiles", room=consultation, reason="hidden") == 1
        assert metrics.value("yuanshang_media_pictures", room=consultation, layer="none") == 1
        assert metrics.value("yuanshang_media_pictures", room=consultation, layer="only") == 1
        assert await viewer.silent(chair.participant_id, "camera")
        await viewer.receives(chair.participant_id, "microphone", packets=50)
        await other.receives(chair.participant_id, "camera", packets=30)

        tile = {"publication_id": camera, "width": 640, "height": 360}
        await viewer.request("media.wish", {"items": [tile]})
        await viewer.receives(chair.participant_id, "camera", packets=20)
        assert allocated(viewer)[camera]["reason"] == "size"


async def test_the_one_picture_of_a_silent_room_is_shown_though_it_needs_more_than_the_first_guess(
    server: Server, consultation: str
) -> None:
    """A camera of the hall before the meeting: nobody speaks yet, so that nothing else is on the way to anybody."""
    camera = VideoSource(bitrate_bps=1_200_000, transport_cc=True)
    token = server.token(consultation, "venue_operator", "会场")
    async with WhipPublisher([camera], token=token) as hall:
        owner = await hall.publish(f"{server.url}/whip/{consultation}")
        await eventually(lambda: camera.packets > 200, what="a camera whose rate is known")
        async with AsyncExitStack() as stack:
            for number in range(6):
                token = server.token(consultation, "member", f"委员{number}")
                viewer = await stack.enter_async_context(RoomClient(server.url, token, feedback_s=0.05))
                publication = viewer.participants[owner]["publications"][0]["id"]
                tile = {"publication_id": publication, "width": 1280, "height": 720}
                await viewer.request("media.wish", {"items": [tile]})
                await viewer.receives(owner, "camera", packets=100)


async def test_a_receiver_on_a_thin_link_keeps_sound_and_takes_nothing_from_others(
    server: Server, consultation: str
) -> None:
    async with (
        RoomClient(server.url, server.token(consultation, "chair", "主持人")) as chair,
        RoomClient(server.url, server.token(consultation, "member", "陈委员")) as thin,
        RoomClient(server.url, server.token(consultation, "member", "吴委员")) as other,
    ):
        picture = VideoSource(bitrate_bps=600_000)
        await chair.publish([AudioSource(level_db=10), picture], names=["microphone", "camera"])
        for client in (thin, other):
            await client.receives(chair.participant_id, "camera", packets=20)
        camera = camera_of(thin, chair)
        assert thin.subscriber is not None

        thin.subscriber.remb_bps = 300_000
        paused = await eventually(
            lambda: last_allocation(thin), lambda last: last["sound_only"], timeout_s=20
        )
        assert paused["tracks"] == [
            {"publication_id": camera, "layer": None, "height": 0, "reason": "bandwidth"}
        ]
        assert paused["available_bps"] == pytest.approx(300_000, rel=0.01)
        assert await thin.silent(chair.participant_id, "camera")
        await thin.receives(chair.participant_id, "microphone", packets=50)
        await other.receives(chair.participant_id, "camera", packets=50)
        assert allocated(other)[camera]["reason"] == "size"

        thin.subscriber.remb_bps = 3_000_000
        await thin.receives(chair.participant_id, "camera", packets=50)
        assert allocated(thin)[camera]["reason"] == "size"


async def test_of_many_microphones_the_voices_are_forwarded_and_the_chair_always(
    server: Server, consultation: str
) -> None:
    async with AsyncExitStack() as stack:

        async def enter(name: str, role: str = "member") -> RoomClient:
            client = RoomClient(server.url, server.token(consultation, role, name))
            return await stack.enter_async_context(client)

        listener = await enter("听众", "observer")
        chair = await enter("主持人", "chair")
        members = [await enter(f"委员{number}") for number in range(FEW)]
        await chair.publish([AudioSource(level_db=90)], names=["microphone"])
        for number, member in enumerate(members):
            await member.publish([AudioSource(level_db=20 if number == 0 else 90)], names=["microphone"])
        await listener.receives(members[0].participant_id, "microphone", packets=30)
        await listener.receives(chair.participant_id, "microphone", packets=30)
        for member in members[1:]:
            assert await listener.silent(member.participant_id)
        await members[-1].request("participant.update", {"microphone": False})
        await listener.receives(members[1].participant_id, "microphone", packets=30)


@pytest.mark.parametrize(
    ("items", "code"),
    [
        ([{"publication_id": "x", "width": 0, "height": 1}], "bad_request"),
        ([{"publication_id": "x", "width": 1, "height": 1, "priority": 10}], "bad_request"),
        ([{"publication_id": "x", "width": 1, "height": 1}] * 2, "bad_request"),
        ([{"publication_id": f"x{n}", "width": 1, "height": 1} for n in range(201)], "too_large"),
    ],
)
async def test_a_wish_is_bounded(
    server: Server, consultation: str, items: list[dict[str, Any]], code: str
) -> None:
    async with RoomClient(server.url, server.token(consultation, "member", "陈委员")) as client:
        with pytest.raises(SessionRefusedError, match=code):
            await client.request("media.wish", {"items": items})
        most = [{"publication_id": f"x{n}", "width": 1, "height": 1} for n in range(200)]
        await client.request("media.wish", {"items": most})
