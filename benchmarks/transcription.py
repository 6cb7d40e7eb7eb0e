"""`python -m benchmarks.transcription`: how many voices one worker follows, how late, and at what cost.

Real Vosk with the small Korean model of the tests and its whole vocabulary; recordings of people speak, each over and
over with a pause. Finals count from the end of the last word to the line on standard output, so that the second of
silence that ends an utterance is in it. `skipped` is the share of the voices that was left to the recording.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles

import numpy as np

from conference.worker_events import Heard, TranscriberLoad, TranscriberModel
from tests.support.process import cpu_ticks_s, rss_bytes
from tests.support.speech_model import CLIPS, clip, fetched
from tests.support.tap_feeder import Source, TapFeeder
from tests.support.transcriber_process import Samples, TranscriberProcess, leveled, microphone, silence
from transcription.models import size_bytes

PAUSE_S = 1.6
WARM_S = 6.0


@dataclass(frozen=True)
class Figures:
    """One run."""

    speakers: int
    streams: int
    seconds: float
    finals: int
    final_median_ms: int
    final_p95_ms: int
    lag_max_ms: int
    skipped: float
    core: float
    rss_mb: int


def talk(speaker: int, seconds: float) -> tuple[Samples, float]:
    """Sound of so many seconds, and how much of it is voice."""
    chosen = random.Random(speaker)
    names = sorted(str(each.relative_to(CLIPS)) for each in CLIPS.rglob("librivox/*.wav"))
    sound, length_s, voice_s = [silence(0.3 * speaker)], 0.3 * speaker, 0.0
    while length_s < seconds:
        sound += [part := leveled(clip(chosen.choice(names))), silence(PAUSE_S)]
        voice_s += len(part) / 48_000
        length_s += len(part) / 48_000 + PAUSE_S
    return np.concatenate(sound), voice_s


def run(model: Path, speakers: int, streams: int, seconds: float) -> Figures:
    """Everybody talks for so long."""
    with tempfile.TemporaryDirectory() as directory:
        worker = TranscriberProcess(Path(directory), model=model, engine=None, streams=streams)
        try:
            worker.wait(TranscriberModel)
            feeder = TapFeeder(worker.listen(), 0)
            time.sleep(WARM_S)
            pid = worker.process.pid
            told, spent_s, began_s = len(worker.events), sum(cpu_ticks_s([pid])), time.monotonic()
            sources, voice_s = [], 0.0
            for number in range(1, speakers + 1):
                sound, voiced_s = talk(number, seconds)
                voice_s += voiced_s
                sources.append(microphone(number, sound))
            feeder.add(*sources)
            late_ms = _watch(worker, feeder, sources, told)
            core = (sum(cpu_ticks_s([pid])) - spent_s) / (time.monotonic() - began_s)
            loads = [each for each in worker.events[told:] if isinstance(each, TranscriberLoad)]
            skipped_ms = sum(
                after.from_ms - before.to_ms
                for number in range(1, speakers + 1)
                for before, after in itertools.pairwise(worker.heard(f"p{number}"))
            )
            rss_mb = rss_bytes([pid]) >> 20
            feeder.close()
        finally:
            worker.close()
    cuts = quantiles(late_ms, n=100) if len(late_ms) > 1 else [0.0] * 99
    return Figures(
        speakers, streams, seconds, len(late_ms), round(cuts[49]), round(cuts[94]),
        max(each.lag_ms for each in loads), round(skipped_ms / 1000 / voice_s, 3), round(core, 3), rss_mb,
    )  # fmt: skip


def _watch(worker: TranscriberProcess, feeder: TapFeeder, sources: list[Source], at: int) -> list[float]:
    """Until all was sent: how late each final was, in ms."""
    late_ms: list[float] = []
    longest = max(len(each.frames) for each in sources)
    rest = threading.Event()
    while any(each.sent < longest for each in sources):
        rest.wait(0.01)
        now_ms = feeder.program_time_ms(time.monotonic_ns() // 1000)
        for event in worker.events[at:]:
            at += 1
            if isinstance(event, Heard):
                late_ms += [now_ms - each.to_ms for each in event.utterances]
    return late_ms


def main() -> None:
    """Prints a JSON line a run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transcription", description=__doc__)
    parser.add_argument("--speakers", default="1,3,4,8")
    parser.add_argument("--streams", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--model", type=Path, help="another model's folder")
    given = parser.parse_args()
    model = given.model or fetched()
    print(json.dumps({"model": model.name, "mb": size_bytes(model) >> 20}), flush=True)
    for speakers in map(int, given.speakers.split(",")):
        print(json.dumps(asdict(run(model, speakers, given.streams, given.seconds))), flush=True)


if __name__ == "__main__":
    main()
