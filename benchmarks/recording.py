"""`python -m benchmarks.recording`: what it costs to keep the tracks of ten participants.

The worker gets what a tap writes: ten cameras of 500 kbit/s in VP8 and, in a second run, their microphones, too. What
counts is the CPU time of all its threads, user and system, per second.
"""

import argparse
import asyncio
import json
import random
import struct
import sys
import tempfile
import time
from pathlib import Path

from conference.sfu.tap_frames import Clock, Open, encode, encode_packet
from tests.support.encoded import pictures, sounds

_FPS = 30
_PACKET = 1100
_SOUND_S = 0.02
_WARM_UP_S = 2.0


def cpu_s(pid: int) -> float:
    """CPU time of a process and its threads, living and ended, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


class Track:
    """One track as a tap writes it."""

    def __init__(self, number: int, kind: str, frames: list[bytes]) -> None:
        self.is_audio = kind == "audio"
        self._number = number
        self._frames = frames
        self._sequence = random.getrandbits(15)
        self._count = 0
        self._next_s = random.random() / _FPS  # nobody's camera waits for the others'
        codec, rate = ("opus", 48_000) if self.is_audio else ("vp8", 90_000)
        source = "microphone" if self.is_audio else "camera"
        self.opening = encode(
            Open(number, f"pub_{number}", f"p_{number % 100}", kind, source, codec, rate, number, "x", {})
        )
        self._every_s = _SOUND_S if self.is_audio else 1 / _FPS
        self._ticks = round(rate * self._every_s)

    def due(self, now_s: float) -> list[bytes]:
        """Packets up to now, as frames of the tap."""
        written: list[bytes] = []
        while self._next_s <= now_s:
            data = self._frames[self._count % len(self._frames)]
            timestamp = self._count * self._ticks & 0xFFFFFFFF
            chunks = [data[at : at + _PACKET] for at in range(0, len(data), _PACKET)]
            for place, chunk in enumerate(chunks):
                self._sequence = self._sequence + 1 & 0xFFFF
                marker = 0x80 if place == len(chunks) - 1 else 0
                head = struct.pack("!BBHII", 0x80, marker | 96, self._sequence, timestamp, self._number)
                descriptor = b"" if self.is_audio else bytes((0x10 if place == 0 else 0x00,))
                packet = head + descriptor + chunk
                written.append(encode_packet(self._number, time.monotonic_ns() // 1000, packet))
            self._count += 1
            self._next_s += self._every_s
        return written


def cameras(count: int, bitrate_bps: int) -> list[Track]:
    """Coded noise of that rate."""
    options = {"deadline": "realtime", "g": "300", "b": str(bitrate_bps)}
    frames = [each.data for each in pictures("libvpx", 60, 640, 360, options)]
    wanted = bitrate_bps // 8 // _FPS
    # A still picture needs less than its rate; bytes behind its last partition change nothing for who only keeps it.
    filled = [data + bytes(max(0, wanted - len(data))) for data in frames]
    return [Track(number, "video", filled) for number in range(1, count + 1)]


def microphones(count: int) -> list[Track]:
    packets = sounds(100)
    return [Track(100 + number, "audio", packets) for number in range(1, count + 1)]


async def run(tracks: list[Track], seconds: float) -> dict[str, float]:
    """One worker for so long."""
    with tempfile.TemporaryDirectory(prefix="rec-") as directory:
        life = Path(directory) / "1"
        life.mkdir()
        path = Path(directory) / "t.sock"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "recording.worker", str(path), str(life), "c", "0",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdin is not None
        while json.loads(await process.stdout.readline())["fact"] != "ready":
            pass
        _, writer = await asyncio.open_unix_connection(path)
        began_s = time.monotonic()
        writer.write(encode(Clock(int(began_s * 1e6), 0)) + b"".join(track.opening for track in tracks))
        sent = 0
        cpu = began_at_s = 0.0
        while (now_s := time.monotonic() - began_s) < _WARM_UP_S + seconds:
            block = b"".join(packet for track in tracks for packet in track.due(now_s))
            writer.write(block)
            if began_at_s:
                sent += len(block)
            elif now_s >= _WARM_UP_S:
                cpu, began_at_s = cpu_s(process.pid), now_s
            await asyncio.sleep(0.01)
        took_s = now_s - began_at_s
        cpu = cpu_s(process.pid) - cpu
        writer.close()
        process.stdin.write(b"end\n")
        facts = [json.loads(line) for line in (await process.stdout.read()).splitlines()]
        await process.wait()
        closed = [fact for fact in facts if fact["fact"] == "closed"]
        assert len(closed) == len(tracks), facts
        return {
            "tracks": len(tracks),
            "mbit_s": round(sent * 8 / took_s / 1e6, 2),
            "core": round(cpu / took_s, 4),
            "packets_lost": sum(fact["packets_lost"] for fact in closed),
            "frames": sum(fact["frames"] for fact in closed),
        }


def main() -> None:
    """A JSON line for each run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recording", description=__doc__)
    parser.add_argument("--participants", type=int, default=10)
    parser.add_argument("--bitrate", type=int, default=500_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    for _ in range(options.repeat):
        for with_sound in (False, True):
            tracks = cameras(options.participants, options.bitrate)
            tracks += microphones(options.participants) if with_sound else []
            print(json.dumps(asyncio.run(run(tracks, options.seconds))), flush=True)


if __name__ == "__main__":
    main()
