"""What pulls cameras and streams, and plays clips, into rooms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from conference.ingest_events import IngestEvent, IngestFailed, IngestJob, IngestLook


class Ingests(Protocol):
    """One process for each job, which it starts again when it dies or falls silent.

    Whoever starts a job has its participant in the room and answers each IngestReady with `MediaPlane.feed(room_id,
    socket_path, participant_id)`: the feed stays while the source is away and comes back. FeedLost is followed by
    another IngestReady.
    """

    def listen(self, receive: Callable[[IngestEvent], None]) -> None:
        """Call `receive` with every event, in order, on the event loop. May be called by several: each ignores ids
        that are not its own."""

    def start(self, job: IngestJob) -> None:
        """Pull it until `stop`, whatever happens. A job of the same id that is another one takes its place; the same
        one again is harmless. Returns at once."""

    def stop(self, ingest_id: str) -> None:
        """End it; nothing is told of it any more. Returns at once; unknown ids are ignored."""

    def play(self, ingest_id: str) -> None:
        """Of a clip: go on, or begin anew after its end. Unknown ids are ignored, here and below."""

    def pause(self, ingest_id: str) -> None:
        """Of a clip: the picture stands, there is no sound."""

    def seek(self, ingest_id: str, position_ms: int) -> None:
        """Of a clip: go there, playing as before or standing there."""

    async def look(self, job: IngestJob) -> IngestLook | IngestFailed:
        """Open the source beside everything else, for one picture or the reason why there is none; within 15 s."""
