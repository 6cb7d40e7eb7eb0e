"""What recognises speech, and rows of what was said."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from conference.model.terms import Term
from conference.model.transcript import Coverage, Gap, Revision, TranscriptSegment
from conference.model.transcript_place import Place
from conference.worker_events import ListenJob, TranscriberEvent, TranscriberModel


class Transcriber(Protocol):
    """Recognises speech of all rooms of this node in a process of its own, which it starts again when it dies.

    Nothing here waits or raises: what becomes of it is told in events.
    """

    def listen(self, receive: Callable[[TranscriberEvent], None]) -> None:
        """Call `receive` with every event, in order, on the event loop. One listener."""

    def model(self) -> TranscriberModel:
        """The speech model: as the worker found it, else by its files, which may be looked at often."""

    def begin(self, consultation_id: str) -> None:
        """Be ready for the room's tap: TranscriberReady says where. Repeating it is harmless."""

    def end(self, consultation_id: str) -> None:
        """What was said up to now is still told; then its tap is let go. Unknown ids are ignored."""

    def prefer(self, consultation_id: str, participant_ids: Sequence[str]) -> None:
        """Whose speech comes first where not all can be followed, the most important first."""

    def use_terms(self, consultation_id: str, words: Sequence[str]) -> None:
        """Words that are to be expected there, for engines that take hot words."""

    def recognise(self, job: ListenJob) -> None:
        """Listen to files when there is time beside what is live. ListenEnded tells of its end; after the worker
        died, of every job that it had."""

    def cancel(self, job_id: str) -> None:
        """Unknown ids are ignored."""


class TranscriptRepository(Protocol):
    """Rows of segments, of their revisions, and of what was listened to."""

    async def get(self, segment_id: str) -> TranscriptSegment | None: ...

    async def locked(self, segment_ids: Collection[str]) -> dict[str, TranscriptSegment]:
        """Those that are there, by id. Nobody else can change them before this transaction ends."""

    async def of(
        self,
        consultation_id: str,
        *,
        after: Place | str | None = None,
        limit: int | None = None,
        participant_id: str | None = None,
        brief: bool = False,
    ) -> list[TranscriptSegment]:
        """By beginning, then id; behind the place `after`, or behind the one with this id: none when it is gone; of
        one microphone. A `brief` one has neither words nor what the engine said, and is only to be shown."""

    async def following(self, segment: TranscriptSegment) -> TranscriptSegment | None:
        """The next one of the same microphone."""

    async def between(self, consultation_id: str, from_ms: int, to_ms: int) -> list[TranscriptSegment]:
        """Those that overlap this stretch."""

    async def newest(self, consultation_id: str, before_ms: int, limit: int) -> list[TranscriptSegment]:
        """The last ones that began before then, in order, without words and what the engine said."""

    async def save(self, segments: Sequence[TranscriptSegment]) -> None:
        """Insert or overwrite, and have them found by the search."""

    async def remove(self, segment_ids: Sequence[str]) -> None:
        """Joined ones; their revisions stay."""

    async def add_revisions(self, revisions: Sequence[Revision]) -> None:
        """Of segments that are there; before one is removed."""

    async def revisions(self, segment_id: str) -> list[Revision]:
        """In order."""

    async def covered(self, consultation_id: str, participant_id: str | None = None) -> list[Coverage]:
        """In the order of their beginning, those that touch made one."""

    async def cover(self, coverage: Coverage) -> None:
        """This stretch was listened to; makes one with what it touches."""

    async def gaps_noted(self, consultation_id: str) -> list[Gap]:
        """Gaps of which something was noted: waived or failed ones."""

    async def note_gap(self, gap: Gap) -> None:
        """Insert, or overwrite the one of the same participant and stretch."""

    async def search(
        self, consultation_ids: Sequence[str], words: str, *, confidential: bool, limit: int
    ) -> list[TranscriptSegment]:
        """Segments that contain all of these words, also such of two Chinese characters; the newest consultation
        first, then by beginning. Brief ones."""


class TermRepository(Protocol):
    """Rows of terms: of a body (`owner_id` of an organization) and of a consultation."""

    async def of(self, owner_id: str) -> list[Term]:
        """In the order of their wrong spelling."""

    async def revisions(self, owner_ids: Collection[str]) -> dict[str, int]:
        """How often each of these lists was changed: one with the same revision is the same list."""

    async def change(self, owner_id: str, seen: int, gone: Collection[Term], new: Collection[Term]) -> int:
        """Of the list at the revision `seen`; returns the next one. ConferenceError edit_conflict when it is another
        by now."""

    async def replace(self, owner_id: str, terms: Sequence[Term]) -> None:
        """The whole list instead of what was there."""
