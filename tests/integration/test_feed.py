"""The feed of the media process: real H264 and Opus from a unix socket, received by WHEP clients of two kinds."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import av
import numpy as np
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from conference.media.client import MediaClient
from conference.model.media import PROGRAM_TARGET, FeedLost, PublicationsChanged
from conference.services.ports import MediaError
from conference.sfu.tap_frames import Gate, Open, encode
from tests.support.eventually import eventually
from tests.support.feeder import AUDIO, VIDEO, Feeder
from tests.support.light_client import AudioSource, InboundStream, Peer, SessionDescription, VideoSource
from tests.support.light_client.sdp import OfferedTrack
from tests.support.media_meeting import ROOM, Meeting
from tests.support.tap_reader import TapReader


@pytest.fixture
async def feeder() -> AsyncIterator[Feeder]:
    feeder = Feeder()
    yield feeder
    feeder.close()


class LosingPeer(Peer):
    """Of each 20 packets one is lost on the way down; retransmissions come."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = 0

    def _on_rtp(self, data: bytes, arrival_ns: int) -> None:
        if data[1] & 0x7F not in self._rtx_payload and random.random() < 0.05:
            self.lost += 1
        else:
            super()._on_rtp(data, arrival_ns)


@dataclass
class Watcher:
    """A light client that receives the program as WHEP clients do."""

    peer: Peer
    seen: dict[str, int]

    @classmethod
    async def join(
        cls, media: MediaClient, name: str, *, hears: bool = True, peer: Peer | None = None
    ) -> Watcher:
        peer = peer or Peer()
        await media.join(ROOM, name, sound_open=False, hears=hears)
        tracks = [OfferedTrack("audio"), OfferedTrack("video", codecs=("VP8", "H264"), rtx=True)]
        answer = SessionDescription(await media.pull(ROOM, name, PROGRAM_TARGET, peer.offer(tracks)))
        peer.set_remote(answer)
        await peer.connect()
        return cls(peer, {"audio": 0, "video": 0})

    def stream(self, kind: str) -> InboundStream | None:
        found = [
            each for each in self.peer.streams.values() if (each.payload_type == 111) == (kind == "audio")
        ]
        assert len(found) <= 1, "whatever feeds it: one stream"
        return found[0] if found else None

    async def gets(self, kind: str, packets: int = 20) -> InboundStream:
        """That many packets more than at the last time."""

        def more() -> InboundStream | None:
            stream = self.stream(kind)
            return stream if stream is not None and stream.packets >= self.seen[kind] + packets else None

        stream = await eventually(more, what=f"{kind} of the program")
        assert stream is not None
        self.seen[kind] = stream.packets
        return stream


async def fed(media: MediaClient, feeder: Feeder) -> None:
    await media.feed(ROOM, feeder.path)
    await eventually(lambda: feeder.is_connected)


async def ended(meeting: Meeting, times: int) -> None:
    await eventually(lambda: sum(event == FeedLost(ROOM) for event in meeting.events) == times)


async def test_a_player_receives_both_tracks_whole_and_asks_what_it_lost_again(
    meeting: Meeting, media: MediaClient, feeder: Feeder
) -> None:
    await fed(media, feeder)
    peer = LosingPeer()
    watcher = await Watcher.join(media, "w_1", peer=peer)
    await watcher.gets("video", 300)
    await eventually(lambda: peer.lost > 10)
    picture = await watcher.gets("video", 60)
    assert peer.rtcp_seen["rtx"] > 5
    assert picture.gaps <= 2, "the last ones are perhaps on their way"
    assert set(feeder.asked) == {VIDEO}
    assert len(feeder.asked) <= 2, "for the first picture, and for nothing that was lost"
    assert (await media.statistics())["yuanshang_media_nacks_sent_total"] == 0


