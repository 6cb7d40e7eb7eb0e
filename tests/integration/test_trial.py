"""Connections that carry nothing, by which a browser tries its network."""

from __future__ import annotations

import asyncio

import pytest

from conference.media.client import MediaClient
from conference.services.ports import MediaError
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, Peer, SessionDescription


def offered(peer: Peer) -> str:
    return peer.offer([AudioSource().offered]).replace("a=sendonly", "a=recvonly")


@pytest.mark.parametrize("tcp", [False, True])
async def test_a_connection_comes_about_by_each_way_without_any_room(media: MediaClient, tcp: bool) -> None:
    peer = Peer()
    peer.set_remote(SessionDescription(await media.try_out(offered(peer))))
    await peer.connect(tcp=tcp)
    assert (await media.statistics())["yuanshang_media_rooms"] == 0
    await peer.close()


async def test_what_is_sent_comes_back_under_numbers_that_tell_where_it_was_lost(media: MediaClient) -> None:
    peer = Peer()
    source = AudioSource()
    offer = peer.offer([source.offered]).replace("a=sendonly", "a=sendrecv")
    peer.set_remote(SessionDescription(await media.try_out(offer)))
    assert peer.remote is not None
    assert peer.remote.media[0].direction == "sendrecv"
    await peer.connect()

    def packet(number: int, payload: bytes) -> bytes:
        return b"\x80\x6f" + number.to_bytes(2, "big") + bytes(4) + source.ssrc.to_bytes(4, "big") + payload

    came: list[bytes] = []
    peer.on_rtp = lambda stream, plain, at: came.append(plain)
    peer.send_rtp(packet(6, b"of no codec").replace(b"\x80\x6f", b"\x80\x70", 1))
    for number in (7, 8, 20, 21):  # eleven were lost on the way up
        peer.send_rtp(packet(number, b"p%d" % number))
    await eventually(lambda: came, lambda got: len(got) == 4, what="the echo")
    assert [plain[12:] for plain in came] == [b"p7", b"p8", b"p20", b"p21"]
    numbers = [int.from_bytes(plain[2:4], "big") for plain in came]
    assert numbers == [(numbers[0] + step) & 0xFFFF for step in range(4)]
    assert {plain[8:12] for plain in came}.isdisjoint({source.ssrc.to_bytes(4, "big")})
    await peer.close()


async def test_no_more_comes_back_than_a_test_needs(media: MediaClient) -> None:
    peer = Peer()
    source = AudioSource()
    offer = peer.offer([source.offered]).replace("a=sendonly", "a=sendrecv")
    peer.set_remote(SessionDescription(await media.try_out(offer)))
    await peer.connect()
    came: list[bytes] = []
    peer.on_rtp = lambda stream, plain, at: came.append(plain)
    for number in range(1, 1001):
        head = b"\x80\x6f" + number.to_bytes(2, "big") + bytes(4) + source.ssrc.to_bytes(4, "big")
        peer.send_rtp(head + bytes(100))
    await eventually(lambda: len(came), lambda got: got >= 60, what="the echo's burst")
    await asyncio.sleep(0.2)
    assert len(came) < 500  # 60 at once, then 120 a second
    await peer.close()


@pytest.mark.parametrize("text", ["", "v=0", "no description at all"])
async def test_what_is_no_offer_is_refused(media: MediaClient, text: str) -> None:
    with pytest.raises(MediaError) as refused:
        await media.try_out(text)
    assert refused.value.code == "sdp_invalid"


async def test_too_many_at_once_are_refused(media: MediaClient) -> None:
    peer = Peer()
    text = offered(peer)
    for _ in range(400):
        await media.try_out(text)
    with pytest.raises(MediaError) as refused:
        await media.try_out(text)
    assert refused.value.code == "rate_limited"
    await peer.close()
