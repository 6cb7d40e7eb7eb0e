"""What the program costs: `python -m benchmarks.program [--seconds 20] [--renditions 720p]`.

The real worker process, fed over its socket with real VP8 and Opus of each participant. Core-seconds for each second
of the program, of the whole process: reading, decoding, composing, coding, writing. The limits are the product's for
one rendition; all three are measured, too.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.support import process
from tests.support.media import opus_packets, speech_wav, vp8_clip
from tests.support.program_process import ProgramProcess, person, scene
from tests.support.tap_feeder import Source, TapFeeder

SIZE = (640, 360)
FPS = 25
# layout: tracks fed, people shown, limit in cores with one rendition
LAYOUTS: dict[str, tuple[int, int, float | None]] = {
    "speaker": (1, 1, 0.4),
    "speaker of 20": (20, 1, None),
    "side": (2, 2, None),
    "strip": (6, 6, None),
    "grid": (6, 6, 0.7),
    "grid of 9": (9, 9, None),
}


@dataclass(frozen=True)
class Cost:
    """One run."""

    layout: str
    tracks: int
    renditions: str
    cores: float
    pictures_per_s: float
    late: int
    rss_mb: float
    machine_busy: float
    limit: float | None


def measure(layout: str, renditions: list[str], seconds: float) -> Cost:
    """Start a worker, feed it, let it settle for 4 s and measure."""
    tracks, shown, limit = LAYOUTS[layout]
    sound = opus_packets(speech_wav())
    clips = [vp8_clip(number, SIZE, FPS, 100, 500_000) for number in range(min(tracks, 9))]
    with tempfile.TemporaryDirectory() as directory:
        worker = ProgramProcess(Path(directory) / "c", renditions=renditions)
        try:
            worker.wait("ready")
            feeder = TapFeeder(worker.tap_path, 10_000)
            sources = []
            for number in range(tracks):
                clip = clips[number % len(clips)]
                sources.append(Source(2 * number + 1, f"p{number}", "camera", "vp8", clip, FPS))
                sources.append(Source(2 * number + 2, f"p{number}", "microphone", "opus", sound, 50))
            feeder.add(*sources)
            people = [person(f"p{number}") for number in range(tracks)]
            direction: dict[str, Any] = {
                "mode": "manual",
                "layout": layout.partition(" ")[0],
                "people": [f"p{number}" for number in range(shown)],
            }
            worker.show(scene(*people, direction=direction))
            worker.wait("layout", name=direction["layout"])
            time.sleep(4)
            pid = worker.process.pid
            began_s, cpu_s, busy_s = time.monotonic(), process.cpu_s([pid]), process.machine_busy_s()
            told = len(worker.named("load"))
            time.sleep(seconds)
            passed_s = time.monotonic() - began_s
            used_s = process.cpu_s([pid]) - cpu_s
            busy = (process.machine_busy_s() - busy_s) / passed_s
            rss = process.rss_bytes([pid]) / 1e6
            loads = worker.named("load")[told:]
            worker.end()
            feeder.close()
        finally:
            worker.close()
    pictures = sum(each["fps"] for each in loads) / max(1, len(loads))
    late = sum(each["late_frames"] for each in loads)
    own = limit if renditions == ["720p"] else None
    return Cost(
        layout, tracks, "+".join(renditions), round(used_s / passed_s, 3), round(pictures, 1), late,
        round(rss), round(busy, 2), own,
    )  # fmt: skip


def main() -> None:
    """Measure what was asked for, print JSON lines and a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.program", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--layouts", default=",".join(LAYOUTS))
    parser.add_argument("--renditions", default="720p;720p,360p,audio", help="sets, separated by semicolons")
    options = parser.parse_args()
    costs = []
    for renditions in options.renditions.split(";"):
        for layout in options.layouts.split(","):
            costs.append(measure(layout, renditions.split(","), options.seconds))
            print(json.dumps(asdict(costs[-1])), flush=True)
    print("\n| layout | tracks | renditions | cores | limit | pictures/s | late | RSS MB | machine busy |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for each in costs:
        limit = "" if each.limit is None else f"{each.limit:g}"
        print(
            f"| {each.layout} | {each.tracks} | {each.renditions} | {each.cores:.2f} | {limit} "
            f"| {each.pictures_per_s:g} | {each.late} | {each.rss_mb:g} | {each.machine_busy:.1f} |"
        )


if __name__ == "__main__":
    main()
