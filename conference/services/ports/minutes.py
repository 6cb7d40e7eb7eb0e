"""Rows of minutes and of the templates that bodies put them into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from conference.model.minutes import Minutes, MinutesKind, MinutesTemplate
from conference.model.transcript import Gap


class MinutesRepository(Protocol):
    """Rows of minutes, every version of them."""

    async def get(self, minutes_id: str) -> Minutes | None: ...

    async def of(self, consultation_id: str) -> list[Minutes]:
        """All versions of both kinds, by kind, then version."""

    async def newest(self, consultation_id: str, kind: MinutesKind) -> Minutes | None: ...

    async def add(self, minutes: Minutes) -> None:
        """Raises ConferenceError edit_conflict when there is one of that kind and version."""

    async def save(self, minutes: Minutes) -> None:
        """What became of it. Raises edit_conflict unless the row holds the revision before."""

    async def seal(self, minutes: Minutes) -> None:
        """Write what is printed on approved ones."""


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


class TemplateChecker(Protocol):
    """Tries templates where they can do no harm."""

    async def check(self, content: bytes) -> None:
        """Raises ConferenceError template_refused, with `reason` and, for faults in the text, `said`."""
