"""The real transcription worker as a process: told orders, its events collected, ended, killed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from conference.worker_events import Heard, TranscriberEvent, TranscriberReady, Utterance
from tests.support.eventually import eventually_sync
from tests.support.media import ROOT, SAMPLE_RATE, opus_packets, write_wav
from tests.support.scripted_recognizer import FACTORY
from tests.support.tap_feeder import Source
from transcription import wire

E = TypeVar("E")
Samples = npt.NDArray[np.int16]


class TranscriberProcess:
    """`close` in the end; `events` grows while it runs. Scripted, unless a model is given without an engine."""

    def __init__(
        self, recordings: Path, *, model: Path | None = None, engine: str | None = FACTORY, **options: Any
    ):
        self._sockets = tempfile.TemporaryDirectory(prefix="text-")  # short: a socket's path has 107 bytes
        self.events: list[TranscriberEvent | wire.Released] = []
        whole = wire.Options(str(recordings), None if model is None else str(model), engine, **options)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "transcription.worker", msgspec.json.encode(whole).decode()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,  # it makes its whole session nicer, which the test is not to be
        )  # fmt: skip
        self.errors = ""
        self._readers = [threading.Thread(target=run, daemon=True) for run in (self._read, self._read_errors)]
        for each in self._readers:
            each.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append(wire.event_of(line))

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors += line.decode(errors="replace")

    def tell(self, *orders: wire.AnyOrder) -> None:
        """Lines on its standard input."""
        assert self.process.stdin is not None
        for each in orders:
            self.process.stdin.write(wire.order_line(each))
        self.process.stdin.flush()

    def listen(self, consultation_id: str = "c_1") -> str:
        """The socket at which it waits for the tap of this room."""
        path = f"{self._sockets.name}/{len(self.of(TranscriberReady))}"
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

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for each in self._readers:
            each.join()

    def close(self) -> None:
        """Idempotent."""
        if self.process.poll() is None:
            self.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()
        self._sockets.cleanup()


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
