"""What a department does behind its link: reads its cases, answers, asks for time, says that one is not its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from conference.clock import Clock
from conference.model.audit import Actor, ActorKind
from conference.model.consultation import Consultation, Status
from conference.model.department import Department
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.ids import hash_secret, is_id
from conference.model.permissions import Role
from conference.model.response import Visibility
from conference.services.case_views import CaseCard, card, urgency
from conference.services.cases import CaseChange, personal, texts_of
from conference.services.ledger import Ledger, Ledgers, ledger_of
from conference.services.links import LinkKind, Links
from conference.services.ports import Storage, UnitOfWork
from conference.services.program import ProgramTimes

_MOST_TIME_MS: Final = 366 * 86_400_000
_GROUP: Final = 400


@dataclass(frozen=True, slots=True)
class DepartmentPage:
    """Everything that a department was asked."""

    consultation: Consultation
    department: Department
    cases: tuple[CaseCard, ...]


class DepartmentDoor:
    """`code` is that of a link; link_not_found for every one that opens nothing, whatever the reason."""

    def __init__(
        self,
        storage: Storage,
        programs: ProgramTimes,
        clock: Clock,
        links: Links,
        ledgers: Ledgers,
        zone: tzinfo,
    ) -> None:
        self._storage = storage
        self._links = links
        self._programs = programs
        self._clock = clock
        self._ledgers = ledgers
        self._zone = zone

    async def look(self, code: str) -> DepartmentPage:
        """Changes nothing: previews and scanners fetch links."""
        async with self._storage.reading() as unit:
            department, consultation = await self._opened(unit, code)
            ledger = await ledger_of(unit, consultation.id)
        cases = sorted(ledger.responses.values(), key=urgency)
        own = [each for each in cases if each.department_id == department.id]
        wall_ms = self._clock.wall_ms()
        return DepartmentPage(
            consultation,
            department,
            tuple(card(ledger, each, wall_ms, self._zone) for each in own),
        )

    async def case(self, code: str, response_id: str) -> tuple[CaseCard, tuple[str, ...]]:
        """One of its cases, and what others wrote alike: only what the public may read."""
        async with self._storage.reading() as unit:
            department, consultation = await self._opened(unit, code)
            ledger = await ledger_of(unit, consultation.id)
            response = ledger.responses.get(response_id)
            if response is None or response.department_id != department.id:
                raise NotFoundError(f"response {response_id}")
            comment = ledger.comment(response)
            group = await unit.comments.in_group(consultation.id, comment.group_id, _GROUP)
        similar = tuple(texts_of(group, comment, only_shown=True))
        return self._card(ledger, response_id), similar

    async def answer(
        self, code: str, response_id: str, text: str, visibility: Visibility, handler: str
    ) -> CaseCard:
        """It waits for the secretariat. Sending the same again is harmless."""
        async with self._changing(code, response_id) as change:
            after = change.response.submitted(text, visibility, handler, change.wall_ms)
            if after is not change.response:
                entry = change.entry(
                    "response.submitted",
                    visibility=visibility.value,
                    text=personal(text),
                    handler=personal(handler),
                )
                await change.write(after, entry)
        return await self._written(change.consultation.id, response_id)

    async def ask_extension(self, code: str, response_id: str, until_wall_ms: int, reason: str) -> CaseCard:
        """More time, if the secretariat grants it. bad_request for a day that is no later, or more than a year away."""
        async with self._changing(code, response_id) as change:
            if until_wall_ms > change.wall_ms + _MOST_TIME_MS:
                raise ConferenceError("bad_request", "until")
            after = change.response.asking_for_time(until_wall_ms, reason, change.wall_ms)
            entry = change.entry(
                "response.extension_asked", until_wall_ms=until_wall_ms, reason=personal(reason)
            )
            await change.write(after, entry)
        return await self._written(change.consultation.id, response_id)

    async def refuse(self, code: str, response_id: str, reason: str) -> CaseCard:
        """Not its matter: from then on it does not see the case any more."""
        async with self._changing(code, response_id) as change:
            after = change.response.refused(reason)
            entry = change.entry(
                "response.refused",
                department=change.response.department_id,
                name=change.actor.name,
                reason=personal(reason),
            )
            await change.write(after, entry)
        return await self._written(change.consultation.id, response_id)

    # ── used above ──────────────────────────────────────────────────────────────────────────────

    async def _opened(self, unit: UnitOfWork, code: str) -> tuple[Department, Consultation]:
        department = await unit.departments.by_link(hash_secret(code)) if is_id(code) else None
        if department is None or self._clock.wall_ms() >= department.valid_until_wall_ms:
            raise ConferenceError("link_not_found")
        if self._links.is_void(LinkKind.DEPARTMENT, department):
            raise ConferenceError("link_not_found")
        consultation = await unit.consultations.get(department.consultation_id)
        if consultation is None or consultation.status is Status.CANCELLED:
            raise ConferenceError("link_not_found")
        return department, consultation

    @asynccontextmanager
    async def _changing(self, code: str, response_id: str) -> AsyncIterator[CaseChange]:
        async with self._storage.transaction() as unit:
            department, consultation = await self._opened(unit, code)
            actor = Actor(ActorKind.DEPARTMENT, department.id, Role.DEPARTMENT.value, department.name)
            change = await CaseChange.begin(
                unit,
                consultation.id,
                response_id,
                actor=actor,
                wall_ms=self._clock.wall_ms(),
                program_time_ms=self._programs.now_ms(consultation),
            )
            if change.response.department_id != department.id:
                raise NotFoundError(f"response {response_id}")
            yield change

    async def _written(self, consultation_id: str, response_id: str) -> CaseCard:
        self._ledgers.forget(consultation_id)
        async with self._storage.reading() as unit:
            ledger = await ledger_of(unit, consultation_id)
        return self._card(ledger, response_id)

    def _card(self, ledger: Ledger, response_id: str) -> CaseCard:
        return card(ledger, ledger.responses[response_id], self._clock.wall_ms(), self._zone)
