"""Noting that a department is to be told something. What is noted is sent, also after the server was killed."""

from __future__ import annotations

from collections.abc import Sequence

from conference.model.department import Department
from conference.model.ids import new_id
from conference.model.notice import Notice, NoticeKind, NoticeState
from conference.model.response import Response
from conference.services.ports import Notifier, UnitOfWork


class Notices:
    """`notifiers`: the channels that this server has."""

    def __init__(self, notifiers: Sequence[Notifier]) -> None:
        self.notifiers = {each.channel: each for each in notifiers}

    def reaches(self, department: Department) -> bool:
        """Whether there is any way to tell it something."""
        return any(each.reaches(department) for each in self.notifiers.values())

    async def note(
        self,
        unit: UnitOfWork,
        response: Response,
        department: Department,
        kind: NoticeKind,
        key: str,
        wall_ms: int,
    ) -> list[Notice]:
        """One for each channel that reaches it; none where this occasion was noted before."""
        return await unit.notices.add(
            Notice(
                id=new_id("n"),
                consultation_id=response.consultation_id,
                response_id=response.id,
                department_id=department.id,
                kind=kind,
                key=key,
                channel=each.channel,
                state=NoticeState.QUEUED,
                attempts=0,
                next_wall_ms=wall_ms,
                created_wall_ms=wall_ms,
            )
            for each in self.notifiers.values()
            if each.reaches(department)
        )
