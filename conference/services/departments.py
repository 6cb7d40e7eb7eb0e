"""Departments (办理部门): who is asked for answers, and the link that each of them has instead of an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from conference.clock import Clock
from conference.model.audit import AuditEntry, Personal, Value
from conference.model.consultation import Consultation
from conference.model.department import LINK_DAYS, MAX_DEPARTMENTS, Department
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.ids import new_id
from conference.model.permissions import Action, allowed, require
from conference.services.ledger import Ledger, Ledgers
from conference.services.links import LinkKind, Links
from conference.services.ports import Storage, UnitOfWork
from conference.services.preparing import changes_between, preparable
from conference.services.trace import Bearer

EDITABLE: Final = ("name", "contact", "email", "phone")
_PERSONAL: Final = frozenset({"contact", "email"})
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class DepartmentDraft:
    """What is said of a new one. Empty where nothing is known."""

    name: str
    contact: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class DepartmentView:
    """`open`: what it has still to answer; `total`: all that it was asked. How to reach it is told to those alone who
    manage the ledger."""

    id: str
    name: str
    contact: str
    email: str
    phone: str
    open: int
    total: int
    valid_until_wall_ms: int


class Departments:
    """Every change of a department goes through here."""

    def __init__(self, storage: Storage, clock: Clock, links: Links, ledgers: Ledgers) -> None:
        self._storage = storage
        self._clock = clock
        self._links = links
        self._ledgers = ledgers

    async def list(self, consultation_id: str, by: Bearer) -> list[DepartmentView]:
        """In the order in which they were added."""
        require(by.role, Action.RESPONSE_READ)
        ledger = await self._ledgers.get(consultation_id)
        return [_view(ledger, each, by) for each in ledger.departments.values()]

    async def view(self, consultation_id: str, by: Bearer, department_id: str) -> DepartmentView:
        """One of them."""
        require(by.role, Action.RESPONSE_READ)
        ledger = await self._ledgers.get(consultation_id)
        department = ledger.departments.get(department_id)
        if department is None:
            raise NotFoundError(f"department {department_id}")
        return _view(ledger, department, by)

    async def add(self, consultation_id: str, by: Bearer, draft: DepartmentDraft) -> Department:
        """A new one, with a link. department_in_use when the name is taken."""
        require(by.role, Action.RESPONSE_MANAGE)
        department_id, wall_ms = new_id("dp"), self._clock.wall_ms()
        async with self._storage.transaction() as unit:
            consultation = await preparable(unit, consultation_id)
            if len(await unit.departments.of(consultation_id)) >= MAX_DEPARTMENTS:
                raise ConferenceError("too_many_departments", f"{MAX_DEPARTMENTS}")
            department = Department(
                id=department_id,
                consultation_id=consultation_id,
                name=draft.name,
                contact=draft.contact,
                email=draft.email,
                phone=draft.phone,
                link_revision=1,
                link_hash=self._links.hash(LinkKind.DEPARTMENT, department_id, 1),
                valid_until_wall_ms=_valid_until_ms(consultation, wall_ms),
                created_wall_ms=wall_ms,
            )
            content: dict[str, Value] = {"department": department.name}
            if department.contact:
                content["contact"] = Personal(department.contact)
            await self._save(unit, department, by, "department.added", content)
        self._ledgers.forget(consultation_id)
        return department

    async def edit(
        self, consultation_id: str, by: Bearer, department_id: str, changes: Mapping[str, Any]
    ) -> Department:
        """Fields of EDITABLE; what is not named stays."""
        require(by.role, Action.RESPONSE_MANAGE)
        async with self._storage.transaction() as unit:
            before = await self._department(unit, consultation_id, department_id)
            after = replace(before, **{name: changes[name] for name in EDITABLE if name in changes})
            if after != before:
                content = changes_between(before, after, EDITABLE, _PERSONAL)
                await self._save(unit, after, by, "department.edited", content)
        self._ledgers.forget(consultation_id)
        return after

    async def link(self, consultation_id: str, by: Bearer, department_id: str) -> str:
        """The link that is good now."""
        require(by.role, Action.RESPONSE_MANAGE)
        async with self._storage.reading() as unit:
            department = await unit.departments.get(department_id)
        if department is None or department.consultation_id != consultation_id:
            raise NotFoundError(f"department {department_id}")
        return self.address(department)

    def address(self, department: Department) -> str:
        """Its link, for whoever may know it."""
        return self._links.address(LinkKind.DEPARTMENT, department)

    async def renew(self, consultation_id: str, by: Bearer, department_id: str) -> str:
        """Another link, as long as a new one is good; the old one opens nothing any more."""
        require(by.role, Action.RESPONSE_MANAGE)
        async with self._storage.transaction() as unit:
            before = await self._department(unit, consultation_id, department_id)
            consultation = await preparable(unit, consultation_id)
            valid_ms = max(before.valid_until_wall_ms, _valid_until_ms(consultation, self._clock.wall_ms()))
            department = replace(
                self._links.renewed(LinkKind.DEPARTMENT, before), valid_until_wall_ms=valid_ms
            )
            content: dict[str, Value] = {
                "department": department.name,
                "revision": department.link_revision,
            }
            await self._save(unit, department, by, "department.link_renewed", content)
        self._ledgers.forget(consultation_id)
        return self.address(department)

    @staticmethod
    async def _department(unit: UnitOfWork, consultation_id: str, department_id: str) -> Department:
        await preparable(unit, consultation_id)
        department = await unit.departments.get(department_id)
        if department is None or department.consultation_id != consultation_id:
            raise NotFoundError(f"department {department_id}")
        return department

    async def _save(
        self,
        unit: UnitOfWork,
        department: Department,
        by: Bearer,
        action: str,
        content: Mapping[str, Value],
    ) -> None:
        await unit.departments.save(department)
        now_ms = self._clock.wall_ms()
        await unit.audit.append(
            AuditEntry(department.consultation_id, now_ms, None, by.actor, action, department.id, content)
        )


def _view(ledger: Ledger, department: Department, by: Bearer) -> DepartmentView:
    is_managing = allowed(by.role, Action.RESPONSE_MANAGE)
    cases = [each for each in ledger.responses.values() if each.department_id == department.id]
    return DepartmentView(
        id=department.id,
        name=department.name,
        contact=department.contact if is_managing else "",
        email=department.email if is_managing else "",
        phone=department.phone if is_managing else "",
        open=sum(each.is_open and not each.is_answered for each in cases),
        total=len(cases),
        valid_until_wall_ms=department.valid_until_wall_ms,
    )


def _valid_until_ms(consultation: Consultation, wall_ms: int) -> int:
    """Ninety days after the public may comment no more; where no day is set, after the end, or from now."""
    closing = consultation.closing_at_ms or consultation.ended_at_ms or consultation.ends_at_ms or wall_ms
    return max(closing, wall_ms) + LINK_DAYS * _DAY_MS
