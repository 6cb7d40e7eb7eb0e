"""`python -m benchmarks.ingest`: what pulling cameras costs, how soon their picture is there, and how late it is.

GStreamer's RTSP server gives the picture; a light client in the room receives it. Latency is measured against a bare
RTSP client beside it that only reads: both know a picture by the last bytes of its last packet. At last eight cameras
at once, and the same beside a room of twenty, each with a microphone and two of the cameras before them.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from conference.ingest_events import IngestRunning
from conference.media.client import MediaClient
from conference.media.settings import MediaSettings
from conference.model.media import TrackWish
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource
from tests.support.light_client.inbound import InboundStream
from tests.support.media_meeting import ROOM, Meeting
from tests.support.ports import free_port
from tests.support.process import cpu_s, rss_bytes
from tests.support.pulling import Pulling
from tests.support.rtsp_server import RtspServer

_COMPARED = ("two-megabits",)  # passes as it is, is all picture, and the same for all who read it
_TAIL = 24  # bytes by which a picture is known again


@dataclass(frozen=True)
class Figures:
    """One camera for some seconds."""

    camera: str
    core: float
    media_core: float
    mbit_s: float
    rss_mb: int
    first_picture_s: float
    latency_ms: float
    latency_p95_ms: float
    transcoding: bool
    people_mbit_s: float = 0.0  # what all others in the room got

    def __str__(self) -> str:
        return (
            f"{self.camera}: {self.core:.3f} core (media process {self.media_core:.3f}) at {self.mbit_s:.2f} Mbit/s, "
            f"{self.rss_mb} MB, first picture {self.first_picture_s:.2f} s"
            + (f", {self.latency_ms:.0f} ms late (p95 {self.latency_p95_ms:.0f})" if self.latency_ms else "")
            + (", transcoded" if self.transcoding else "")
            + (f"; the others got {self.people_mbit_s:.1f} Mbit/s" if self.people_mbit_s else "")
        )


class Reader:
    """Reads a camera's picture over TCP as RFC 2326 has it; `arrived` by the tail of each picture's last packet."""

    def __init__(self, url: str) -> None:
        self.arrived: dict[bytes, float] = {}
        host, port = url.removeprefix("rtsp://").split("/")[0].split(":")
        self._sock = socket.create_connection((host, int(port)))
        self._file = self._sock.makefile("rb")
        self._ask("DESCRIBE", url, 1)
        answer = self._ask(
            "SETUP", f"{url}/stream=0", 2, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        )
        session = answer["session"].split(";")[0]
        self._ask("PLAY", url, 3, f"Session: {session}\r\n")

    def _ask(self, method: str, url: str, number: int, more: str = "") -> dict[str, str]:
        self._sock.sendall(f"{method} {url} RTSP/1.0\r\nCSeq: {number}\r\n{more}\r\n".encode())
        status = self._file.readline()
        if b" 200 " not in status:
            raise OSError(f"{method}: {status!r}")
        headers: dict[str, str] = {}
        while (line := self._file.readline().strip()) != b"":
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        self._file.read(int(headers.get("content-length", "0")))
        return headers

    def run(self) -> None:
        """Until closed. A thread's."""
        try:
            while head := self._file.read(4):
                packet = self._file.read(int.from_bytes(head[2:], "big"))
                if head[1] == 0 and packet[1] & 0x80:
                    self.arrived.setdefault(packet[-_TAIL:], time.monotonic())
        except (OSError, ValueError):
            return

    def close(self) -> None:
        self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()


