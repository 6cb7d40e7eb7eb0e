"""Media over the port of HTTPS: the web process hands ICE-TCP to the media process, which goes on alone."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator

import pytest

from conference.media.pool import MediaPool
from conference.media.settings import MediaSettings
from signaling.lan import server_context
from signaling.tls.port import TlsPort
from tests.support.light_client import Peer, SessionDescription, VideoSource
from tests.support.light_client.source import Source, attach
from tests.support.media_meeting import ROOM, Meeting


@pytest.fixture
async def shared() -> AsyncIterator[tuple[MediaPool, TlsPort, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.getsockname()[1]
        media = MediaPool(MediaSettings("127.0.0.1", 0, shared_tcp_port=number))
        port = TlsPort(listener, server_context, http=asyncio.Protocol, hand_over=media.hand_over)
        await media.start()
        port.open()
        yield media, port, number
        await port.close()
        await media.close()


async def publish(media: MediaPool, tcp_port: int) -> tuple[Peer, list[Source]]:
    await media.join(ROOM, "member", sound_open=True)
    peer = Peer()
    sources: list[Source] = [VideoSource()]
    text, _ = await media.publish(ROOM, "member", peer.offer([each.offered for each in sources]))
    answer = SessionDescription(text)
    peer.set_remote(answer)
    await peer.connect(tcp=True, tcp_port=tcp_port)
    attach(peer, sources)
    for source, section in zip(sources, answer.media, strict=True):
        source.start(peer, section)
    return peer, sources


async def test_media_comes_by_the_port_of_https_and_goes_on_without_the_web_process(
    shared: tuple[MediaPool, TlsPort, int],
) -> None:
    media, port, number = shared
    meeting = Meeting(media)
    peer, sources = await publish(media, number)
    await meeting.receive("chair")
    await meeting.flows("chair", "member", "camera", packets=60)
    assert port.sorted == {"media": 1}
    assert (await media.statistics())["yuanshang_media_tcp_connections"] == 1
    await port.close()
    stream = await meeting.flows("chair", "member", "camera", packets=60)
    assert stream.gaps == 0
    for source in sources:
        source.stop()
    await peer.close()
    await meeting.close()


async def test_the_next_media_process_takes_connections_again(
    shared: tuple[MediaPool, TlsPort, int],
) -> None:
    media, port, number = shared
    restarted = asyncio.Event()
    media.listen(lambda _event: restarted.set())
    (process,) = media.clients
    assert process.pid is not None

    os.kill(process.pid, signal.SIGKILL)
    async with asyncio.timeout(30):
        await restarted.wait()
    peer, sources = await publish(media, number)
    assert port.sorted == {"media": 1}
    for source in sources:
        source.stop()
    await peer.close()
