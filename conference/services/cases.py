"""What every change of a case has: its consultation, the case held until the rows are written, and its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from conference.model.audit import Actor, AuditEntry, Personal, Value
from conference.model.comment import GONE, Comment
from conference.model.consultation import Consultation
from conference.model.department import Department
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.ids import new_id
from conference.model.response import Response, ResponseState
from conference.services.ports import UnitOfWork
from conference.services.preparing import preparable

_DAY_MS = 86_400_000
_LINK_AFTER_DUE_MS = 30 * _DAY_MS


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case that is to be there: opened, unless its group has one that is not closed."""

    comment: Comment
    authors: int
    actor: Actor
    wall_ms: int
    program_time_ms: int | None
    promotion_id: str | None = None
    suggested_department_id: str | None = None

    async def write(self, unit: UnitOfWork) -> Response:
        """The case, with its line. One that was there is told of the promotion."""
        cases = await unit.responses.of(self.comment.consultation_id)
        there = await self._there(unit, cases)
        if there is not None:
            if self.promotion_id is None or there.promotion_id is not None:
                return there
            linked = replace(there, promotion_id=self.promotion_id)
            await unit.responses.save(linked)
            await unit.audit.append(self._entry("response.promoted", linked))
            return linked
        opened = await unit.responses.open(
            Response(
                id=new_id("rs"),
                consultation_id=self.comment.consultation_id,
                number=0,
                comment_id=self.comment.id,
                group_id=self.comment.group_id,
                promotion_id=self.promotion_id,
                authors=max(1, self.authors),
                state=ResponseState.UNASSIGNED,
                opened_wall_ms=self.wall_ms,
                suggested_department_id=self.suggested_department_id,
            ),
            # One that another node opened since they were read may be of this very group.
            highest=max((each.number for each in cases), default=0),
        )
        await unit.audit.append(self._entry("response.opened", opened))
        return opened

    async def _there(self, unit: UnitOfWork, cases: Sequence[Response]) -> Response | None:
        open_cases = [each for each in cases if each.is_open]
        comments = await unit.comments.named([each.comment_id for each in open_cases])
        groups = {each.id: each.group_id for each in comments}
        for case in open_cases:
            if groups.get(case.comment_id) == self.comment.group_id:
                return await unit.responses.locked(case.id)
        return None

    def _entry(self, action: str, response: Response) -> AuditEntry:
        content: dict[str, Value] = {
            "number": response.number,
            "comment": response.comment_id,
            "group": response.group_id,
            "promotion": response.promotion_id,
            "authors": response.authors,
        }
        return AuditEntry(
            response.consultation_id,
            self.wall_ms,
            self.program_time_ms,
            self.actor,
            action,
            response.id,
            content,
        )


def require_worth_answering(comment: Comment) -> None:
    """comment_changed for what was turned down or taken back, and for what was written for a rehearsal."""
    if comment.state in GONE or comment.is_test:
        raise ConferenceError("comment_changed", f"{comment.state} is not answered")


@dataclass(frozen=True, slots=True)
class CaseChange:
    """A case that is being changed: nobody else can until the transaction ends."""

    unit: UnitOfWork
    consultation: Consultation
    actor: Actor
    wall_ms: int
    program_time_ms: int | None
    response: Response

    @classmethod
    async def begin(
        cls,
        unit: UnitOfWork,
        consultation_id: str,
        response_id: str,
        *,
        actor: Actor,
        wall_ms: int,
        program_time_ms: int | None,
    ) -> CaseChange:
        """Lock it; not_found, or invalid_state when the consultation is sealed or called off."""
        consultation = await preparable(unit, consultation_id)
        response = await unit.responses.locked(response_id)
        if response is None or response.consultation_id != consultation_id:
            raise NotFoundError(f"response {response_id}")
        return cls(unit, consultation, actor, wall_ms, program_time_ms, response)

    def entry(self, action: str, **content: Value) -> AuditEntry:
        """A line about it."""
        said = {name: value for name, value in content.items() if value is not None}
        return AuditEntry(
            self.consultation.id,
            self.wall_ms,
            self.program_time_ms,
            self.actor,
            action,
            self.response.id,
            said,
        )

    async def write(self, after: Response, *entries: AuditEntry) -> Response:
        """The case as it will be, and what is said about it."""
        await self.unit.responses.save(after)
        await self.unit.audit.append_all(list(entries))
        return after

    async def department(self, department_id: str | None) -> Department:
        """One of this consultation's, or not_found."""
        found = None if department_id is None else await self.unit.departments.get(department_id)
        if found is None or found.consultation_id != self.consultation.id:
            raise NotFoundError(f"department {department_id}")
        return found

    async def keep_door_open(self, department: Department, due_wall_ms: int) -> Department:
        """The department's link lasts as long as it has something to answer, and a month."""
        until_ms = due_wall_ms + _LINK_AFTER_DUE_MS
        if department.valid_until_wall_ms >= until_ms:
            return department
        lasting = replace(department, valid_until_wall_ms=until_ms)
        await self.unit.departments.save(lasting)
        return lasting


def personal(text: str | None) -> Personal | None:
    """For a line: nothing where nothing was said."""
    return Personal(text) if text else None


def texts_of(
    comments: Sequence[Comment], representative: Comment, *, only_shown: bool, most: int = 200
) -> list[str]:
    """What others of the group wrote in other words, each wording once."""
    found = dict.fromkeys(
        each.text
        for each in comments
        if each.text != representative.text and (each.is_shown if only_shown else each.state not in GONE)
    )
    return list(found)[:most]