class People:
    """Light members of the room: each speaks, and looks at two cameras."""

    def __init__(self, meeting: Meeting, count: int) -> None:
        self._meeting = meeting
        self._names = [f"member{number}" for number in range(count)]

    async def come(self) -> None:
        for number, name in enumerate(self._names):
            await self._meeting.publish(name, [AudioSource(level_db=20 + number)])
            await self._meeting.receive(name)

    async def look(self, cameras: int) -> None:
        """At two each, so that all are looked at."""
        for number, name in enumerate(self._names):
            offered = await eventually(
                partial(self._cameras, name), lambda found: len(found) == cameras, timeout_s=60
            )
            wishes = (
                TrackWish(offered[f"camera{(number + more) % cameras}"], 1280, 720, 0) for more in (0, 1)
            )
            await self._meeting.media.wish(ROOM, name, tuple(wishes))

    def _cameras(self, name: str) -> dict[str, str]:
        tracks = (track for offer in self._meeting.offers.get(name, [])[-1:] for track in offer.tracks)
        return {each.participant_id: each.publication_id for each in tracks if each.source == "camera"}

    def received_bytes(self) -> int:
        peers = [self._meeting.receivers[name] for name in self._names]
        return sum(stream.bytes for peer in peers for stream in peer.streams.values())


async def measure(camera: str, seconds: float, count: int = 1, people_count: int = 0) -> Figures:
    """`count` of this camera at once; latency of the first, cost of all divided by them."""
    media = MediaClient(MediaSettings("127.0.0.1", 0, max_participants=60))
    await media.start()
    meeting = Meeting(media)
    people = People(meeting, people_count)
    reader = None
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, RtspServer(free_port()) as server:
        pulling = Pulling(media, Path(directory))
        try:
            await meeting.receive("watcher")
            await people.come()
            url = server.url(f"/{camera}")
            if camera in _COMPARED:
                reader = Reader(url)
                reading = asyncio.get_running_loop().run_in_executor(None, reader.run)
            began_s = time.monotonic()
            for number in range(count):
                await pulling.pull(url, f"camera{number}")
            first = await eventually(
                lambda: meeting.stream("watcher", "camera0", "camera"), timeout_s=30, every_s=0.01
            )
            assert first is not None
            first_picture_s = time.monotonic() - began_s
            seen: dict[bytes, float] = {}

            def arrived(stream: InboundStream, packet: bytes, _arrival_ns: int) -> None:
                if stream is first and packet[1] & 0x80:
                    seen.setdefault(packet[-_TAIL:], time.monotonic())

            meeting.receivers["watcher"].on_rtp = arrived
            await people.look(count)
            await asyncio.sleep(3)
            pids = list(pulling.supervisor.pids().values())
            assert media.pid is not None
            before, media_before, octets = cpu_s(pids), cpu_s([media.pid]), first.bytes
            at_s, people_bytes = time.monotonic(), people.received_bytes()
            await asyncio.sleep(seconds)
            took_s = time.monotonic() - at_s
            people_bytes = people.received_bytes() - people_bytes
            core, media_core = cpu_s(pids) - before, cpu_s([media.pid]) - media_before
            late = [
                1000 * (when - reader.arrived[tail])
                for tail, when in seen.items()
                if reader is not None and tail in reader.arrived
            ]
            running = pulling.last(IngestRunning)
            return Figures(
                camera if count == 1 else f"{count} x {camera}",
                core / took_s / count,
                media_core / took_s,
                8 * (first.bytes - octets) / took_s / 1e6,
                rss_bytes(pids) // count >> 20,
                first_picture_s,
                median(late) if late else 0.0,
                quantiles(late, n=20)[-1] if len(late) > 1 else 0.0,
                running is not None and running.transcoding,
                8 * people_bytes / took_s / 1e6,
            )
        finally:
            await pulling.supervisor.close()
            if reader is not None:
                reader.close()
                await reading
            await meeting.close()
            await media.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("cameras", nargs="*", default=["two-megabits", "baseline", "b-frames", "hevc"])
    parser.add_argument("--many", type=int, default=8)
    parser.add_argument("--people", type=int, default=20)
    options = parser.parse_args()
    for camera in options.cameras:
        print(asyncio.run(measure(camera, options.seconds)), flush=True)
    for people in (0, options.people):
        print(asyncio.run(measure("two-megabits", options.seconds, options.many, people)), flush=True)


if __name__ == "__main__":
    main()
