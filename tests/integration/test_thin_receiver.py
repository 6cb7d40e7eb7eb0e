"""One viewer behind 300 kbit/s does not lower anybody else's picture: three real layers, a link on the way of one."""

from __future__ import annotations

from typing import Any

from conference.rtc.codecs import vp8
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, InboundStream, RoomClient, SimulcastSource, VideoSource
from tests.support.light_client.vp8 import payload_of
from tests.support.link import Conditions, Link
from tests.support.server import Server

LAYERS = {"q": ((320, 180), 120e3), "h": ((640, 360), 400e3), "f": ((1280, 720), 1.2e6)}
TILE = {"width": 1280, "height": 720}
SMALL, LARGE = LAYERS["q"][0], LAYERS["f"][0]
WIDE, THIN = Conditions(delay_ms=20), Conditions(delay_ms=20, rate_bps=300e3)


def camera() -> SimulcastSource:
    """Layers that take as much as a browser's; what fills them is not decoded, but keyframes say their size."""
    return SimulcastSource(
        {
            name: VideoSource(fps=15, bitrate_bps=rate, packet_size=1000, picture=size)
            for name, (size, rate) in LAYERS.items()
        }
    )


class Watching:
    """What one receiver is shown: the size of the picture, and every size that there was."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []  # of each keyframe
        self.pictures = 0
        self.since = 0  # the size is what it is now, in pictures

    def receive(self, _stream: InboundStream, packet: bytes, _arrival_ns: int) -> None:
        """One decrypted packet, sound among them."""
        payload = payload_of(packet)
        if packet[1] & 0x7F == 111 or not payload or not vp8.is_start_of_frame(payload):
            return
        self.pictures += 1
        self.since += 1
        size = vp8.keyframe_size(payload) if vp8.is_keyframe(payload) else None
        if size is not None:
            if self.sizes[-1:] != [size]:
                self.since = 0
            self.sizes.append(size)

    async def shows(self, size: tuple[int, int]) -> None:
        """Wait until the picture is that large, and goes on."""
        await eventually(
            lambda: self.sizes[-1:] == [size] and self.since > 15, timeout_s=40, what=f"a picture of {size}"
        )


def reasons(client: RoomClient, since: int = 0) -> set[str]:
    """Why it is sent of the picture what it is sent, in all that it was told."""
    told = [data for name, data in client.events[since:] if name == "media.allocation"]
    return {each["reason"] for data in told for each in data["tracks"]}


async def watch(client: RoomClient, camera_id: str) -> Watching:
    await client.request("media.wish", {"items": [{"publication_id": camera_id, **TILE}]})
    reader = Watching()
    (await client.subscribed()).on_rtp = reader.receive
    return reader


async def test_who_is_behind_a_thin_link_gets_less_and_nobody_else_does(
    server: Server, consultation: str, start_link: Any
) -> None:
    link: Link = start_link(Link(("127.0.0.1", server.media_port), down=WIDE))

    def token(role: str, name: str) -> str:
        return server.token(consultation, role, name)

    async with (
        RoomClient(server.url, token("chair", "主会场"), receive=False) as sender,
        RoomClient(server.url, token("member", "甲"), feedback_s=0.1, via=link.address) as thin,
        RoomClient(server.url, token("member", "乙")) as other,
    ):
        await sender.publish([AudioSource(level_db=20), camera()], names=["microphone", "camera"])

        def published() -> str | None:
            tracks = thin.participants[sender.participant_id]["publications"]
            return next((str(each["id"]) for each in tracks if each["source"] == "camera"), None)

        camera_id = await eventually(published, what="the camera")
        assert camera_id is not None
        near, far = await watch(thin, camera_id), await watch(other, camera_id)
        await near.shows(LARGE)
        await far.shows(LARGE)

        link.set(down=THIN)
        pictures, sizes, told = far.pictures, len(far.sizes), len(other.events)
        await near.shows(SMALL)
        assert "bandwidth" in reasons(thin)
        await thin.receives(sender.participant_id, "microphone", packets=50)
        await eventually(
            lambda: far.pictures > pictures + 60, timeout_s=30, what="four seconds for the other"
        )
        assert set(far.sizes[sizes:]) <= {LARGE}
        assert reasons(other, told) <= {"size"}
        stream = other.stream(sender.participant_id, "camera")
        assert stream is not None
        assert stream.gaps == 0
        layers = [data["layers"] for name, data in sender.events if name == "media.layers"]
        assert all("f" in each for each in layers), "the sender goes on sending what the other sees"

        link.set(down=WIDE)
        await near.shows(LARGE)
