"""Rows of what there is before a consultation: staff, venues, invitees, background material."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from conference.model.briefing import BriefingFile
from conference.model.consultation import Consultation, Status
from conference.model.invitee import Invitee
from conference.model.invitee_list import InviteeImport
from conference.model.organization import FailedLogins, Organization, StaffSession, User
from conference.model.readiness import Prepared
from conference.model.venue import Venue


class VenueRepository(Protocol):
    """Rows of venues. Removed ones are found by `get` and `among` alone."""

    async def get(self, venue_id: str) -> Venue | None: ...

    async def by_link(self, link_hash: str) -> Venue | None: ...

    async def by_code(self, entry_code: str) -> Venue | None: ...

    async def of(self, consultation_id: str) -> list[Venue]:
        """By position."""

    async def among(self, venue_ids: Iterable[str]) -> list[Venue]:
        """In any order."""

    async def next_position(self, consultation_id: str) -> int:
        """Behind all, removed ones included."""

    async def save(self, saved: Iterable[Venue]) -> None:
        """Insert or overwrite."""


class InviteeRepository(Protocol):
    """Rows of invitees. Removed ones are found by `get` and `among` alone."""

    async def get(self, invitee_id: str) -> Invitee | None: ...

    async def by_link(self, link_hash: str) -> Invitee | None: ...

    async def of(self, consultation_id: str) -> list[Invitee]:
        """By position."""

    async def among(self, invitee_ids: Iterable[str]) -> list[Invitee]:
        """In any order."""

    async def next_position(self, consultation_id: str) -> int:
        """Behind all, removed ones included."""

    async def save(self, saved: Iterable[Invitee]) -> None:
        """Insert or overwrite."""


class InviteeImportRepository(Protocol):
    """Rows of lists of invitees that were read and not taken over yet."""

    async def get(self, consultation_id: str) -> InviteeImport | None: ...

    async def save(self, kept: InviteeImport, good: Collection[int]) -> None:
        """Insert or overwrite; `good` are the numbers of the rows that can be taken over now."""

    async def delete(self, consultation_id: str) -> None: ...


class OrganizationRepository(Protocol):
    """Rows of organizations."""

    async def get(self, organization_id: str) -> Organization | None: ...

    async def named(self, name: str) -> Organization | None: ...

    async def all(self) -> list[Organization]:
        """In the order of their making."""

    async def add(self, organization: Organization) -> None:
        """Raises ConferenceError organization_exists when the name is taken."""

    async def save(self, organization: Organization) -> None:
        """The same."""


class UserRepository(Protocol):
    """Rows of staff accounts."""

    async def get(self, user_id: str) -> User | None: ...

    async def by_login(self, login: str) -> User | None: ...

    async def of(self, organization_ids: Iterable[str]) -> list[User]:
        """In the order of their making, disabled ones included."""

    async def add(self, user: User) -> None:
        """Raises ConferenceError login_taken."""

    async def save(self, user: User) -> None: ...

    async def set_password(self, user_id: str, password_hash: str) -> None: ...

    async def set_failures(self, user_id: str, failures: FailedLogins) -> None: ...


class StaffSessionRepository(Protocol):
    """Rows of who is logged in."""

    async def get(self, token_hash: str) -> StaffSession | None: ...

    async def add(self, session: StaffSession) -> None: ...

    async def delete(self, token_hash: str) -> None: ...

    async def delete_of(self, user_id: str, *, keep: str | None = None) -> None:
        """All of a user but the one with the hash `keep`."""

    async def delete_expired(self, now_ms: int) -> None: ...


class BriefingFileRepository(Protocol):
    """Rows of background material; those that were removed are not found."""

    async def get(self, file_id: str) -> BriefingFile | None: ...

    async def of(self, consultation_id: str) -> list[BriefingFile]:
        """In the order of being added."""

    async def add(self, file: BriefingFile) -> None: ...

    async def save(self, file: BriefingFile) -> None: ...

    async def hashes(self) -> set[str]:
        """The contents that any row names."""


class PreparationRows(Protocol):
    """What is prepared, counted; and the list of consultations."""

    async def prepared(self, consultation_id: str) -> Prepared: ...

    async def consultations(
        self,
        organization_ids: Collection[str],
        *,
        status: Status | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[Consultation]:
        """Those of these organizations and of none: newest schedule first, behind the one with the id `after`."""
