"""Rows of what happens in a consultation: its people, its agenda and floor, its statements, its trace."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from conference.model.agenda import Agenda
from conference.model.attendance import Stay
from conference.model.audit import (
    AuditEntry,
    AuditHead,
    AuditLine,
    AuditPlace,
    AuditSearch,
    AuditText,
)
from conference.model.broadcast import Cut
from conference.model.consultation import Consultation, ProgramGap
from conference.model.export import Export
from conference.model.floor import SpokenTime, Turn
from conference.model.participant import Participant
from conference.model.recording import Recording
from conference.model.statement import Statement, StatementBoard


class ConsultationRepository(Protocol):
    """Rows of consultations and of their gaps."""

    async def get(self, consultation_id: str) -> Consultation | None: ...

    async def live(self) -> list[Consultation]:
        """Those whose program time runs, rehearsed ones among them."""

    async def live_of(self, organization_id: str) -> int:
        """How many of them are of that body."""

    async def ended_before(self, wall_ms: int) -> list[Consultation]:
        """Those that are over, and not archived, since before that time, UTC."""

    async def add(self, consultation: Consultation) -> None:
        """Raises ConferenceError consultation_exists when the id is taken."""

    async def save(self, consultation: Consultation) -> None: ...

    async def delete(self, consultation_id: str) -> None:
        """With everything that belongs to it."""

    async def raise_high_water(self, program_times_ms: Mapping[str, int]) -> None:
        """Note how far program time has come, by consultation id; never lowers it."""

    async def add_gap(self, gap: ProgramGap) -> None: ...

    async def gaps(self, consultation_id: str) -> list[ProgramGap]: ...


class ParticipantRepository(Protocol):
    """Rows of participants, those who left included."""

    async def get(self, participant_id: str) -> Participant | None: ...

    async def of(self, consultation_id: str) -> list[Participant]:
        """Everyone who was ever in it, in the order of joining."""

    async def same_person(
        self,
        consultation_id: str,
        *,
        invitee_id: str | None,
        operated_id: str | None,
        token_id: str,
        user_id: str | None = None,
    ) -> list[Participant]:
        """The clients (no encoders) that this invitee was, else those of this venue's link, else of this
        account, else of this token, those who left included, in the order of joining."""

    async def present(self) -> list[Participant]:
        """Everyone who has not left, in all consultations, in the order of joining."""

    async def save(self, participants: Iterable[Participant]) -> None:
        """Insert or overwrite."""

    async def touch(self, participant_ids: Iterable[str], now_ms: int) -> None:
        """They are connected at `now_ms`."""


class RevocationRepository(Protocol):
    """Token ids (`jti`) that open nothing any more."""

    async def contains(self, token_id: str) -> bool: ...

    async def among(self, token_ids: Collection[str]) -> set[str]:
        """Those of them that are revoked."""

    async def add(self, token_id: str, now_ms: int) -> None:
        """Repeating it is harmless."""


class AuditRepository(Protocol):
    """The trace: one chain of lines per consultation, and one for staff matters."""

    async def append(self, entry: AuditEntry) -> AuditLine:
        """Add the next line of the entry's chain, and lock the chain until the transaction ends.

        Write the rows first and the line last, so that nobody waits with the chain in his hand.
        """

    async def append_all(self, entries: Sequence[AuditEntry]) -> None:
        """The same for many entries of one chain, in their order."""

    async def head(self, chain: str) -> AuditHead:
        """Number and hash of the last line; number 0 when there is none."""

    async def reached_ms(self, chain: str, after: int = 0) -> int | None:
        """The latest program time that a line with a number above `after` bears."""

    async def lines(
        self,
        chain: str,
        after: int = 0,
        limit: int = 100,
        *,
        action: str | None = None,
        actor: str | None = None,
        subject: str | None = None,
        newest: bool = False,
        before: int | None = None,
    ) -> list[AuditLine]:
        """Lines with a number above `after` and below `before`, in order, or the newest first.

        `actor` is an id or a kind of actor.
        """

    async def across(
        self, search: AuditSearch, before: AuditPlace | None, limit: int, scan: int
    ) -> tuple[list[AuditLine], AuditPlace | None]:
        """At most `limit` lines of several chains, newest first, and where to go on, None at the end.

        At most `scan` lines before `before` are looked at: where few are wanted, few or none come at once.
        """

    async def texts_among(self, places: Collection[AuditPlace]) -> list[AuditText]:
        """The personal texts that are still there of these lines, in any order."""

    async def texts(self, chain: str, first: int, last: int) -> list[AuditText]:
        """The personal texts that are still there of the lines `first` to `last`."""

    async def texts_of(self, chain: str, numbers: Sequence[int]) -> list[AuditText]:
        """The same for these lines."""

    async def forget(self, chain: str, number: int) -> None:
        """Delete the personal texts of a line. The chain stays verifiable."""


class AgendaRepository(Protocol):
    """Rows of agenda items."""

    async def get(self, consultation_id: str) -> Agenda: ...

    async def save(self, consultation_id: str, agenda: Agenda) -> None:
        """The whole agenda instead of what was there."""


class FloorRepository(Protocol):
    """Rows of turns: every holding of the floor."""

    async def open_turn(self, consultation_id: str) -> Turn | None:
        """Who holds the floor."""

    async def open_turns(self) -> list[Turn]:
        """The same of all consultations."""

    async def turns(self, consultation_id: str) -> list[Turn]:
        """All of them, in the order of being granted."""

    async def spoken(self, consultation_id: str) -> list[SpokenTime]:
        """Sums by participant and agenda item, without what runs since a turn's `started_at_ms`."""

    async def save(self, turn: Turn) -> None:
        """Insert or overwrite."""


