"""The speech model as its files say: looked at in a thread, again and again while somebody asks."""

from __future__ import annotations

import asyncio
import logging
import math
from pathlib import Path
from typing import Final

from conference.worker_events import TranscriberModel
from transcription.engines import described
from transcription.models import newest

_OLD_S: Final = 1.0  # what was seen is looked at again when it is older

log = logging.getLogger("transcription.model_watch")


class ModelWatch:
    """Rooms ask five times a second, on the event loop, and a disk may take its time. `close` at the end."""

    def __init__(self, models: Path, model: Path | None = None, engine: str | None = None) -> None:
        """Looks once, as the server starts. See TranscriberSupervisor for what is given."""
        self._models = models
        self._model = model
        self._engine = engine
        self._seen = self._described()
        self._seen_at_s = -math.inf
        self._looking: asyncio.Task[None] | None = None
        self._is_closed = False

    def folder(self) -> Path | None:
        """Where it lies now, None where there is none. Call in a thread. Raises OSError."""
        return self._model if self._model is not None else newest(self._models)

    def model(self) -> TranscriberModel:
        """As it was seen last; never waits. What is old is looked at again, for the next one who asks."""
        now_s = asyncio.get_running_loop().time()
        is_looking = self._looking is not None and not self._looking.done()
        if not (self._is_closed or is_looking) and now_s - self._seen_at_s > _OLD_S:
            self._looking = asyncio.create_task(self._look(), name="speech model")
        return self._seen

    async def close(self) -> None:
        """Idempotent."""
        self._is_closed = True
        if self._looking is not None:
            await self._looking

    async def _look(self) -> None:
        try:
            self._seen = await asyncio.to_thread(self._described)
        except OSError as error:  # it is being replaced, or the disk is in trouble
            log.warning("the speech model cannot be looked at: %s", error)
        self._seen_at_s = asyncio.get_running_loop().time()

    def _described(self) -> TranscriberModel:
        return described(self.folder(), self._engine)
