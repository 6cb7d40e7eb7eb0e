"""The sound of the program: rings of samples on one clock, mixed, levelled and limited.

Every track writes where its samples belong in time (sample number = monotonic µs × 48 / 1000), the mix reads a
little later; what nobody wrote is silence. The threads that write and the one that mixes share a lock.
"""

from __future__ import annotations

import threading
from typing import Final

import numpy as np

from recording.program.loudness import RATE, Leveller, Sound, factor

RING_SAMPLES: Final = 1 << 17  # 2.7 s
LOOK_AHEAD: Final = 240  # samples: 5 ms
CEILING: Final = 0.841  # -1.5 dBFS: AAC overshoots a little
SILENCE_DB: Final = -127.0
_STEP: Final = 48  # samples: the limiter's gain is a line through points 1 ms apart
_ATTACK: Final = LOOK_AHEAD // _STEP
_RELEASE: Final = 1 / 150  # a step: from silence to full in 150 ms
_JUMP_SAMPLES: Final = 1_920  # 40 ms from where it belongs: no drift, the track goes on elsewhere
_TOLERANCE: Final = 16
_FADE: Final = 96  # samples: 2 ms, where sound breaks off and begins again
_IDLE_DB: Final = -9.0  # open microphones in which nobody speaks
_SMOOTHING: Final = 0.5  # of the levels, for each piece of 40 ms


def sample_at(monotonic_us: float) -> int:
    """The number of the sample at this time."""
    return round(monotonic_us * RATE / 1e6)


