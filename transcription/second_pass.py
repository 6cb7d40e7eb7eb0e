"""The process of the second pass: passages of recorded tracks in, better texts out.
`python -m transcription.second_pass OPTIONS`

OPTIONS is wire.SecondPassOptions. One line of JSON each: first what was found of the model (TranscriberModel) on
standard output; then a Passage on standard input and its Reheard on standard output, one after the other. It ends with
its standard input, and yields to everything else on the machine.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import Final

import av
import msgspec
import numpy as np

from conference.model.transcript import Word
from conference.worker_events import Passage, Reheard, TranscriberModel
from transcription.files import packets_of
from transcription.recognizer import SAMPLES_PER_MS, EngineError
from transcription.second_engines import Said, SecondEngine, load
from transcription.sound import Ear
from transcription.wire import SecondPassOptions

EXIT_TROUBLE: Final = 4
MOST_MS: Final = 600_000  # of one passage: joined segments may be long
_LEAD_MS: Final = 200  # the decoder finds its feet
_NICE: Final = 19


def sound_of(passage: Passage, recordings: Path) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """The passage from its files; silence where nothing was recorded. Raises av.FFmpegError, OSError."""
    whole = np.zeros(max(0, passage.to_ms - passage.from_ms) * SAMPLES_PER_MS, np.float32)
    for file in passage.files:
        ear = Ear()
        from_ms = passage.from_ms - _LEAD_MS
        for data, at_ms in packets_of(recordings / file.path, file.started_at_ms, from_ms):
            if at_ms >= passage.to_ms:
                break
            for frame in ear.push(data, at_ms):
                samples = np.frombuffer(frame.pcm, np.int16)
                first = round((frame.at_ms - passage.from_ms) * SAMPLES_PER_MS)
                begin, end = max(first, 0), min(first + len(samples), len(whole))
                if begin < end:
                    whole[begin:end] = samples[begin - first : end - first] / np.float32(32768)
    for silent_from_ms, silent_to_ms in passage.silent:
        begin, end = ((each - passage.from_ms) * SAMPLES_PER_MS for each in (silent_from_ms, silent_to_ms))
        whole[max(begin, 0) : max(end, 0)] = 0
    return whole


def reheard(engine: SecondEngine, passage: Passage, recordings: Path) -> Reheard:
    """What the engine makes of it."""
    if passage.to_ms - passage.from_ms > MOST_MS:
        return Reheard(passage.id, reason="too_long")
    try:
        samples = sound_of(passage, recordings)
    except (av.FFmpegError, OSError) as error:
        print(f"second pass: {error}", file=sys.stderr, flush=True)
        return Reheard(passage.id, reason="unreadable")
    said = engine.hear(samples, passage.terms) if samples.any() else Said("")
    if not said.text:
        return Reheard(passage.id, reason="nothing_heard")
    return Reheard(passage.id, said.text, _words(said, passage))


def _words(said: Said, passage: Passage) -> tuple[Word, ...]:
    """In program time, in order, none outside of the passage."""
    found, last_ms = list[Word](), passage.from_ms
    for each in said.words:
        start_ms = min(max(passage.from_ms + each.start_ms, last_ms), passage.to_ms)
        last_ms = min(max(passage.from_ms + each.end_ms, start_ms), passage.to_ms)
        found.append(Word(each.text, start_ms, last_ms, each.confidence))
    return tuple(found)


# ── the process ─────────────────────────────────────────────────────────────────────────────────


def main(arguments: list[str]) -> None:
    """Ends the process."""
    options = msgspec.json.decode(arguments[0], type=SecondPassOptions)
    if options.yields:
        _yield_to_everything()
    out = os.dup(1)
    os.dup2(2, 1)  # what engines print is no answer
    folder = None if options.model is None else Path(options.model)
    name = "" if folder is None else folder.name
    asked: queue.SimpleQueue[Passage] = queue.SimpleQueue()
    threading.Thread(target=_read_parent, args=(asked,), name="parent", daemon=True).start()
    try:
        engine = load(folder, options.engine)
    except EngineError as error:
        print(f"second pass: {error.reason}: {error}", file=sys.stderr, flush=True)
        _say(out, TranscriberModel("", name, error.reason))
        os._exit(EXIT_TROUBLE)
    _say(out, TranscriberModel(engine.engine, name))
    while True:
        _say(out, reheard(engine, asked.get(), Path(options.recordings)))


def _yield_to_everything() -> None:
    """A meeting on the same machine loses nothing by it: only what nobody else wants of the processor is taken."""
    with contextlib.suppress(OSError):
        os.nice(_NICE)
        # Where each session has its share of the machine, niceness counts inside of it only.
        Path("/proc/self/autogroup").write_text(str(_NICE))
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _read_parent(asked: queue.SimpleQueue[Passage]) -> None:
    """Standard input, line by line, in a thread of its own."""
    for line in sys.stdin.buffer:
        try:
            asked.put(msgspec.json.decode(line, type=Passage))
        except msgspec.MsgspecError as error:
            print(f"second pass: not understood: {error}", file=sys.stderr, flush=True)
            os._exit(EXIT_TROUBLE)
    os._exit(0)  # the parent is gone, or wants nothing more


def _say(out: int, what: TranscriberModel | Reheard) -> None:
    line = msgspec.json.encode(what) + b"\n"
    try:
        while line:
            line = line[os.write(out, line) :]
    except OSError:
        os._exit(0)  # the parent is gone


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent
    main(sys.argv[1:])
