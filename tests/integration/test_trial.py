"""Connections that carry nothing, by which a browser tries its network."""

from __future__ import annotations

import pytest

from conference.media.client import MediaClient
from conference.services.ports import MediaError
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
