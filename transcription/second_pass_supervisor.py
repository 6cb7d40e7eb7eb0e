"""The process of the second pass: started when there is something to hear, asked passage by passage, started again when
it dies, and ended when there is nothing more.

Implements conference.services.ports.SecondListener.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from conference.worker_events import Passage, Reheard, TranscriberModel
from transcription.second_engines import described
from transcription.wire import LONGEST_LINE, SecondPassOptions

_MODULE: Final = "transcription.second_pass"
_TRIES: Final = 3  # lives of the process that one passage may cost
_BACKOFF_S: Final = 0.5
# It takes only what nobody else wants of the processor, which beside a meeting may be next to nothing: so long does a
# model, or a passage beyond twenty times its length, take that hangs.
_PATIENCE_S: Final = 1_800.0
_SLOWNESS: Final = 20

log = logging.getLogger("transcription.second_pass_supervisor")


_Answer = TypeVar("_Answer", TranscriberModel, Reheard)


class _EndedError(Exception):
    """The process died, or hung and was killed."""


class SecondPassSupervisor:
    """Owned by signaling.app: `close` at the end."""

    def __init__(
        self,
        recordings: Path,
        *,
        model: Path | None = None,
        engine: str | None = None,
        module: str = _MODULE,
        patience_s: float = _PATIENCE_S,
        yields: bool = True,
    ) -> None:
        """`engine`: `module:factory` of an engine of others, see transcription.second_engines. Without `yields` the
        process gets its share of the processor like any other."""
        self._recordings = recordings
        self._model = model
        self._engine = engine
        self._module = module
        self._patience_s = patience_s
        self._yields = yields
        self._process: asyncio.subprocess.Process | None = None
        self._found: TranscriberModel | None = None  # what the process said of its model
        self._asking = asyncio.Lock()
        self._closing = asyncio.Event()

    # ── conference.services.ports.SecondListener ────────────────────────────────────────────────

    async def model(self) -> TranscriberModel:
        if self._process is not None and self._found is not None:
            return self._found
        # In a thread: the folder may lie on a disk that answers late.
        return await asyncio.to_thread(described, self._model, self._engine)

    async def hear(self, passage: Passage) -> Reheard:
        async with self._asking:
            return await self._hear(passage)

    async def rest(self) -> None:
        async with self._asking:
            await self._end()

    # ── life ────────────────────────────────────────────────────────────────────────────────────

    @property
    def pid(self) -> int | None:
        """Of the process, while one runs."""
        return None if self._process is None else self._process.pid

    async def close(self) -> None:
        """End the process; whoever waits for it is told that it ended. Idempotent."""
        self._closing.set()
        await self._end()

    async def _hear(self, passage: Passage) -> Reheard:
        backoff_s, has_loaded = _BACKOFF_S, False
        for tried in range(1, _TRIES + 1):
            if self._closing.is_set():
                break
            try:
                found = await self._loaded()
                if found.reason:
                    return Reheard(passage.id, reason=found.reason)
                has_loaded = True
                return await self._ask(passage)
            except (_EndedError, OSError) as error:
                log.warning("the second pass ended: %s", error)
            except BaseException:
                await self._end()  # nobody waits for the answer any more
                raise
            await self._end()
            if tried < _TRIES:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), backoff_s)
                backoff_s *= 4
        # One that never got so far dies of the model, or of one of its libraries.
        is_broken = not has_loaded and not self._closing.is_set()
        return Reheard(passage.id, reason="model_broken" if is_broken else "worker_ended")

    async def _loaded(self) -> TranscriberModel:
        """What the process, which is started when none runs, says of its model."""
        if self._process is None or self._found is None:
            options = SecondPassOptions(
                recordings=str(self._recordings),
                model=None if self._model is None else str(self._model),
                engine=self._engine,
                yields=self._yields,
            )
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._module, msgspec.json.encode(options).decode(),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
                limit=LONGEST_LINE,
            )  # fmt: skip
            log.info("the second pass begins: process %d", self._process.pid)
            found = await self._answer(TranscriberModel, self._patience_s)
            if found.reason:
                await self._end()
                return found
            self._found = found
        return self._found

    async def _ask(self, passage: Passage) -> Reheard:
        process = self._process
        if process is None or process.stdin is None:
            raise _EndedError("it was ended")
        with contextlib.suppress(ConnectionError):  # reading says that it is gone
            process.stdin.write(msgspec.json.encode(passage) + b"\n")
            await process.stdin.drain()
        length_s = (passage.to_ms - passage.from_ms) / 1000
        told = await self._answer(Reheard, self._patience_s + _SLOWNESS * length_s)
        if told.id != passage.id:
            raise _EndedError(f"it answered {told.id}, asked for {passage.id}")
        return told

    async def _answer(self, kind: type[_Answer], patience_s: float) -> _Answer:
        process = self._process
        if process is None or process.stdout is None:
            raise _EndedError("it was ended")
        try:
            line = await asyncio.wait_for(process.stdout.readline(), patience_s)
            if line.endswith(b"\n"):
                return msgspec.json.decode(line, type=kind)
        except TimeoutError:
            raise _EndedError("it hangs") from None
        except ValueError as error:
            raise _EndedError(f"it wrote what is no answer: {error}") from error
        raise _EndedError(f"code {await process.wait()}")

    async def _end(self) -> None:
        process, self._process, self._found = self._process, None, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()  # what was told is kept by whoever asked, and there is nothing else
        await process.wait()