class Ring:
    """The samples of one track around now, by their number."""

    def __init__(self) -> None:
        self._data: Sound = np.zeros((RING_SAMPLES, 2), np.float32)
        self._read = 0  # everything before was mixed
        self._high = 0  # everything from here on is silence; 0: nothing was ever written

    def write(self, at: int, samples: Sound) -> None:
        """What is too late or too early to be kept is left out."""
        if not self._high:
            self._read = self._high = max(1, at - RING_SAMPLES // 2)
        skip = max(0, self._read - at)
        room = self._read + RING_SAMPLES - at
        samples = samples[skip : max(0, room)]
        if not len(samples):
            return
        begin = (at + skip) % RING_SAMPLES
        first = min(len(samples), RING_SAMPLES - begin)
        self._data[begin : begin + first] = samples[:first]
        self._data[: len(samples) - first] = samples[first:]
        self._high = max(self._high, at + skip + len(samples))

    def fade_out(self, end: int) -> None:
        """The last samples before `end` become softer, where they were not mixed yet."""
        count = min(_FADE, end - self._read)
        if count > 0:
            places = np.arange(end - count, end) % RING_SAMPLES
            self._data[places] *= np.linspace(1, 0, count, dtype=np.float32)[:, None]

    def read(self, at: int, count: int) -> Sound | None:
        """`count` samples, which are given up; None where there is but silence. `at` never goes back."""
        if not self._high:
            return None
        if not self._read <= at <= self._read + RING_SAMPLES - count:  # nobody mixed for seconds
            self._data[:] = 0
            self._read = self._high = at + count
            return None
        begin, end = self._read, at + count
        found: Sound | None = None
        if self._high > begin:
            if self._high > at:
                found = np.concatenate([self._data[piece] for piece in _places(at, end)])
            for piece in _places(begin, end):
                self._data[piece] = 0
        self._read = end
        return found


def _places(begin: int, end: int) -> tuple[slice, slice]:
    """Where these samples lie in a ring, not more than it holds: the second slice may be empty."""
    first, size = begin % RING_SAMPLES, end - begin
    return slice(first, min(first + size, RING_SAMPLES)), slice(0, max(0, first + size - RING_SAMPLES))


class Voice:
    """One track in the mix: where its next packet goes, how loud it is, what it is amplified by."""

    def __init__(self, lock: threading.Lock, *, is_levelled: bool = True) -> None:
        self._lock = lock
        self._ring = Ring()
        self._next: int | None = None
        self._leveller = Leveller() if is_levelled else None
        self._gain = 1.0
        self._mean_square = 0.0
        self.jumps = 0

    def write(self, at: int, samples: Sound, *, follows_loss: bool = False) -> None:
        """Decoded samples that belong at sample `at`. Small drift is taken up by stretching, loss leaves silence."""
        with self._lock:
            self._write(at, samples, follows_loss)

    def _write(self, at: int, samples: Sound, follows_loss: bool) -> None:
        if self._next is not None and abs(at - self._next) < _JUMP_SAMPLES and not follows_loss:
            samples = stretched(samples, at - self._next)
            at = self._next
        else:
            if self._next is not None:
                self.jumps += 1
                self._ring.fade_out(self._next)
                if follows_loss and 0 < self._next - at < _JUMP_SAMPLES:
                    at = self._next  # nothing is written over what is heard already
            samples = samples.copy()
            count = min(_FADE, len(samples))
            samples[:count] *= np.linspace(0, 1, count, dtype=np.float32)[:, None]
        self._ring.write(at, samples)
        self._next = at + len(samples)

    def mix_into(self, out: Sound, at: int) -> None:
        """Add what is to be heard from sample `at` on. The lock is held by the caller."""
        found = self._ring.read(at, len(out))
        found_power = 0.0 if found is None else float(np.vdot(found, found)) / found.size
        self._mean_square += _SMOOTHING * (found_power - self._mean_square)
        if found is None:
            return
        wanted = 1.0
        if self._leveller is not None:
            self._leveller.push(found)
            wanted = self._leveller.gain
            if not self._leveller.is_heard:
                wanted *= factor(_IDLE_DB)
        if wanted == self._gain:
            out += found * np.float32(wanted)
        else:
            out += found * np.linspace(self._gain, wanted, len(out), dtype=np.float32)[:, None]
            self._gain = wanted

    @property
    def level_db(self) -> float:
        """RMS of about the last 100 ms, in dBFS, before any gain."""
        return max(SILENCE_DB, 10 * np.log10(self._mean_square)) if self._mean_square > 0 else SILENCE_DB


def stretched(samples: Sound, error: int) -> Sound:
    """A few samples more or fewer where a track is `error` samples before where it belongs (or behind)."""
    size = len(samples)
    if abs(error) <= _TOLERANCE or size < 120:
        return samples
    most = 2 if abs(error) < 240 else 12
    wanted = size + max(-most, min(most, error))
    places = np.linspace(0, size - 1, wanted)
    below = np.minimum(places.astype(np.int64), size - 2)
    part = (places - below).astype(np.float32)[:, None]
    return np.asarray(samples[below] * (1 - part) + samples[below + 1] * part, np.float32)


class Limiter:
    """Nothing above the ceiling; looks LOOK_AHEAD samples ahead, by which its output is late."""

    def __init__(self, ceiling: float = CEILING) -> None:
        self._ceiling = ceiling
        self._held: Sound = np.zeros((LOOK_AHEAD, 2), np.float32)
        self._gain = 1.0  # at the beginning of what comes next

    def process(self, samples: Sound) -> Sound:
        """As many samples as come in, a whole number of milliseconds."""
        held = np.concatenate((self._held, samples))
        peaks = np.abs(held).max(axis=1).reshape(-1, _STEP).max(axis=1)
        count = len(samples) // _STEP
        self._held = held[len(samples) :]
        if self._gain == 1.0 and not (peaks > self._ceiling).any():
            return held[: len(samples)]
        allowed = np.minimum(1.0, self._ceiling / np.maximum(peaks, 1e-9))
        gains = [self._gain]
        for step in range(count):
            # The point after this step: low enough for this step and the next, on the way down to what comes.
            gain = min(1.0, gains[-1] + _RELEASE, float(allowed[step]))
            for ahead in range(1, min(_ATTACK + 1, len(allowed) - step)):
                drop = 1.0 - float(allowed[step + ahead])
                gain = min(gain, 1.0 - drop * (1 - (ahead - 1) / _ATTACK))
            gains.append(gain)
        self._gain = gains[-1]
        line = np.interp(np.arange(len(samples)), np.arange(count + 1) * _STEP, gains).astype(np.float32)
        return np.asarray(held[: len(samples)] * line[:, None], np.float32)


class Mixer:
    """All voices in one. `voice` and `remove` from the thread that reads, `mix` from the one that encodes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._voices: dict[int, tuple[str, Voice]] = {}
        self._together = Leveller(most_up_db=0)  # several who speak at once are louder than one
        self._gain = 1.0
        self._limiter = Limiter()
        self.mixed_to_us = 0.0  # what belongs before this comes too late

    def voice(self, number: int, participant_id: str, *, is_levelled: bool = True) -> Voice:
        """A new track of this participant under a number of its own."""
        made = Voice(self._lock, is_levelled=is_levelled)
        with self._lock:
            self._voices[number] = (participant_id if is_levelled else "", made)
        return made

    def remove(self, number: int) -> None:
        """What it said is not heard any more; idempotent."""
        with self._lock:
            self._voices.pop(number, None)

    def mix(self, at: int, count: int) -> Sound:
        """The samples from `at` on, a whole number of milliseconds. Call for times that follow each other."""
        out: Sound = np.zeros((count, 2), np.float32)
        with self._lock:
            for _, voice in self._voices.values():
                voice.mix_into(out, at + LOOK_AHEAD)
        self.mixed_to_us = (at + LOOK_AHEAD + count) * 1e6 / RATE
        self._together.push(out)
        wanted = self._together.gain
        if wanted != 1.0 or self._gain != 1.0:
            out *= np.linspace(self._gain, wanted, count, dtype=np.float32)[:, None]
            self._gain = wanted
        return self._limiter.process(out)

    def levels(self) -> dict[str, float]:
        """Of each participant whose microphone is open: dBFS of about the last 100 ms."""
        found: dict[str, float] = {}
        with self._lock:
            for participant_id, voice in self._voices.values():
                if participant_id:
                    found[participant_id] = max(found.get(participant_id, SILENCE_DB), voice.level_db)
        return found
