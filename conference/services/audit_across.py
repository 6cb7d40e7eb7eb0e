"""The trace across consultations, for administrators: newest first, of the own body and those below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from conference.model.audit import STAFF_CHAIN, AuditLine, AuditPlace, AuditSearch
from conference.model.permissions import Action, require
from conference.services.audit import SHOWN_FIELDS, TraceLine
from conference.services.logins import StaffMember
from conference.services.ports import Storage
from conference.services.staff import Staff

SCAN: Final = 20_000  # lines looked at for one page, whatever is filtered: some 70 ms of SQLite's


@dataclass(frozen=True, slots=True)
class AcrossPage:
    """`titles` by the id of the consultation; `next` is where the next page begins, None at the end."""

    lines: tuple[TraceLine, ...]
    titles: dict[str, str]
    next: AuditPlace | None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What somebody looks for; None is everything. Times are UTC ms, `until_ms` not included."""

    consultation_id: str | None = None
    action: str | None = None
    actor: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


class AuditAcross:
    """Reads only. A page may hold few lines, or none, and still name a next one."""

    def __init__(self, storage: Storage, staff: Staff, scan: int = SCAN) -> None:
        self._storage = storage
        self._staff = staff
        self._scan = scan

    async def page(
        self, by: StaffMember, wanted: AuditFilter, before: AuditPlace | None, limit: int
    ) -> AcrossPage:
        """Whose matters `by` may not see are not there."""
        require(by.user.role, Action.ORGANIZATION_WATCH)
        visible = await self._staff.visible(by)
        async with self._storage.reading() as unit:
            search = AuditSearch(
                organization_ids=visible,
                all_staff={each.id for each in await unit.organizations.all()} <= visible,
                chain=wanted.consultation_id,
                action=wanted.action,
                actor=wanted.actor,
                since_ms=wanted.since_ms,
                until_ms=wanted.until_ms,
            )
            lines, following = await unit.audit.across(search, before, limit, self._scan)
            texts = await unit.audit.texts_among([_place(line) for line in lines])
            titles: dict[str, str] = {}
            for chain in {line.chain for line in lines} - {STAFF_CHAIN}:
                consultation = await unit.consultations.get(chain)
                if consultation is not None:
                    titles[chain] = consultation.title
        names: dict[tuple[str, int], dict[str, str]] = {}
        for text in texts:
            if text.field in SHOWN_FIELDS:
                names.setdefault((text.chain, text.number), {})[text.field] = text.text
        traced = (TraceLine(line, names.get((line.chain, line.number), {})) for line in lines)
        return AcrossPage(tuple(traced), titles, following)


def _place(line: AuditLine) -> AuditPlace:
    return AuditPlace(line.at_ms, line.chain, line.number)