async def test_a_real_client_decodes_sound_and_picture(
    meeting: Meeting, media: MediaClient, feeder: Feeder
) -> None:
    await fed(media, feeder)
    client = RTCPeerConnection()
    tracks: list[MediaStreamTrack] = []
    client.on("track", tracks.append)
    for kind in ("audio", "video"):
        client.addTransceiver(kind, direction="recvonly")
    await client.setLocalDescription(await client.createOffer())
    await media.join(ROOM, "w_1", sound_open=False)
    answer = await media.pull(ROOM, "w_1", PROGRAM_TARGET, client.localDescription.sdp)
    await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    got: dict[str, list[av.VideoFrame | av.AudioFrame]] = {"audio": [], "video": []}

    async def read(track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.VideoFrame | av.AudioFrame)
                got[track.kind].append(frame)

    readers = [asyncio.create_task(read(track)) for track in tracks]
    assert {track.kind for track in tracks} == {"audio", "video"}
    await eventually(lambda: len(got["video"]) > 90 and len(got["audio"]) > 100, timeout_s=30)
    for reader in readers:
        reader.cancel()
    await client.close()
    pictures = [frame for frame in got["video"] if isinstance(frame, av.VideoFrame)]
    assert {(frame.width, frame.height) for frame in pictures} == {(320, 240)}
    shades = {round(float(frame.to_ndarray(format="gray").mean())) for frame in pictures}
    assert len(shades) > 40, "each picture of the feeder has another brightness"
    sound = np.concatenate([f.to_ndarray().ravel() for f in got["audio"] if isinstance(f, av.AudioFrame)])
    assert np.abs(sound.astype(np.int32)).max() > 3000, "a tone"


async def test_sound_and_picture_stay_on_one_clock(
    meeting: Meeting, media: MediaClient, feeder: Feeder
) -> None:
    await fed(media, feeder)
    watcher = await Watcher.join(media, "w_1")
    await watcher.gets("video", 100)
    picture, sound = await watcher.gets("video"), await watcher.gets("audio")
    reports = watcher.peer.last_sender_report
    await eventually(lambda: {picture.ssrc, sound.ssrc} <= set(reports))
    moments = {}
    for track, stream, rate in ((VIDEO, picture, 90000), (AUDIO, sound, 48000)):
        report = reports[stream.ssrc]
        # Media time of this RTP time, by the last packet that came and when the feeder sent that.
        shift = (stream.timestamp - report.rtp_ts + (1 << 31)) % (1 << 32) - (1 << 31)
        heard_at_s = report.ntp / (1 << 32) + shift / rate
        media_time_s = heard_at_s - 5
        moments[track] = media_time_s - (time.monotonic() - feeder.began_s)
    assert abs(moments[VIDEO] - moments[AUDIO]) < 0.15, "each within what one frame and the test's loop take"
    assert all(-0.5 < moment < 0.1 for moment in moments.values())


async def test_another_feeder_goes_on_where_a_killed_one_stopped(
    meeting: Meeting, media: MediaClient, feeder: Feeder
) -> None:
    watcher = await Watcher.join(media, "w_1")
    await fed(media, feeder)
    await watcher.gets("video")
    await watcher.gets("audio")
    feeder.close()
    await ended(meeting, 1)
    assert (await media.statistics())["yuanshang_media_feeds"] == 0
    second = Feeder(ssrc=1111)
    await fed(media, second)
    picture, sound = await watcher.gets("video", 60), await watcher.gets("audio", 60)
    assert (picture.gaps, sound.gaps) == (0, 0), "the numbers run on"
    third = Feeder(ssrc=5)
    await fed(media, third)
    await eventually(lambda: second.ended)
    picture, sound = await watcher.gets("video", 60), await watcher.gets("audio", 60)
    assert (picture.gaps, sound.gaps) == (0, 0)
    third.end_tracks()
    third.close()
    await ended(meeting, 2)  # in order, and all the same
    second.close()


