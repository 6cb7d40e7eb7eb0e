"""`python -m benchmarks.hot_path --against COMMIT`: what a packet costs in a stream, beside another commit.

No sockets: packets go through `IncomingStream.receive`, which everything that stands beside forwarding (taps,
statistics, gates) is part of. Both commits run in turns, and the fastest of their turns count: what else the machine
does only adds.
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
_PACKETS = 1 << 16
_SIZE = 900
_FASTEST = 5  # turns of which the median counts


def measure(taps: int) -> float:
    """Nanoseconds of CPU for each packet of a picture that so many taps take and nobody receives."""
    from conference.rtc.sdp import Codec
    from conference.sfu.counters import Counters
    from conference.sfu.stream import IncomingStream

    stream = IncomingStream(
        ssrc=7, is_audio=False, codecs={96: Codec(96, "VP8", 90000, 1)}, extension_ids={}, record_arrival=None,
        observe_level=None, send_rtcp=lambda _: None, counters=Counters(),
    )  # fmt: skip
    if taps:
        _tap(stream, taps)
    packets = [
        struct.pack("!BBHII", 0x80, 96, number, number, 7) + bytes(_SIZE) for number in range(_PACKETS)
    ]
    receive = stream.receive
    began = time.process_time_ns()
    for number, packet in enumerate(packets):
        receive(packet, number / 1000)
    return (time.process_time_ns() - began) / _PACKETS


def _tap(stream: object, taps: int) -> None:
    from conference.sfu.counters import Counters
    from conference.sfu.publication import Publication
    from conference.sfu.stream import IncomingStream
    from conference.sfu.tap import Tap

    class Nowhere:
        limit = 1 << 30
        pending = 0

        def write(self, data: bytes) -> None:
            """Taken at once."""

        def close(self) -> None:
            """Nothing waits."""

    assert isinstance(stream, IncomingStream)
    publication = Publication("x", "p", "video", "camera", "", is_open=True)
    publication.set_stream(stream)
    for _ in range(taps):
        tap = Tap(Nowhere(), Counters(), program_time_ms=0, at_s=0.0, now=0.0)
        publication.add_tap(tap.open(publication), 0.0)


def _turn(tree: Path, taps: int) -> float:
    """In a process of its own, with the packages of that tree."""
    environment = {**os.environ, "PYTHONPATH": f"{tree}:{ROOT}", "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "benchmarks.hot_path", "--measure", str(taps)]
    done = subprocess.run(command, env=environment, cwd=tree, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout))


def _fast(turns: list[float]) -> float:
    return median(sorted(turns)[:_FASTEST])


def main() -> None:
    """Take turns and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hot_path", description=__doc__)
    parser.add_argument("--against", default="HEAD", help="the commit to compare with")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        print(json.dumps(measure(options.measure)))
        return
    with tempfile.TemporaryDirectory(prefix="hot-path-") as directory:
        other = Path(directory)
        archive = subprocess.run(
            ["git", "archive", options.against, "conference"], cwd=ROOT, check=True, capture_output=True
        ).stdout
        subprocess.run(["tar", "x", "-C", directory], input=archive, check=True)
        turns: dict[str, list[float]] = {"before": [], "untapped": [], "one tap": [], "two taps": []}
        for _ in range(options.rounds):
            turns["before"].append(_turn(other, 0))
            turns["untapped"].append(_turn(ROOT, 0))
            turns["one tap"].append(_turn(ROOT, 1))
            turns["two taps"].append(_turn(ROOT, 2))
    base = _fast(turns["before"])
    for name, measured in turns.items():
        label = f"{options.against}, untapped" if name == "before" else name
        print(f"{label:>24}: {_fast(measured):7.0f} ns a packet, {_fast(measured) / base:.3f}")


if __name__ == "__main__":
    main()
