"""The real transcription worker as a process: told orders, its events collected, ended, killed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from conference.worker_events import Heard, TranscriberEvent, TranscriberReady, Utterance
from tests.support.eventually import eventually_sync
from tests.support.media import SAMPLE_RATE, opus_packets, write_wav
from tests.support.scripted_recognizer import FACTORY
from tests.support.tap_feeder import Source
from tests.support.worker_process import WorkerProcess
from transcription import wire

E = TypeVar("E")
Samples = npt.NDArray[np.int16]


class TranscriberProcess(WorkerProcess):
    """`close` in the end; `events` grows while it runs. Scripted, unless a model is given without an engine."""

    def __init__(
        self, recordings: Path, *, model: Path | None = None, engine: str | None = FACTORY, **options: Any
    ):
        super().__init__("text-")
        self.events: list[TranscriberEvent | wire.Released] = []
        whole = wire.Options(str(recordings), None if model is None else str(model), engine, **options)
        self.start("transcription.worker", msgspec.json.encode(whole).decode())

    def said(self, line: bytes) -> None:
        self.events.append(wire.event_of(line))

    def tell(self, *orders: wire.AnyOrder) -> None:
        """Lines on its standard input."""
        self.write(b"".join(wire.order_line(each) for each in orders))

    def listen(self, consultation_id: str = "c_1") -> str:
        """The socket at which it waits for the tap of this room."""
        path = f"{self.sockets}/{len(self.of(TranscriberReady))}"
        self.tell(wire.Begin(consultation_id, path))
        self.wait(TranscriberReady, lambda found: any(each.socket_path == path for each in found))
        return path

    def of(self, kind: type[E]) -> list[E]:
        return [each for each in list(self.events) if isinstance(each, kind)]

    def heard(self, participant_id: str | None = None) -> list[Heard]:
        return [each for each in self.of(Heard) if participant_id in (None, each.participant_id)]

    def utterances(self, participant_id: str | None = None) -> list[Utterance]:
        return [one for each in self.heard(participant_id) for one in each.utterances]

    def wait(
        self, kind: type[E], until: Callable[[list[E]], object] = bool, timeout_s: float = 60
    ) -> list[E]:
        """Until its events of this kind are such."""
        return eventually_sync(
            lambda: self.of(kind),
            lambda found: until(found) or self.process.poll() is not None,
            timeout_s=timeout_s,
            what=f"{kind.__name__}; {self.errors[-2000:]}",
        )

    def wait_said(
        self, count: int, participant_id: str | None = None, timeout_s: float = 60
    ) -> list[Utterance]:
        """So many utterances."""
        self.wait(Heard, lambda _: len(self.utterances(participant_id)) >= count, timeout_s)
        return self.utterances(participant_id)

    def wait_heard(self, participant_id: str, to_ms: float, timeout_s: float = 60) -> None:
        """Until all of this participant was dealt with up to then, in program time."""
        self.wait(Heard, lambda _: any(each.to_ms >= to_ms for each in self.heard(participant_id)), timeout_s)


def microphone(number: int, *sounds: Samples, source: str = "microphone") -> Source:
    """A track of participant `p{number}` that sends this once, 48 kHz mono, and then no more packets."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "sound.wav"
        write_wav(path, np.concatenate(sounds))
        packets = opus_packets(path)
    return Source(
        number, f"p{number}", source, "opus", packets, 50,
        mangle=lambda sent, made: made if sent < len(packets) else [],
    )  # fmt: skip


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


def noise(seconds: float, level: float = 2_000) -> Samples:
    """The same each time."""
    return np.random.default_rng(7).normal(0, level, round(seconds * SAMPLE_RATE)).astype(np.int16)


def leveled(samples: Samples, peak: int = 16_000) -> Samples:
    """As loud as that."""
    return np.asarray(samples.astype(np.float32) * peak / max(1, int(np.abs(samples).max())), np.int16)
