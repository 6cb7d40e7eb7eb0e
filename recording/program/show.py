"""The thread that makes the program: every 40 ms one picture of what was 200 ms ago, and the sound to it.

Pictures are numbered from the beginning of a life, and each stands exactly 40 ms after the one before, however late it
was made: what could not be made in time is the picture before once more. After an outage of four seconds, with another
clock, or when the coding changes, another life begins.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from recording.program import load
from recording.program.compositor import Compositor, Key, Picture, Plan
from recording.program.encoder import FPS, FRAME_SAMPLES, Canvas
from recording.program.encoding import Encoding, LifeStart, Shot
from recording.program.inputs import Inputs
from recording.program.load import Load
from recording.program.mixer import Mixer, sample_at
from recording.program.scene import Scene

HOLD_US: Final = 200_000  # the program is so much later than the room: tracks come together in it
FRAME_US: Final = 1_000_000 // FPS
_LEAD_US: Final = 20_000  # a picture may be so much newer than its time: half a frame
_LATE_US: Final = 60_000
_OUTAGE_PICTURES: Final = 4 * FPS
_CLOCK_WAIT_S: Final = 5.0
_CLOCK_STEP_MS: Final = 500
_REPORT_S: Final = 5.0
_PART_PICTURES: Final = 5
_FEWER_TILES: Final = 4
_MOST_FAILURES: Final = 2 * FPS
_WHOLE: Final = (1280, 720)
_SMALLER: Final = (960, 540)

Fact = Mapping[str, Any]


@dataclass(slots=True)
class _Life:
    """The life that runs: its time 0 on the monotonic clock and in program time, and the next picture.

    `clock` is what the room said when it began, as some moment in µs and its program time in ms.
    """

    at_us: int
    program_time_ms: int
    wall_ms: int
    clock: tuple[int, int]
    number: int = 0

    @property
    def next_us(self) -> int:
        return self.at_us + self.number * FRAME_US

    @property
    def next_program_time_ms(self) -> int:
        return self.program_time_ms + self.number * FRAME_US // 1000


class Show:
    """`scene` and `inputs` are set from other threads and read once for each picture."""

    def __init__(
        self,
        compositor: Compositor,
        mixer: Mixer,
        encoding: Encoding,
        tell: Callable[[Fact], None],
        *,
        earliest_ms: int,
        most_load: int = load.FEWER_PICTURES,
    ) -> None:
        """`tell` says a fact that no journal needs. No life begins before `earliest_ms` of program time."""
        self.scene: Scene | None = None
        self.inputs: Inputs | None = None
        self._compositor = compositor
        self._mixer = mixer
        self._encoding = encoding
        self._note: dict[str, Any] | None = None
        self._tell = tell
        self._earliest_ms = earliest_ms
        self._load = Load(most_load, now_s=time.monotonic())
        self._ended = threading.Event()
        self._life: _Life | None = None
        self._canvas: Canvas | None = None
        self._pictures: dict[Key, Picture | None] = {}
        self._shown: tuple[str, tuple[str, ...]] | None = None
        self._since_s: float | None = None
        self._failures = 0  # in a row
        self._made = self._late = 0
        self._report_s = time.monotonic()
        self._report_cpu_s = time.process_time()
        self._thread = threading.Thread(target=self._run, name="show", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """No more pictures; idempotent."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            now_us = time.monotonic_ns() // 1000
            self._report(now_us / 1e6)
            scene = self.scene
            if scene is None:
                self._ended.wait(0.02)
                continue
            life = self._life = self._current(scene, now_us)
            if life is None or life.next_us + HOLD_US > now_us:
                wait_us = FRAME_US if life is None else life.next_us + HOLD_US - now_us
                self._ended.wait(min(wait_us, FRAME_US) / 1e6)
                continue
            self._make(life, scene, now_us)

    # ── lives ───────────────────────────────────────────────────────────────────────────────────

    def _current(self, scene: Scene, now_us: int) -> _Life | None:
        """The life for the next picture; None while nobody knows what time it is."""
        life = self._life
        clock = self._clock(scene, now_us)
        if life is None:
            return None if clock is None else self._begin(now_us - HOLD_US, clock, clock)
        if clock is not None:
            step_ms = _program_time_ms(clock, life.at_us) - _program_time_ms(life.clock, life.at_us)
            if abs(step_ms) > _CLOCK_STEP_MS:
                return self._begin(max(life.next_us, now_us - HOLD_US), clock, clock)
        if now_us - HOLD_US - life.next_us > _OUTAGE_PICTURES * FRAME_US:
            return self._begin(now_us - HOLD_US, (life.at_us, life.program_time_ms), life.clock)
        return life

    def _clock(self, scene: Scene, now_us: int) -> tuple[int, int] | None:
        """Some moment on the monotonic clock (µs) and its program time (ms)."""
        inputs = self.inputs
        if inputs is not None and inputs.clock is not None:
            return inputs.clock
        if self._life is not None or scene.program_started_wall_ms is None:
            return None
        # No tap, because the media process is gone: the program begins with cards all the same.
        now_s = now_us / 1e6
        self._since_s = now_s if self._since_s is None else self._since_s
        if now_s - self._since_s < _CLOCK_WAIT_S:
            return None
        return now_us, time.time_ns() // 1_000_000 - scene.program_started_wall_ms

    def _begin(self, at_us: int, base: tuple[int, int], clock: tuple[int, int]) -> _Life:
        """A life from `at_us` on, or from where the one before ends; `base` says what program time it is."""
        program_time_ms = _program_time_ms(base, at_us)
        earliest_ms = max(
            0, self._earliest_ms, self._life.next_program_time_ms if self._life is not None else 0
        )
        if program_time_ms < earliest_ms:
            # Time is never told twice. What is in the way is short, unless a clock was set back.
            if earliest_ms - program_time_ms < 2_000:
                at_us += (earliest_ms - program_time_ms) * 1000
            program_time_ms = earliest_ms
        wall_ms = (time.time_ns() - time.monotonic_ns()) // 1_000_000 + at_us // 1000
        level = self._load.level
        self._encoding.put(
            LifeStart(
                at_us,
                program_time_ms,
                wall_ms,
                _SMALLER if level >= load.SMALLER else _WHOLE,
                "ultrafast" if level >= load.ULTRAFAST else "superfast",
            )
        )
        self._canvas = self._shown = None
        return _Life(at_us, program_time_ms, wall_ms, clock)

    # ── pictures ────────────────────────────────────────────────────────────────────────────────

    def _make(self, life: _Life, scene: Scene, now_us: int) -> None:
        at_us, number = life.next_us, life.number
        behind = (now_us - HOLD_US - at_us) // FRAME_US
        sound = self._mixer.mix(sample_at(at_us), FRAME_SAMPLES)
        canvas, frames = self._canvas, 1
        if self._load.level >= load.FEWER_PICTURES:
            within = number % _PART_PICTURES
            frames = 0 if within % 2 else min(2, _PART_PICTURES - within)
        if canvas is None or (frames and not behind):
            canvas, frames = self._compose(life, scene, now_us), max(1, frames)
            self._made += 1
        self._canvas = canvas
        note, self._note = self._note, None
        self._encoding.put(Shot(number, canvas if frames else None, frames, sound, note))
        life.number += 1
        late_us = time.monotonic_ns() // 1000 - HOLD_US - at_us
        is_late = late_us > _LATE_US
        self._late += is_late
        before = self._load.level
        if self._load.on_picture(now_us / 1e6, is_late=is_late):
            self._spare(life, before)

    def _compose(self, life: _Life, scene: Scene, now_us: int) -> Canvas:
        try:
            canvas = self._composed(life, scene, now_us)
        except Exception:
            # One picture that nobody thought of must not end the program; what goes on for seconds must.
            self._failures += 1
            if self._canvas is None or self._failures > _MOST_FAILURES:
                raise
            traceback.print_exc()
            return self._canvas
        self._failures = 0
        self._note_plan(self._compositor.plan, life.next_program_time_ms)
        return canvas

    def _composed(self, life: _Life, scene: Scene, now_us: int) -> Canvas:
        compositor, inputs = self._compositor, self.inputs
        at_us, program_time_ms = life.next_us, life.next_program_time_ms
        available = inputs.available() if inputs is not None else set()
        plan = compositor.choose(scene, available, self._mixer.levels(), at_us / 1e6)
        sizes = compositor.wanted()
        wanted = set(sizes)
        if inputs is not None:
            inputs.prefer(frozenset(each.camera_id for each in scene.people if each.camera_id is not None))
            minded = {(person, "camera") for person in (scene.floor, compositor.active) if person is not None}
            inputs.want({**dict.fromkeys(minded & available), **sizes}, now_us)
            spares = self._load.level >= load.HALF_RATE_TILES and len(wanted) > 1 and life.number % 2
            if not spares or wanted - self._pictures.keys():
                self._pictures = inputs.pictures(wanted, at_us + _LEAD_US)
        else:
            self._pictures = {}
        wall_ms = life.wall_ms + program_time_ms - life.program_time_ms
        return compositor.compose(plan, scene, self._pictures, program_time_ms, wall_ms)

    def _note_plan(self, plan: Plan | None, program_time_ms: int) -> None:
        if plan is None or (plan.layout, plan.people) == self._shown:
            return
        self._shown = plan.layout, plan.people
        self._note = {
            "fact": "layout",
            "name": plan.layout,
            "people": list(plan.people),
            "program_time_ms": program_time_ms,
        }

    # ── load ────────────────────────────────────────────────────────────────────────────────────

    def _spare(self, life: _Life, before: int) -> None:
        """The level of load has changed: what is coded otherwise needs another life."""
        level = self._load.level
        self._compositor.most_tiles = _FEWER_TILES if level >= load.FEWER_TILES else 9
        if max(before, level) in (load.SMALLER, load.ULTRAFAST):
            self._life = self._begin(life.next_us, (life.at_us, life.program_time_ms), life.clock)

    def _report(self, now_s: float) -> None:
        passed_s = now_s - self._report_s
        if passed_s < _REPORT_S:
            return
        cpu_s = time.process_time()
        self._tell(
            {
                "fact": "load",
                "level": self._load.level,
                "fps": round(self._made / passed_s, 1),
                "core": round((cpu_s - self._report_cpu_s) / passed_s, 3),
                "late_frames": self._late,
            }
        )
        self._report_s, self._report_cpu_s = now_s, cpu_s
        self._made = self._late = 0


def _program_time_ms(clock: tuple[int, int], at_us: int) -> int:
    monotonic_us, program_time_ms = clock
    return program_time_ms + (at_us - monotonic_us) // 1000