async def test_the_program_is_offered_to_nobody_listed_nowhere_and_not_tapped(
    meeting: Meeting, media: MediaClient, feeder: Feeder
) -> None:
    reader = TapReader()
    await media.tap(ROOM, reader.path, program_time_ms=0, at_monotonic_s=0.0)
    await fed(media, feeder)
    watcher = await Watcher.join(media, "w_1")
    await watcher.gets("video")
    await meeting.publish("member", [AudioSource(), VideoSource()])
    await meeting.receive("chair")
    await meeting.flows("chair", "member", "camera")
    assert {track.participant_id for offer in meeting.offers["chair"] for track in offer.tracks} == {"member"}
    changed = [event for event in meeting.events if isinstance(event, PublicationsChanged)]
    assert {event.participant_id for event in changed} == {"member"}
    await eventually(lambda: len(reader.of(Open)) == 2)
    assert {each.participant_id for each in reader.of(Open)} == {"member"}
    assert (await media.statistics())["yuanshang_media_publications"] == 2
    reader.close()


async def test_who_hears_nothing_gets_the_picture_alone(
    meeting: Meeting, media: MediaClient, feeder: Feeder
) -> None:
    await fed(media, feeder)
    deaf = await Watcher.join(media, "w_1", hears=False)
    await deaf.gets("video", 60)
    assert deaf.stream("audio") is None


async def test_players_that_ask_for_keyframes_all_the_time_cost_the_worker_two_a_second(
    meeting: Meeting, media: MediaClient, feeder: Feeder
) -> None:
    await fed(media, feeder)
    watchers = [await Watcher.join(media, f"w_{number}") for number in range(3)]
    streams = [await watcher.gets("video") for watcher in watchers]
    before, began = len(feeder.asked), time.monotonic()
    asked = 0
    while time.monotonic() - began < 2:
        for watcher, stream in zip(watchers, streams, strict=True):
            watcher.peer.request_keyframe(stream.ssrc)
            asked += 1
        await asyncio.sleep(0.02)
    took = time.monotonic() - began
    assert asked > 50
    assert 1 <= len(feeder.asked) - before <= took * 2 + 1
    assert set(feeder.asked) == {VIDEO}


async def test_what_the_worker_leaves_out_is_waited_for_and_not_asked_for(
    meeting: Meeting, media: MediaClient, feeder: Feeder
) -> None:
    await fed(media, feeder)
    watcher = await Watcher.join(media, "w_1")
    await watcher.gets("video", 40)
    asked = len(feeder.asked)
    feeder.skip(30)
    picture = await watcher.gets("video", 100)
    assert picture.gaps == 0, "the numbers run on over what was left out"
    assert len(feeder.asked) > asked
    assert watcher.peer.sent["nack"] == 0


async def test_rubbish_ends_the_feed_and_nothing_else(meeting: Meeting, media: MediaClient) -> None:
    await meeting.publish("member")
    await meeting.receive("chair")
    watcher = await Watcher.join(media, "w_1")
    chance = random.Random(4)
    bad = [chance.randbytes(3000), b"\xff" * 100, encode(Gate(1, True)), b"\x00\x00\x00\x01\x63"]
    pid = media.pid
    for number, data in enumerate(bad):
        feeder = Feeder()
        await fed(media, feeder)
        await watcher.gets("video", 5)
        feeder.write(data)
        await ended(meeting, number + 1)
        feeder.close()
    assert (await meeting.flows("chair", "member", "camera", packets=60)).gaps == 0
    assert media.pid == pid
    last = Feeder()
    await fed(media, last)
    await watcher.gets("video")
    last.close()


async def test_a_path_where_nobody_listens_is_refused_and_a_room_needs_nobody_in_it(
    media: MediaClient, feeder: Feeder
) -> None:
    for path in ("/nowhere/at/all", "x" * 200, "with\0zero", ""):
        with pytest.raises(MediaError) as refusal:
            await media.feed(ROOM, path)
        assert refusal.value.code == "feed_unreachable"
    await media.unfeed(ROOM)
    assert (await media.statistics())["yuanshang_media_rooms"] == 0
    await fed(media, feeder)
    statistics = await media.statistics()
    assert (statistics["yuanshang_media_rooms"], statistics["yuanshang_media_feeds"]) == (1, 1)
    await media.unfeed(ROOM)
    await eventually(lambda: feeder.ended)
    assert (await media.statistics())["yuanshang_media_rooms"] == 0
