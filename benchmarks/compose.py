"""What composing one picture of the program costs, by layout: the figures stand in docs/benchmarks.md.

python -m benchmarks.compose [SECONDS]

Each tile gets a new picture every tick (25 a second of meeting), scaled from 640x360 (1280x720 where it is large). No
decoding and no encoding: those are the worker's.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Final

from recording.program.compositor import Compositor, Key, Picture
from tests.support.program_pictures import EXAMPLES, QUIET, TIME_MS, WALL_MS, Example, coded, pictures_of

LAYOUTS: Final = (
    "speaker", "speaker-captions", "speaker-portrait", "comment", "side", "strip", "grid-4", "grid-6", "grid-9",
    "screen-captions", "title",
)  # fmt: skip
TICK_MS: Final = 40


def measure(example: Example, seconds: float) -> list[float]:
    """Milliseconds of processor time for each picture of so many seconds of meeting."""
    compositor = Compositor()
    keys = example.tracks()
    levels = {person.id: QUIET for person in example.scene.people} | dict(example.levels)
    ticks = round(seconds * 25)
    plan = compositor.choose(example.scene, keys, levels, 0.0)
    for tick in range(50):
        plan = compositor.choose(example.scene, keys, levels, tick / 25)
    stills: list[dict[Key, Picture | None]] = [pictures_of(example, frame) for frame in range(4)]
    order = [person.id for person in example.scene.people]
    for frame, pictures in enumerate(stills):  # a large tile is sent a large layer
        for (person, source), (width, _) in plan.wanted.items():
            if source == "camera" and width > 700 and person not in example.sizes:
                pictures[person, source] = Picture(coded(order.index(person), (1280, 720), frame), frame)
    cost = []
    for tick in range(ticks + 25):
        shown = {
            key: picture and Picture(picture.frame, tick, picture.rotation)
            for key, picture in stills[tick % len(stills)].items()
        }
        before = time.process_time()
        plan = compositor.choose(example.scene, keys, levels, 2 + tick / 25)
        compositor.compose(plan, example.scene, shown, TIME_MS + tick * TICK_MS, WALL_MS + tick * TICK_MS)
        cost.append((time.process_time() - before) * 1000)
    return cost[25:]


def main() -> None:
    """A table: mean, median and 99th percentile of a picture, and cores for 25 pictures a second."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    print(
        "| layout | tiles | mean ms | median | p99 | core at 25 fps |\n| --- | --- | --- | --- | --- | --- |"
    )
    for name in LAYOUTS:
        example = EXAMPLES[name]
        tiles = len(Compositor().choose(example.scene, example.tracks(), {}, 0.0).wanted)
        cost = sorted(measure(example, seconds))
        mean, median = statistics.fmean(cost), statistics.median(cost)
        p99 = cost[min(len(cost) - 1, len(cost) * 99 // 100)]
        print(f"| {name} | {tiles} | {mean:.2f} | {median:.2f} | {p99:.2f} | {mean * 0.025:.3f} |")


if __name__ == "__main__":
    main()
