"""`python -m benchmarks.hot_path --against COMMIT`: what a packet costs in a stream, beside another commit.

No sockets: packets go through `IncomingStream.receive`, which everything that stands beside forwarding (taps,
statistics, gates) is part of. Both commits run in turns, and the fastest of their turns count: what else the machine
does only adds. `--receivers 30` measures the fan-out instead, from the packet to the batch, for one receiver of so
many, with and without numbers over the whole transport, with pictures numbered for each, and what their feedback costs.
"""

import argparse
import inspect
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from types import SimpleNamespace

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


class _Nothing:
    """A batch that is sent nowhere."""

    def __init__(self) -> None:
        from conference.net.batch import SendBatch

        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        kept = self._kept = SendBatch(self.socket)
        self.view, self.offsets, self.pointers = kept.view, kept.offsets, kept.pointers
        self.lengths, self.names = kept.lengths, kept.names
        self.count = self.sent_bytes = 0

    def flush(self) -> None:
        self.count = 0


def fan_out(receivers: int, *, numbered: bool, in_lane: bool = False) -> float:
    """Nanoseconds of CPU for each packet that leaves, protected, to one of so many receivers."""
    import pylibsrtp

    from conference.sfu import router

    policy = pylibsrtp.Policy(
        key=bytes(44), ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND,
        srtp_profile=pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    )  # fmt: skip
    policy.allow_repeat_tx = True
    group = router.Group(router.Shape(96, **({"transport_cc_id": 5} if numbered else {})), _Nothing())
    sessions = [pylibsrtp.Session(policy) for _ in range(receivers)]
    for number, session in enumerate(sessions):
        member = SimpleNamespace(
            sequence_offset=number, timestamp_offset=number, ssrc=1000 + number, name=0, protect_errors=0,
            handle=session._srtp[0], picture_offset=number, tl0_offset=number,
        )  # fmt: skip
        if numbered:
            from conference.rtc.bandwidth import SendHistory

            member.history = SendHistory()
        group.members.append(member)  # type: ignore[arg-type]
    payload = bytes(_SIZE)
    if in_lane:
        from conference.rtc.layer_selector import MAX_TEMPORAL
        from conference.sfu.lane import Lane

        group.lane = Lane(None, MAX_TEMPORAL)  # type: ignore[arg-type]
        payload = b"\x90\xe0\x80\x01\x01\x20" + bytes(_SIZE - 6)
    timed = (0.0,) if "now" in inspect.signature(router.forward).parameters else ()
    rounds = _PACKETS // receivers
    packets = [
        struct.pack("!BBHII", 0x80, 96, number & 0xFFFF, number, 7) + payload for number in range(rounds)
    ]
    began = time.process_time_ns()
    for number, packet in enumerate(packets):
        router.forward([group], packet, number & 0xFFFF, number, 12, len(packet), -1, -1, *timed)
    return (time.process_time_ns() - began) / (rounds * receivers)


def feedback() -> float:
    """Nanoseconds of CPU for each packet that a receiver tells of, ten times a second, 200 packets a second."""
    from conference.rtc import rtcp
    from conference.rtc.bandwidth import Estimator
    from conference.rtc.transport_cc import TransportCcRecorder

    estimator, recorder = Estimator(), TransportCcRecorder()
    spent = 0
    for number in range(_PACKETS):
        now = number / 200
        recorder.record(estimator.history.add((now, _SIZE, 0)), now + 0.03)
        if number % 20 == 19:
            compounds = recorder.build(1, 2)
            began = time.process_time_ns()
            for compound in compounds:
                for packet in rtcp.walk(compound):
                    estimator.on_feedback(packet, now + 0.06)  # type: ignore[arg-type]
            spent += time.process_time_ns() - began
    return spent / _PACKETS


def _measure(what: str) -> float:
    name, _, count = what.partition(":")
    if name == "taps":
        return measure(int(count))
    if name == "feedback":
        return feedback()
    return fan_out(int(count), numbered=name in ("numbered", "lane"), in_lane=name == "lane")


def _turn(tree: Path, what: str) -> float:
    """In a process of its own, with the packages of that tree."""
    environment = {**os.environ, "PYTHONPATH": f"{tree}:{ROOT}", "PYTHONHASHSEED": "0"}
    command = [sys.executable, str(ROOT / "benchmarks" / "hot_path.py"), "--measure", what]
    done = subprocess.run(command, env=environment, cwd=tree, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout))


def _fast(turns: list[float]) -> float:
    return median(sorted(turns)[:_FASTEST])


def main() -> None:
    """Take turns and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hot_path", description=__doc__)
    parser.add_argument("--against", default="HEAD", help="the commit to compare with")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--receivers", type=int, default=0, help="measure the fan-out to so many")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        print(json.dumps(_measure(options.measure)))
        return
    count = options.receivers
    if count:
        before = f"plain:{count}"
        named = {f"to {count}": before, "numbered": f"numbered:{count}"}
        named |= {"in a lane": f"lane:{count}", "their feedback": "feedback"}
    else:
        before = "taps:0"
        named = {"untapped": before, "one tap": "taps:1", "two taps": "taps:2"}
    with tempfile.TemporaryDirectory(prefix="hot-path-") as directory:
        other = Path(directory)
        archive = subprocess.run(
            ["git", "archive", options.against, "conference"], cwd=ROOT, check=True, capture_output=True
        ).stdout
        subprocess.run(["tar", "x", "-C", directory], input=archive, check=True)
        turns: dict[str, list[float]] = {"before": [], **{name: [] for name in named}}
        for _ in range(options.rounds):
            turns["before"].append(_turn(other, before))
            for name, what in named.items():
                turns[name].append(_turn(ROOT, what))
    base = _fast(turns["before"])
    for name, measured in turns.items():
        label = f"{options.against}, as it was" if name == "before" else name
        print(f"{label:>24}: {_fast(measured):7.0f} ns a packet, {_fast(measured) / base:.3f}")


if __name__ == "__main__":
    main()
