"""Rows of minutes and of the templates that bodies put them into."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Protocol

from conference.model.minutes import EarlierText, Minutes, MinutesKind, MinutesTemplate
from conference.model.transcript import Gap, TranscriptSegment

if TYPE_CHECKING:
    from conference.services.ports.storage import UnitOfWork


class MinutesRepository(Protocol):
    """Rows of minutes, every version of them."""

    async def get(self, minutes_id: str) -> Minutes | None: ...

    async def of(self, consultation_id: str) -> list[Minutes]:
        """All versions of both kinds, by kind, then version."""

    async def brief(self, consultation_id: str) -> list[Minutes]:
        """The same without their sections."""

    async def version(self, consultation_id: str, kind: MinutesKind, version: int | None) -> Minutes | None:
        """That one, the newest for None."""

    async def newest(self, consultation_id: str, kind: MinutesKind) -> Minutes | None: ...

    async def add(self, minutes: Minutes) -> None:
        """Raises ConferenceError edit_conflict when there is one of that kind and version."""

    async def save(self, minutes: Minutes) -> None:
        """What became of it. Raises edit_conflict unless the row holds the revision before."""

    async def seal(self, minutes: Minutes) -> None:
        """Write what is printed on approved ones."""

    async def keep(self, text: EarlierText) -> None:
        """What stood in a draft before."""

    async def earlier(
        self, minutes_id: str, *, before: int | None = None, limit: int | None = None
    ) -> list[EarlierText]:
        """The newest first, of revisions before that one."""

    async def keep_layout(self, minutes: Minutes, template: bytes) -> None:
        """The template that approved ones are printed by, whatever the body uses later."""

    async def layout(self, minutes_id: str) -> bytes | None: ...


class MinutesSourcesRepository(Protocol):
    """What minutes are made of, counted where the rows are: it is asked each time somebody looks."""

    async def later_changes(self, consultation_id: str, number: int) -> int:
        """How many lines of the trace behind this one changed the transcript, the statements or the agenda."""

    async def doubts(self, consultation_id: str) -> tuple[int, int]:
        """Segments whose speaker is uncertain, and unclear ones."""

    async def confidential_texts(self, consultation_id: str) -> list[str]:
        """Of segments that are not for everybody."""

    async def is_said_openly(self, consultation_id: str, words: str) -> bool:
        """Whether a segment that is for everybody has these very words."""

    async def said_by(
        self, consultation_id: str, participant_ids: Collection[str], name: str | None
    ) -> list[TranscriptSegment]:
        """Of these microphones, and of whoever bears this name, by beginning, then id. Brief ones."""


class MinutesTemplateRepository(Protocol):
    """Rows of templates: one a body."""

    async def get(self, organization_id: str) -> MinutesTemplate | None: ...

    async def content(self, organization_id: str) -> bytes | None:
        """The file itself."""

    async def save(self, template: MinutesTemplate, content: bytes) -> None:
        """Insert, or put in the place of the one that was there."""

    async def delete(self, organization_id: str) -> None:
        """Repeating it is harmless."""


class GapReader(Protocol):
    """Knows what is missing in a transcript."""

    async def gaps(self, consultation_id: str) -> Sequence[Gap]:
        """In the order of their beginning."""

    async def gaps_in(self, unit: UnitOfWork, consultation_id: str) -> Sequence[Gap]:
        """The same, as the rows are in this transaction."""


class TemplateChecker(Protocol):
    """Tries templates where they can do no harm."""

    async def check(self, content: bytes) -> None:
        """Raises ConferenceError template_refused, with `reason` and, for faults in the text, `said`."""
