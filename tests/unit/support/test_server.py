"""The server helper against the real server: start, stop, kill, restart; the light client through a bad link."""

import asyncio
import time
from collections.abc import Callable

import pytest

from tests.support import process
from tests.support.eventually import eventually, eventually_sync
from tests.support.leaks import Holdings, assert_returns_to
from tests.support.light_client import (
    AudioSource,
    Certificate,
    HttpRefusedError,
    Peer,
    RoomClient,
    SessionRefusedError,
    VideoSource,
    WhepPlayer,
    WhipPublisher,
)
from tests.support.light_client.vp8 import CodeReader
from tests.support.link import Link, loopback_address
from tests.support.media import vp8_clip
from tests.support.server import Server, ServerFailedError


def test_stops_and_leaves_nothing() -> None:
    with Server() as server:
        members = server.tree()
        assert len(members) >= 2
        assert server.media_pid() != server.web_pid()
        assert server.get("/healthz")[0] == 200
    assert not [pid for pid in members if process.alive(pid)]
    assert not server.data_dir.exists()


def test_failure_to_start_shows_why() -> None:
    with pytest.raises(ServerFailedError, match="no-such-option"):
        Server(arguments=["--no-such-option"]).start()


def test_killed_server_restarts_on_the_same_ports() -> None:
    with Server() as server:
        consultation = server.create_consultation("重启")
        url, media_port, first = server.url, server.media_port, server.pid
        server.kill9("parent")
        server.restart()
        assert (server.url, server.media_port) == (url, media_port)
        assert server.pid != first
        for token in (server.token(consultation), server.token_by_command(consultation)):
            assert server.get(f"/api/v1/consultations/{consultation}", token)[0] == 200
        expired = server.token(consultation, ttl=-60)
        assert server.get(f"/api/v1/consultations/{consultation}", expired)[0] == 401


def test_killed_media_process_comes_back(server: Server) -> None:
    killed = server.kill9("media")
    eventually_sync(lambda: server.get("/readyz")[0] == 200, timeout_s=10, what="ready again")
    assert server.media_pid() != killed
    assert server.metrics().names()


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_whip_to_whep(server: Server, consultation: str, tcp: bool) -> None:
    token = server.token(consultation)
    camera = VideoSource(frames=vp8_clip(6), fps=15, rtx=True, transport_cc=True)
    rsa = Peer(certificate=Certificate.shared("rsa"))
    async with WhipPublisher([AudioSource(), camera], token=token, peer=rsa) as publisher:
        participant = await publisher.publish(f"{server.url}/whip/{consultation}?label=camera", tcp=tcp)
        async with WhepPlayer(token=token) as player:
            reader = CodeReader()
            reader.attach(player.peer)
            await player.play(f"{server.url}/whep/{consultation}/{participant}", tcp=tcp)
            await eventually(lambda: len(reader.codes) >= 5, what="decoded pictures")
            assert {code.participant for code in reader.codes if code} == {6}
            await eventually(lambda: player.stream("audio"), what="sound")
            await eventually(lambda: publisher.peer.rtcp_seen["transport-cc"] and player.peer.rtcp_seen["sr"])
    with pytest.raises(HttpRefusedError):
        await WhipPublisher([AudioSource()], token="wrong").publish(f"{server.url}/whip/{consultation}")


async def test_room_client_mirrors_the_room(server: Server, consultation: str) -> None:
    token = await asyncio.to_thread(server.token, consultation, "chair", "主席")
    async with RoomClient(server.url, token) as first, RoomClient(server.url, token, name="委员") as second:
        await first.publish([AudioSource(), VideoSource()])
        await second.receives(first.participant_id, "camera")
        await second.receives(first.participant_id, "microphone")
        await eventually(lambda: first.participants == second.participants)
        fresh = await second.request("room.sync")
        assert {person["id"]: person for person in fresh["participants"]} == second.participants
        assert first.version_holes == second.version_holes == 0
        with pytest.raises(SessionRefusedError):
            await second.request("participant.no_such_thing")
    with pytest.raises(SessionRefusedError, match="token_invalid"):
        await RoomClient(server.url, "wrong").connect()


async def test_media_through_a_bad_link(
    start_server: Callable[..., Server], start_link: Callable[[Link], Link]
) -> None:
    address = loopback_address()
    server = start_server(media_addresses=[address])
    link = start_link(Link(("127.0.0.1", server.media_port), listen_host=address))
    consultation = server.create_consultation()
    token = server.token(consultation)
    camera = VideoSource(bitrate_bps=500_000, rtx=True)
    async with WhipPublisher([camera], token=token) as publisher, WhepPlayer(token=token) as player:
        participant = await publisher.publish(f"{server.url}/whip/{consultation}")
        await player.play(f"{server.url}/whep/{consultation}/{participant}")
        assert publisher.peer.remote_address == (address, server.media_port)
        await eventually(lambda: player.stream("video"))
        stream = player.stream("video")
        assert stream is not None
        link.both(loss=0.05, delay_ms=20)
        await eventually(
            lambda: stream.recovered >= 10 and player.peer.rtcp_seen["rtx"] >= 10, what="repair down"
        )
        assert publisher.peer.sent["retransmission"] > 0, "repair up"
        link.both(loss=0.0)
        link.rebind()
        moved = time.monotonic()
        seen = stream.packets
        await eventually(lambda: stream.packets > seen + 100, timeout_s=15, what="media after a rebinding")
        assert time.monotonic() - moved < 10


async def test_nothing_is_held_after_leaving(server: Server, consultation: str) -> None:
    token = await asyncio.to_thread(server.token, consultation)

    async def visit() -> None:
        async with RoomClient(server.url, token) as client:
            await client.publish([AudioSource()])
            await client.leave()

    await visit()
    before = Holdings.of(server.pid)
    for _ in range(3):
        await visit()
    await assert_returns_to(before, server.pid, rss_slack_bytes=20_000_000)
