"""Rows of departments and of the cases that they answer, and how departments are told."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from conference.model.department import Department
from conference.model.notice import Channel, Notice, NoticeKind
from conference.model.response import FollowUp, Response, ResponseRating, ResponseState


class DepartmentRepository(Protocol):
    """Rows of departments."""

    async def of(self, consultation_id: str) -> list[Department]:
        """In the order in which they were added."""

    async def get(self, department_id: str) -> Department | None: ...

    async def by_link(self, link_hash: str) -> Department | None: ...

    async def save(self, department: Department) -> None:
        """Insert or overwrite; department_in_use when another one has the name."""


class ResponseRepository(Protocol):
    """Rows of cases, of ratings and of further questions."""

    async def of(self, consultation_id: str) -> list[Response]:
        """By number."""

    async def in_state(self, state: ResponseState) -> list[Response]:
        """Of all consultations."""

    async def shown_totals(self, consultation_id: str) -> tuple[int, int]:
        """How many the public knows of, those whose comments are shown; and how many of them were answered."""

    async def get(self, response_id: str) -> Response | None: ...

    async def locked(self, response_id: str) -> Response | None:
        """The case, which nobody else can change before this transaction ends."""

    async def open(self, response: Response, highest: int | None = None) -> Response:
        """Add it with the next number of its consultation; stale when somebody else took that meanwhile.

        `highest` is the last number that the caller has seen, when what it has seen must still be all there is.
        """

    async def save(self, response: Response) -> None:
        """Write what changes of one that is there."""

    async def rate(self, rating: ResponseRating) -> None:
        """Insert, or overwrite what this device said before."""

    async def ratings(self, consultation_id: str) -> list[ResponseRating]: ...

    async def add_follow_up(self, follow_up: FollowUp) -> None: ...

    async def follow_ups(self, consultation_id: str) -> list[FollowUp]:
        """In the order of arrival."""


class NoticeRepository(Protocol):
    """Rows of notices: what is sent survives a killed server, and is noted once."""

    async def add(self, added: Iterable[Notice]) -> list[Notice]:
        """Returns those whose case, key and channel were not there yet; the others change nothing."""

    async def keys(self, response_ids: Collection[str]) -> set[tuple[str, str]]:
        """Case and key of all that was ever noted of these cases."""

    async def of(self, response_id: str) -> list[Notice]:
        """In the order in which they were noted."""

    async def waiting(self, wall_ms: int, channels: Collection[Channel], limit: int) -> list[Notice]:
        """What is to be tried by then on one of these channels, the oldest first."""

    async def lease(self, notice: Notice, until_wall_ms: int) -> bool:
        """Nobody else tries it until then; False when somebody else was faster."""

    async def save(self, notice: Notice) -> None:
        """Write what became of it."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a department is told. `key` stays the same when it is tried again; `link` is None where the server does
    not know its own public address."""

    key: str
    kind: NoticeKind
    to: Department
    label: str
    title: str
    subject: str
    text: str
    link: str | None


class NotSentError(Exception):
    """It could not be handed over. `is_final`: trying again would not help. The message is for the log and names
    neither address nor text."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_final = is_final


class Notifier(Protocol):
    """One channel."""

    @property
    def channel(self) -> Channel: ...

    def reaches(self, department: Department) -> bool:
        """Whether it has an address there."""

    async def send(self, letter: Letter) -> None:
        """Hand it over; returns when the other side took it. Raises NotSentError."""
