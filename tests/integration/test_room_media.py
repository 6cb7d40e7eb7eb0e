"""A room with media, end to end: the real server, light clients that may misbehave, WHIP and WHEP."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, RoomClient, VideoSource, WhepPlayer, WhipPublisher
from tests.support.server import Server


async def received(player: WhepPlayer, kind: str, packets: int) -> None:
    """Wait until the player has that many packets of sound or picture."""

    def count() -> int:
        stream = player.stream(kind)
        return stream.packets if stream is not None else 0

    await eventually(count, lambda n: n >= packets, what=f"{kind} at the player")


async def test_a_hard_muted_client_that_goes_on_sending_is_heard_by_nobody(
    server: Server, consultation: str
) -> None:
    async with (
        RoomClient(server.url, server.token(consultation, "chair", "主持人")) as chair,
        RoomClient(server.url, server.token(consultation, "member", "陈委员")) as member,
        RoomClient(server.url, server.token(consultation, "member", "吴委员")) as listener,
    ):
        await member.publish([AudioSource(level_db=10), VideoSource()], names=["microphone", "camera"])
        whep = WhepPlayer(token=server.token(consultation, "observer", "听众"))
        await whep.play(f"{server.url}/whep/{consultation}/{member.participant_id}")
        await chair.receives(member.participant_id, "microphone")
        await listener.receives(member.participant_id, "microphone")
        await received(whep, "audio", 10)

        await chair.request(
            "participant.mute", {"participant_id": member.participant_id, "muted": True, "hard": True}
        )
        # The light client knows no mute: it sends on. Pictures tell that packets still flow.
        await chair.receives(member.participant_id, "camera", packets=30)
        heard = whep.stream("audio")
        assert heard is not None
        before = heard.packets
        assert await chair.silent(member.participant_id)
        assert await listener.silent(member.participant_id)
        assert heard.packets == before
        # A new connection does not slip through either.
        await member.publish([AudioSource(level_db=10), VideoSource()], names=["microphone", "camera"])
        await chair.receives(member.participant_id, "camera", packets=60)
        assert await chair.silent(member.participant_id)
        assert member.participant_id not in {one["participant_id"] for one in chair.speakers}

        with pytest.raises(Exception, match="hard_muted"):
            await member.request("participant.update", {"microphone": True})
        await chair.request("participant.mute", {"participant_id": member.participant_id, "muted": False})
        await chair.receives(member.participant_id, "microphone")
        await whep.close()


async def test_an_encoder_publishes_and_players_receive_it(server: Server, consultation: str) -> None:
    token = server.token(consultation, "venue_operator", "操作员", venue="青禾县分会场")
    async with RoomClient(server.url, server.token(consultation, "member", "陈委员")) as member:
        encoder = WhipPublisher([AudioSource(), VideoSource()], token=token)
        participant_id = await encoder.publish(f"{server.url}/whip/{consultation}?label=全景")
        await member.receives(participant_id, "camera")
        await member.receives(participant_id, "microphone")
        assert member.participants[participant_id]["kind"] == "whip"
        assert member.participants[participant_id]["name"] == "全景"
        players = [WhepPlayer(token=token) for _ in range(3)]
        await asyncio.gather(
            *(player.play(f"{server.url}/whep/{consultation}/{participant_id}") for player in players)
        )
        for player in players:
            await received(player, "video", 30)
            stream = player.stream("video")
            assert stream is not None
            assert stream.gaps == 0
        assert len(member.participants) == 2, "players are not listed"
        for player in players:
            await player.close()
        await encoder.close()
        await eventually(lambda: participant_id not in member.participants)


async def test_media_over_tcp_alone(server: Server, consultation: str) -> None:
    token = server.token(consultation, "member", "陈委员")
    encoder = WhipPublisher([AudioSource(), VideoSource()], token=token)
    participant_id = await encoder.publish(f"{server.url}/whip/{consultation}?label=tcp", tcp=True)
    player = WhepPlayer(token=token)
    await player.play(f"{server.url}/whep/{consultation}/{participant_id}", tcp=True)
    await received(player, "video", 60)
    await player.close()
    await encoder.close()
