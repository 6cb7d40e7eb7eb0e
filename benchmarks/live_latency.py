"""Whether composing slows the room: `python -m benchmarks.live_latency [--of program] [--repeat 3] [--seconds 20]`.

A live consultation with six halls, each with a real picture of 640x360 and sound, recorded. Beside them one sends
stamped packets to five others, who see how late these come: with a program that shows the six in a grid, and without
one, in turns. Halls and measuring clients are processes of this machine, too. `--of captions`: the program is there in
both; people talk in three of the halls, and what they say is recognised or not (Vosk, the small model of the tests).
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks.ours import Ours
from benchmarks.report import append, json_line
from benchmarks.scenario import Load, Result, Scenario, run
from benchmarks.transcription import talk
from tests.support.eventually import eventually_sync
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.media import ROOT, opus_packets, speech_wav, vp8_clip, write_wav
from tests.support.server import Server
from tests.support.speech_model import fetched

HALLS = 6
SPEAKING = 3
TALK_S = 60.0
SIZE, FPS, BITRATE_BPS = (640, 360), 25, 500_000
SCENARIO = Scenario("1x5 beside 6 halls", subscribers=5)
LIMIT_MS = 1.0


class Meeting(Ours):
    """Our server with a live consultation of six halls."""

    def __init__(self, of: str, *, is_on: bool) -> None:
        super().__init__()
        self.name = f"with {of}" if is_on else "without"
        self._programs = is_on or of != "program"
        self._captions = is_on and of == "captions"
        self._halls: subprocess.Popen[str] | None = None

    def start(self) -> None:
        model = ["--speech-model", str(fetched())] if self._captions else []
        self.server = server = Server(programs=self._programs, arguments=model).start()
        self._consultation = server.create_consultation("bench")
        self._token = server.token(self._consultation, "chair", "bench")
        tokens = [
            server.token(self._consultation, "venue_operator", f"会场{n}", venue=f"会场{n}")
            for n in range(HALLS)
        ]
        command = [
            sys.executable,
            "-m",
            "benchmarks.live_latency",
            "--halls",
            server.url,
            self._token,
            *tokens,
        ]
        self._halls = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self._until("sending")
        start = urllib.request.Request(
            f"{server.url}/api/v1/consultations/{self._consultation}/start",
            method="POST",
            headers={"Authorization": f"Bearer {self._token}"},
        )
        urllib.request.urlopen(start, timeout=10).close()
        if self._programs:
            eventually_sync(
                lambda: server.metrics().value("yuanshang_programs", state="on"), timeout_s=40, what="program"
            )
            self._say("direct")
            self._until("directed")
        if self._captions:
            eventually_sync(self.finals, timeout_s=60, what="the first words")
        time.sleep(3)

    def _say(self, word: str) -> None:
        assert self._halls is not None
        assert self._halls.stdin is not None
        print(word, file=self._halls.stdin, flush=True)

    def _until(self, word: str) -> None:
        assert self._halls is not None
        assert self._halls.stdout is not None
        while (line := self._halls.stdout.readline().strip()) != word:
            if not line:
                raise RuntimeError("the halls ended")

    def stop(self) -> None:
        if self._halls is not None:
            self._say("end")
            self._halls.wait(20)
            self._halls = None
        super().stop()

    def finals(self) -> int:
        """Segments of the transcript."""
        assert self.server is not None
        url = f"{self.server.url}/api/v1/consultations/{self._consultation}/transcript?limit=500"
        asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {self._token}"})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return len(json.load(answer)["items"])

    def fps(self) -> float:
        """Pictures a second of the program."""
        assert self.server is not None
        return self.server.metrics().value("yuanshang_program_fps", consultation=self._consultation)


def _talk(number: int) -> list[bytes]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "talk.wav"
        write_wav(path, talk(number, TALK_S)[0])
        return opus_packets(path)


def _quiet(_number: int) -> list[bytes]:
    return opus_packets(speech_wav())


async def halls(url: str, chair_token: str, tokens: list[str]) -> None:
    """Six who send until they are told to end, people in three of them; the chair directs when told to."""
    people: list[RoomClient] = []
    for number, token in enumerate(tokens):
        sound = await asyncio.to_thread(_talk if number < SPEAKING else _quiet, number)
        hall = RoomClient(url, token, receive=False)
        await hall.connect()
        picture = VideoSource(fps=FPS, frames=vp8_clip(number, SIZE, FPS, 100, BITRATE_BPS))
        await hall.publish([AudioSource(packets=sound, level_db=30), picture], names=["microphone", "camera"])
        people.append(hall)
    chair = RoomClient(url, chair_token, receive=False)
    await chair.connect()
    print("sending", flush=True)
    while (word := (await asyncio.to_thread(sys.stdin.readline)).strip()) not in ("end", ""):
        if word == "direct":
            ids = [each.participant_id for each in people]
            await chair.request("program.direct", {"mode": "manual", "layout": "grid", "people": ids})
            print("directed", flush=True)
    for each in (*people, chair):
        await each.close()


def measure(of: str, seconds: float, *, is_on: bool) -> tuple[Result, float]:
    """One run, and what it did meanwhile: pictures a second of the program, or segments of the transcript."""
    meeting = Meeting(of, is_on=is_on)
    try:
        meeting.start()
        result = asyncio.run(run(meeting, SCENARIO, Load(seconds=seconds)))
        if not is_on:
            return result, 0.0
        return result, meeting.fps() if of == "program" else meeting.finals()
    finally:
        meeting.stop()


def main() -> None:
    """Measure in turns, print JSON lines and a table."""
    if sys.argv[1:2] == ["--halls"]:
        asyncio.run(halls(sys.argv[2], sys.argv[3], sys.argv[4:]))
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_latency", description=__doc__)
    parser.add_argument("--of", choices=("program", "captions"), default="program")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    results: dict[bool, list[Result]] = {False: [], True: []}
    for _ in range(options.repeat):
        for is_on in (False, True):
            result, done = measure(options.of, options.seconds, is_on=is_on)
            results[is_on].append(result)
            line = {**dataclasses.asdict(result), "fps" if options.of == "program" else "segments": done}
            print(json.dumps(line), flush=True)
            append(ROOT / "build/live_latency.jsonl", [json_line(result)])
    print(
        "\n| | p50 ms | p95 ms | p99 ms | media µs/packet | others' CPU % |\n| --- | --- | --- | --- | --- | --- |"
    )
    for runs in results.values():
        row = [
            statistics.median(getattr(each, name) for each in runs)
            for name in ("p50_ms", "p95_ms", "p99_ms", "media_us_per_packet", "other_cpu_percent")
        ]
        print(f"| {runs[0].target} | " + " | ".join(f"{value:g}" for value in row) + " |")
    rise_ms = statistics.median(
        after.p99_ms - before.p99_ms for before, after in zip(results[False], results[True], strict=True)
    )
    print(f"\np99 rises by {rise_ms:.2f} ms (wanted: less than {LIMIT_MS:g})")


if __name__ == "__main__":
    main()