class StatementRepository(Protocol):
    """Rows of written statements and their likes."""

    async def board(self, consultation_id: str) -> StatementBoard: ...

    async def add(self, statement: Statement) -> None: ...

    async def take(self, statement_id: str, taken: bool) -> None: ...

    async def like(self, statement_id: str, participant_id: str, liked: bool) -> None:
        """Repeating it is harmless."""


class StayRepository(Protocol):
    """Rows of attendance."""

    async def of(self, consultation_id: str) -> list[Stay]:
        """In the order of their beginning."""

    async def open(self) -> list[Stay]:
        """Those that have not ended, of all consultations."""

    async def save(self, stay: Stay) -> None:
        """Insert it, or write its end."""


class RecordingRepository(Protocol):
    """Rows of recorded files; those that were deleted are found by `at`, `deleted` and `deleted_paths` alone."""

    async def get(self, recording_id: str) -> Recording | None: ...

    async def of(
        self, consultation_id: str, *, after: str | None = None, limit: int = 100
    ) -> list[Recording]:
        """By the beginning, behind the one with the id `after`."""

    async def at(self, consultation_id: str, paths: Iterable[str]) -> list[Recording]:
        """Those whose files lie there."""

    async def unfinished(self) -> set[str]:
        """Ids of the consultations that have files whose end is not known."""

    async def unfinished_paths(self) -> list[str]:
        """Where these files lie."""

    async def deleted(self, consultation_id: str) -> list[Recording]:
        """Those of which the files were deleted, by the beginning."""

    async def deleted_paths(self) -> list[str]:
        """Where files lay that were deleted."""

    async def save(self, saved: Iterable[Recording]) -> None:
        """Insert, or write the end and the deletion."""


class ExportRepository(Protocol):
    """Rows of exports, without those that were deleted."""

    async def get(self, export_id: str) -> Export | None: ...

    async def of(self, consultation_id: str, *, after: str | None = None, limit: int = 100) -> list[Export]:
        """The newest first, behind the one with the id `after`."""

    async def like(self, wanted: Export) -> Export | None:
        """The one that is the same file of the same, if there is one."""

    async def queued(self) -> list[Export]:
        """Those that are to be made, of all consultations, the oldest first."""

    async def paths(self) -> set[str]:
        """Of all files that are done."""

    async def without_program(self, since_ms: int) -> list[Consultation]:
        """Consultations that ended since that time, UTC, and whose program was never exported, nor its export
        deleted."""

    async def save(self, saved: Iterable[Export]) -> None:
        """Insert, or write what became of it; its progress is not kept."""


class BroadcastCutRepository(Protocol):
    """Rows of what the public may not see."""

    async def of(self, consultation_id: str) -> list[Cut]:
        """In the order in which it was said, reinstated ones included."""

    async def unerased(self) -> list[Cut]:
        """Pauses of the recording that are over and whose files are still there, of all consultations."""

    async def save(self, saved: Iterable[Cut]) -> None:
        """Insert, or write the end, the reinstatement and the erasure."""


class ArchiveRows(Protocol):
    """Everything that belongs to a consultation but the trace, as plain values and without secrets."""

    def tables(self) -> list[str]:
        """Parents before children."""

    def rows(self, table: str, consultation_id: str) -> AsyncGenerator[dict[str, Any], None]:
        """In a lasting order."""
