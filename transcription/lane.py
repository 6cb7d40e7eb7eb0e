"""A lane: a thread with a warm stream of the engine, which follows one microphone after the other, up to a pause."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Final

from conference.worker_events import Heard, HeardPartial, ListenEnded
from transcription.files import FileSource
from transcription.gate import End, Voice
from transcription.line import Part, Skip
from transcription.recognizer import SAMPLES_PER_MS, Recognizer, Stream
from transcription.session import Session
from transcription.source import Source

if TYPE_CHECKING:
    from transcription.hearing import Hearing

_JOB_SILENCE_MS: Final = 30_000  # told of at least so often
_RETIRE_SAMPLES: Final = 600_000 * SAMPLES_PER_MS
_YOUNG_SAMPLES: Final = 60_000 * SAMPLES_PER_MS

Tell = Callable[[Heard | HeardPartial | ListenEnded], None]


class _Do(Enum):
    TAKE = "take"  # the next part
    READ = "read"  # more of the file
    GIVE_WAY = "give way"
    FINISH = "finish"  # a job that was read to its end
    LEAVE = "leave"


class Lane:
    """`run` is the thread."""

    def __init__(self, number: int, hearing: Hearing, recognizer: Recognizer, tell: Tell) -> None:
        self._number = number
        self._hearing = hearing
        self._recognizer = recognizer
        self._tell = tell
        self._session: Session | None = None
        self._sample = 0  # fed to this stream

    def run(self) -> None:
        """For ever."""
        hearing = self._hearing
        stream = self._recognizer.open()
        with hearing.changed:
            hearing.open_lane(self._number)
        while True:
            with hearing.changed:
                while (source := hearing.next(self._number)) is None:
                    hearing.changed.wait()
                source.lane, source.waits_from_ms = self._number, None
                hearing.lanes[self._number] = source
            self._follow(stream, source)
            with hearing.changed:
                hearing.let_go(source)
                hearing.changed.notify_all()
            if self._sample >= _RETIRE_SAMPLES or (self._sample >= _YOUNG_SAMPLES and hearing.has_grown()):
                stream.close()
                stream, self._sample = self._recognizer.open(), 0
            with hearing.changed:
                hearing.lanes[self._number] = None
                hearing.fed[self._number] = self._sample

    def _follow(self, stream: Stream, source: Source) -> None:
        while True:
            with self._hearing.changed:
                do, part, lag_ms = self._decide(source)
            match do:
                case _Do.TAKE:
                    assert part is not None
                    self._take(stream, source, part, lag_ms)
                case _Do.READ:
                    assert isinstance(source, FileSource)
                    self._read(source)
                case _Do.GIVE_WAY:
                    self._cut(source)
                    return
                case _Do.FINISH:
                    assert isinstance(source, FileSource)
                    self._finish(source)
                    return
                case _Do.LEAVE:
                    self._end()
                    return

    def _decide(self, source: Source) -> tuple[_Do, Part | None, float]:
        """With the lock; waits until there is something to do."""
        hearing = self._hearing
        while True:
            lag_ms = source.lag_ms
            if isinstance(source, FileSource) and source.is_cancelled:
                return _Do.LEAVE, None, lag_ms
            if hearing.gives_way(source):
                return _Do.GIVE_WAY, None, lag_ms
            part = source.take()
            if part is not None:
                return _Do.TAKE, part, lag_ms
            if isinstance(source, FileSource):
                return (_Do.FINISH if source.is_over else _Do.READ), None, lag_ms
            if self._session is None or source.is_closed:
                return _Do.LEAVE, None, lag_ms
            hearing.changed.wait()

    def _take(self, stream: Stream, source: Source, part: Part, lag_ms: float) -> None:
        if isinstance(part, Voice):
            if self._session is None:
                with self._hearing.changed:
                    terms = self._hearing.terms_for(source)
                self._session = Session(self._recognizer, stream, source, terms, self._sample, self._tell)
            self._session.feed(part, lag_ms=lag_ms, now_s=time.monotonic())
            self._sample = self._session.sample
            if self._session.is_long:
                self._cut(source)
            return
        self._end()
        if isinstance(part, End):
            self._tell_quiet(source, part.at_ms)
        elif isinstance(part, Skip):
            self._tell_quiet(source, part.from_ms)
            source.skip(part.to_ms)

    def _end(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.end()

    def _cut(self, source: Source) -> None:
        session, self._session = self._session, None
        if session is not None:
            left = session.cut()
            with self._hearing.changed:
                source.put_back(left)

    def _read(self, source: FileSource) -> None:
        parts = source.read()
        with self._hearing.changed:
            source.add(parts)
        is_silent = self._session is None and not source.pending
        if is_silent and source.quiet_to_ms - source.told_to_ms >= _JOB_SILENCE_MS:
            self._tell_quiet(source, source.quiet_to_ms)

    def _finish(self, source: FileSource) -> None:
        assert source.job_id is not None
        self._end()
        self._tell_quiet(source, source.quiet_to_ms)
        source.is_told = True
        self._tell(ListenEnded(source.job_id, source.reason))

    def _tell_quiet(self, source: Source, to_ms: float) -> None:
        told = source.heard(to_ms, self._recognizer.engine)
        if told is not None:
            self._tell(told)
