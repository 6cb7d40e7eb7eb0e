"""Which microphones are followed, and by which stream: lanes, each a thread with a warm stream of the engine.

The main thread brings sound and never waits for the engine. A microphone gets a lane when a voice is in it, the
preferred ones first, and keeps it up to the pause. What waits for a lane for too long is left out: nothing is told of
it, and so it is recognised from the recording. Jobs from files have what lanes are left.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from conference.worker_events import Heard, HeardPartial, ListenEnded
from transcription.files import FileSource
from transcription.gate import Voice
from transcription.lane import Lane
from transcription.line import Part, Skip
from transcription.recognizer import Recognizer
from transcription.source import Source

_WAIT_MS: Final = 5_000  # for a lane, then the oldest is left out
_OVERRUN_MS: Final = 18_000  # so far behind, a lane goes on with what is said now
_KEPT_MS: Final = 1_000
_SILENCE_MS: Final = 10_000  # told of at least so often
_GIVE_WAY_MS: Final = 1_000  # so long does a preferred voice wait before another one gives way
_CLOSED_WAIT_S: Final = 30.0
_RETIRE_BYTES: Final = 300 << 20  # growth for each stream
_UNRANKED: Final = 1_000


class Hearing:
    """All that is listened to. Its methods are for the main thread."""

    def __init__(self, streams: int, tell: Callable[[Heard | HeardPartial | ListenEnded], None]) -> None:
        """`streams`: lanes. `tell` is called in any thread."""
        self._streams = streams
        self._tell = tell
        self.changed = threading.Condition()
        self._sources: list[Source] = []
        self._jobs: list[FileSource] = []
        self.lanes: dict[int, Source | None] = {}  # those that are warm, and what they follow
        self.fed: dict[int, int] = {}  # samples that the stream of each lane has heard
        self._preferred: dict[str, tuple[str, ...]] = {}
        self._terms: dict[str, tuple[str, ...]] = {}
        self._recognizer: Recognizer | None = None
        self._closed_at_s: dict[Source, float] = {}
        self._resident_bytes = 0  # when all lanes were warm

    def start(self, recognizer: Recognizer) -> None:
        """The model is there."""
        self._recognizer = recognizer
        for number in range(self._streams):
            lane = Lane(number, self, recognizer, self._tell)
            threading.Thread(target=lane.run, name=f"lane {number}", daemon=True).start()

    # ── the main thread ─────────────────────────────────────────────────────────────────────────

    def add(self, source: Source) -> None:
        """Another microphone."""
        with self.changed:
            self._sources.append(source)

    def sound(
        self, source: Source, parts: Iterable[Part], *, newest_ms: float, quiet_to_ms: float | None
    ) -> None:
        """What came of it. `quiet_to_ms`: None while a voice is heard."""
        with self.changed:
            source.add(parts)
            source.newest_ms = max(source.newest_ms, newest_ms)
            if quiet_to_ms is not None:
                source.quiet_to_ms = max(source.quiet_to_ms, quiet_to_ms)
            if source.voice_ms > _OVERRUN_MS:
                source.shorten(_KEPT_MS)
            self._settle(source)
            if source.pending:
                self.changed.notify_all()

    def close(self, source: Source) -> None:
        """Nothing more comes of it; what is there is still dealt with."""
        with self.changed:
            source.is_closed = True
            self._closed_at_s[source] = time.monotonic()
            self._settle(source)
            self.changed.notify_all()

    def prefer(self, consultation_id: str, participant_ids: Sequence[str]) -> None:
        with self.changed:
            self._preferred[consultation_id] = tuple(participant_ids)
            self.changed.notify_all()

    def use_terms(self, consultation_id: str, words: Sequence[str]) -> None:
        with self.changed:
            self._terms[consultation_id] = tuple(words)

    def forget(self, consultation_id: str) -> None:
        """Of preferences and terms."""
        with self.changed:
            self._preferred.pop(consultation_id, None)
            self._terms.pop(consultation_id, None)

    def recognise(self, job: FileSource) -> None:
        """When there is a lane for it."""
        with self.changed:
            self._jobs.append(job)
            self.changed.notify_all()

    def cancel(self, job_id: str) -> None:
        with self.changed:
            for job in self._jobs:
                if job.job_id == job_id:
                    job.is_cancelled = True
                    if job.lane is None:
                        self._jobs.remove(job)
                    break
            self.changed.notify_all()

    def is_listening_to(self, sources: Iterable[Source]) -> bool:
        """Whether something of one of these is still to be told."""
        with self.changed:
            return any(each in self._sources for each in sources)

    def tick(self) -> None:
        """A few times a second."""
        with self.changed:
            for source in tuple(self._sources):
                self._settle(source)

    def load(self) -> tuple[int, int]:
        """Microphones with a voice in them, and how far the slowest is behind in ms."""
        with self.changed:
            talking = [each for each in self._sources if each.lane is not None or each.has_voice]
            return len(talking), round(max((each.lag_ms for each in talking), default=0))

    # ── with the lock ───────────────────────────────────────────────────────────────────────────

    def _settle(self, source: Source) -> None:
        """What needs no engine; nothing while a lane follows it."""
        if source.lane is not None:
            return
        self._leave_out(source)
        while source.pending and not isinstance(source.pending[0], Voice):
            self._pass(source, source.pending.popleft())
        if source.pending:
            if source.waits_from_ms is None:
                first = source.pending[0]
                assert isinstance(first, Voice)
                source.waits_from_ms = first.at_ms
            return
        source.waits_from_ms = None
        if source.told_to_ms >= 0 and (
            source.is_closed or source.quiet_to_ms - source.told_to_ms >= _SILENCE_MS
        ):
            self._tell_quiet(source, source.quiet_to_ms)
        if source.is_closed and source in self._sources:
            self._sources.remove(source)
            self._closed_at_s.pop(source, None)

    def _leave_out(self, source: Source) -> None:
        """What waited for too long."""
        closed_at_s = self._closed_at_s.get(source)
        is_late = closed_at_s is not None and time.monotonic() - closed_at_s > _CLOSED_WAIT_S
        while source.pending:
            first = source.pending[0]
            if not isinstance(first, Voice):
                self._pass(source, source.pending.popleft())
            elif is_late or source.newest_ms - first.end_ms > _WAIT_MS:
                self._tell_quiet(source, first.at_ms)
                source.skip(first.end_ms)
                source.pending.popleft()
            else:
                return

    def _pass(self, source: Source, part: Part) -> None:
        """The end of an utterance that nobody follows any more, or a hole."""
        if isinstance(part, Skip):
            self._tell_quiet(source, part.from_ms)
            source.skip(part.to_ms)

    def _tell_quiet(self, source: Source, to_ms: float) -> None:
        if self._recognizer is None:
            return  # nobody could have heard a thing
        told = source.heard(to_ms, self._recognizer.engine)
        if told is not None:
            self._tell(told)

    def _rank(self, source: Source) -> int:
        preferred = self._preferred.get(source.consultation_id, ())
        return preferred.index(source.participant_id) if source.participant_id in preferred else _UNRANKED

    def _waiting(self) -> list[Source]:
        """Microphones with a voice that nobody follows, the first one first."""
        found = [each for each in self._sources if each.lane is None and each.has_voice]
        return sorted(found, key=lambda each: (self._rank(each), -each.lag_ms))

    # ── for lanes, with the lock ────────────────────────────────────────────────────────────────

    def open_lane(self, number: int) -> None:
        """It is warm."""
        self.lanes[number] = None
        self.fed[number] = 0
        self._resident_bytes = max(self._resident_bytes, _resident_bytes())

    def next(self, number: int) -> Source | None:
        """What this free lane takes up. Of several the warmest goes first: it is several times as fast as a new one."""
        choice = self._waiting() or self._waiting_jobs()
        idle = [each for each, source in self.lanes.items() if source is None]
        warmer = sum((self.fed[each], -each) > (self.fed[number], -number) for each in idle)
        return choice[0] if warmer < len(choice) else None

    def _waiting_jobs(self) -> list[FileSource]:
        """Those that may begin: one at a time beside a live room, and only where nobody is late."""
        waiting = [each for each in self._jobs if each.lane is None]
        if not self._sources:
            return waiting
        is_running = len(waiting) < len(self._jobs)
        is_late = any(each.lag_ms > _GIVE_WAY_MS for each in self._sources)
        return [] if is_running or is_late else waiting[:1]

    def terms_for(self, source: Source) -> tuple[str, ...]:
        return self._terms.get(source.consultation_id, ())

    def gives_way(self, source: Source) -> bool:
        """Whether its lane is needed for another."""
        waiting = self._waiting()
        if not waiting or None in self.lanes.values():
            return False
        if source.job_id is not None:
            return True
        followed = [each for each in self.lanes.values() if each is not None]
        if any(each.job_id is not None for each in followed):
            return False
        least = max(followed, key=lambda each: (self._rank(each), each.participant_id))
        best = waiting[0]
        return least is source and self._rank(best) < self._rank(source) and best.lag_ms >= _GIVE_WAY_MS

    def let_go(self, source: Source) -> None:
        """No lane follows it any more."""
        source.lane = None
        source.waits_from_ms = None
        if isinstance(source, FileSource):
            if source.is_cancelled or source.is_told:
                self._jobs.remove(source)
        else:
            self._settle(source)

    def has_grown(self) -> bool:
        """Whether streams hold much more memory than when they were new."""
        return _resident_bytes() - self._resident_bytes > _RETIRE_BYTES * self._streams


def _resident_bytes() -> int:
    """Of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
