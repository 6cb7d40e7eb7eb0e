"""What makes programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from conference.worker_events import ProgramEvent, Scene


class ProgramMaker(Protocol):
    """Makes one picture and sound of each room and keeps them, in processes of their own, which it starts again when
    they die."""

    def listen(self, receive: Callable[[ProgramEvent], None]) -> None:
        """Call `receive` with every event, in order, on the event loop. One listener."""

    def begin(self, consultation_id: str) -> None:
        """Start a worker and keep it running; ProgramReady says where it waits. Repeating it is harmless."""

    def show(self, consultation_id: str, scene: Scene) -> None:
        """What is to be seen from now on; a worker that is started again is told the newest. Never waits."""

    def end(self, consultation_id: str) -> None:
        """Close the last segment and stop. Returns at once; unknown ids are ignored."""

    async def wait_ended(self, consultation_id: str) -> None:
        """Until no worker of it runs any more."""

    async def erase(self, consultation_id: str, from_ms: int, to_ms: int) -> int:
        """Delete every kept segment and still that has a part of this stretch of program time, for good; how many
        that were now. Never called while a worker runs. Repeating it is harmless. May raise storage_unavailable."""
