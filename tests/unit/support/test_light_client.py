"""The light client against itself: handshake, media, repair, and what it does on purpose wrong."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from tests.support.eventually import eventually
from tests.support.light_client import (
    AudioSource,
    Certificate,
    HandshakeError,
    Peer,
    SessionDescription,
    VideoSource,
    rtcp,
)
from tests.support.light_client.dtls import ALL_PROFILES, CM_128, GCM_128, SrtpProfile
from tests.support.light_client.inbound import InboundStream
from tests.support.light_client.sdp import MID_URI, OfferedTrack
from tests.support.light_client.source import Source, attach
from tests.support.light_client.vp8 import CodeReader
from tests.support.media import vp8_clip

Pair = tuple[Peer, Peer]


@pytest.fixture
async def peers() -> AsyncIterator[list[Peer]]:
    """Peers to be closed at the end."""
    made: list[Peer] = []
    yield made
    await asyncio.gather(*(peer.close() for peer in made))


async def connect(
    peers: list[Peer],
    sources: list[Source],
    *,
    sender: Peer | None = None,
    receiver: Peer | None = None,
) -> Pair:
    """Offer and answer in memory, then connect both."""
    sender = sender or Peer()
    receiver = receiver or Peer(controlling=False)
    peers += [sender, receiver]
    answer = receiver.answer(SessionDescription(sender.offer([source.offered for source in sources])))
    sender.set_remote(SessionDescription(answer))
    await asyncio.gather(sender.connect(), receiver.connect())
    attach(sender, sources)
    assert sender.remote is not None
    for source, section in zip(sources, sender.remote.media, strict=True):
        source.start(sender, section)
    return sender, receiver


async def test_media_flows(peers: list[Peer]) -> None:
    video, audio = VideoSource(bitrate_bps=300_000), AudioSource()
    sender, receiver = await connect(peers, [audio, video])

    def enough() -> bool:
        return all(s.packets >= 20 for s in receiver.streams.values()) and len(receiver.streams) == 2

    await eventually(enough)
    await eventually(lambda: len(receiver.last_sender_report) == 2, what="sender reports")
    await eventually(lambda: sender.rtcp_seen["rr"] and sender.rtcp_seen["remb"], what="receiver reports")
    assert {s.ssrc for s in receiver.streams.values()} == {video.ssrc, audio.ssrc}
    assert sum(s.gaps for s in receiver.streams.values()) == 0
    assert receiver.unprotect_errors == 0
    assert video.keyframes_asked >= 1
    assert sender.srtp_profile == "SRTP_AEAD_AES_256_GCM"


@pytest.mark.parametrize("profile", [GCM_128, CM_128], ids=lambda profile: profile.openssl_name)
async def test_other_profiles(peers: list[Peer], profile: SrtpProfile) -> None:
    sender = Peer(profiles=(profile,))
    _, receiver = await connect(peers, [AudioSource()], sender=sender)
    await asyncio.wait_for(receiver.first_rtp.wait(), 5)
    assert sender.srtp_profile == receiver.srtp_profile == profile.openssl_name
    assert profile in ALL_PROFILES


@pytest.mark.parametrize("side", ["sender", "receiver"])
async def test_rsa_certificate(peers: list[Peer], side: str) -> None:
    rsa = Certificate.shared("rsa")
    sender = Peer(certificate=rsa) if side == "sender" else None
    receiver = Peer(certificate=rsa, controlling=False) if side == "receiver" else None
    _, receiver = await connect(peers, [AudioSource()], sender=sender, receiver=receiver)
    await asyncio.wait_for(receiver.first_rtp.wait(), 5)


async def test_wrong_fingerprint_is_refused(peers: list[Peer]) -> None:
    sender = Peer()
    sender.announced_fingerprint = Certificate("ecdsa").fingerprint
    receiver = Peer(controlling=False)
    peers += [sender, receiver]
    answer = receiver.answer(SessionDescription(sender.offer([AudioSource().offered])))
    sender.set_remote(SessionDescription(answer))
    results = await asyncio.gather(sender.connect(), _until_refused(receiver), return_exceptions=True)
    assert results[1] is None


async def _until_refused(peer: Peer) -> None:
    with pytest.raises(HandshakeError, match="not the one"):
        await peer.connect()


@pytest.mark.parametrize("rtx", [False, True], ids=["repeated", "rtx"])
async def test_lost_packets_are_repaired(
    peers: list[Peer], rtx: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = VideoSource(bitrate_bps=1_000_000, rtx=True) if rtx else VideoSource(bitrate_bps=1_000_000)
    sender, receiver = await connect(peers, [video])
    rng, original, dropped = random.Random(3), sender._path.send, 0

    def lossy(data: bytes) -> None:
        nonlocal dropped
        if 127 < data[0] < 192 and not 192 <= data[1] <= 223 and rng.random() < 0.1:
            dropped += 1
        else:
            original(data)

    if not rtx:  # repeats need the cache too
        send = sender.send_rtp
        monkeypatch.setattr(sender, "send_rtp", lambda packet, keep=True: send(packet, keep=True))
    monkeypatch.setattr(sender._path, "send", lossy)
    await eventually(lambda: dropped >= 15)
    monkeypatch.setattr(sender._path, "send", original)
    stream = receiver.streams[video.ssrc]
    await eventually(lambda: not stream.missing and stream.gaps == 0, what="repair")
    assert stream.recovered > 0
    assert receiver.sent["nack"] > 0
    assert sender.sent["retransmission"] >= stream.recovered
    assert (receiver.rtcp_seen["rtx"] > 0) == rtx
    assert set(receiver.streams) == {video.ssrc}


async def test_real_pictures_are_decoded(peers: list[Peer]) -> None:
    _, receiver = await connect(peers, [VideoSource(frames=vp8_clip(6, frames=30), fps=15)])
    reader = CodeReader()
    reader.attach(receiver)
    await eventually(lambda: len(reader.codes) >= 10)
    assert {code.participant for code in reader.codes if code} == {6}
    assert None not in reader.codes


async def test_sampling_peer_measures_latency(peers: list[Peer]) -> None:
    receiver = Peer(controlling=False, sample=5)
    _, receiver = await connect(peers, [VideoSource(bitrate_bps=1_000_000)], receiver=receiver)
    await eventually(lambda: len(receiver.latencies_ns) >= 10)
    assert min(receiver.latencies_ns) > 0
    assert sorted(receiver.latencies_ns)[5] < 20_000_000


async def test_rebinding_changes_the_port(peers: list[Peer]) -> None:
    _, receiver = await connect(peers, [AudioSource()])
    before = receiver.local
    receiver.rebind()
    assert receiver.local != before


async def test_close_notify_is_seen(peers: list[Peer]) -> None:
    sender, receiver = await connect(peers, [AudioSource()])
    await sender.close()
    await eventually(lambda: receiver.closed_by_peer)


def test_inbound_counts_reordering_wrap_and_duplicates() -> None:
    stream = InboundStream(1, 65534, 96)
    for seq in (65534, 0, 65535, 0, 3, 1):
        stream.arrived(seq, 0.0)
    assert (stream.packets, stream.expected, stream.gaps, stream.duplicates) == (5, 6, 1, 1)
    assert list(stream.missing) == [65536 + 2]
    assert stream.due(1.0) == [2]


def test_nack_round_trip() -> None:
    numbers = [5, 6, 21, 22, 400, 65535]
    packets = list(rtcp.walk(rtcp.nack(1, 2, numbers)))
    assert [packet.name for packet in packets] == ["rr", "nack"]
    assert sorted(rtcp.nacked(packets[1].body)) == numbers


def test_rtcp_walker_stops_at_truncation() -> None:
    whole = rtcp.sender_report(7, rtcp.SenderReport(1, 2, 3, 4), "cname")
    assert [packet.name for packet in rtcp.walk(whole)] == ["sr", "sdes"]
    for length in range(len(whole)):
        assert len(list(rtcp.walk(whole[:length]))) <= 1


async def test_description_round_trip(peers: list[Peer]) -> None:
    peer = Peer()
    peers.append(peer)
    tracks = [
        OfferedTrack("audio", ssrc=11),
        OfferedTrack("video", ssrc=12, rtx_ssrc=13, codecs=("VP8", "H264"), rtx=True, transport_cc=True),
        OfferedTrack("video"),
    ]
    parsed = SessionDescription(peer.offer(tracks))
    audio, camera, receive = parsed.media
    assert (audio.direction, camera.direction, receive.direction) == ("sendonly", "sendonly", "recvonly")
    assert (audio.ssrcs(), camera.ssrcs(), receive.ssrcs()) == ([11], [12, 13], [])
    assert camera.rtx() == {97: 96, 99: 98}
    assert camera.rtx_ssrcs() == {13: 12}
    assert camera.extension(MID_URI) == 1
    assert camera.msid() == ("light", "light-video")
    assert parsed.candidates == [peer.local]
    assert parsed.fingerprint == ("sha-256", peer.certificate.fingerprint)
