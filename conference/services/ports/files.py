"""What reads, writes and keeps files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Protocol

from conference.export_job import TrackFile
from conference.model.invitee_list import ImportRow
from conference.worker_events import RecordedFile, RecorderEvent


class TableReader(Protocol):
    """Reads tables that strangers send, where they can do no harm."""

    async def read_invitees(self, data: bytes) -> list[ImportRow]:
        """The rows of a list of invitees; import_unreadable, import_no_name_column, import_too_many_rows,
        import_empty, rate_limited."""


class Recorder(Protocol):
    """Writes the publications of rooms into files, in processes of their own, which it starts again when they die."""

    def listen(self, receive: Callable[[RecorderEvent], None]) -> None:
        """Call `receive` with every event, in order, on the event loop. One listener."""

    def begin(self, consultation_id: str) -> None:
        """Start a worker and keep it running; RecorderReady says where it waits. Repeating it is harmless."""

    def end(self, consultation_id: str) -> None:
        """Finish the files, each of which is told of, and stop. Returns at once; unknown ids are ignored."""

    async def wait_ended(self, consultation_id: str) -> None:
        """Until no worker of it runs any more, once it was told to end."""

    async def settle(self, consultation_id: str) -> tuple[RecordedFile, ...]:
        """See to what killed workers left: every file there is but those that are open now, here or elsewhere."""

    def is_writing(self, relative: str) -> bool:
        """Whether a worker of ours has this file open."""

    def path(self, relative: str) -> Path:
        """Where the file of a RecordedFile lies."""

    async def remove(self, relative: str) -> None:
        """Delete it; repeating it is harmless. May raise storage_unavailable."""


class Disk(Protocol):
    """Where recordings and programs are kept."""

    async def free_bytes(self) -> int:
        """What may still be written. Raises OSError."""


class FileStore(Protocol):
    """Contents of files, by their SHA-256. Each method may raise storage_unavailable."""

    def path(self, sha256: str) -> Path:
        """Where the content lies, or would."""

    async def keep(self, sha256: str, content: bytes) -> None:
        """Durable when it returns."""

    async def discard(self, sha256: str) -> None:
        """Repeating it is harmless."""

    async def sweep(self, kept: Collection[str], before_ms: int) -> None:
        """Discard everything but these that was written before `before_ms`, UTC."""


class SoundCutter(Protocol):
    """Cuts sound out of recorded files, where the server has time for it."""

    async def cut(self, files: Sequence[TrackFile], from_ms: int, to_ms: int, *, keep: bool) -> bytes:
        """A WebM of one microphone's files whose time 0 is `from_ms`; empty where nothing was recorded. With `keep` it
        may be remembered: the files do not grow any more. May raise rate_limited, nothing_recorded."""
