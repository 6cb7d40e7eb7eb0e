"""Telling departments: noting what is due to be said, handing it over, and trying again what could not be sent.

What is to be sent is a row before anybody tries, and is tried until it is taken: a server that is killed in between
sends it again with the same key. The words are made when it is sent, so that a link that was renewed meanwhile is in
them.
"""

from __future__ import annotations

import asyncio
from datetime import tzinfo
from typing import Final

import structlog

from conference.clock import Clock
from conference.model.audit import SYSTEM, AuditEntry, Value
from conference.model.consultation import Consultation, Status
from conference.model.department import Department
from conference.model.due import local, overdue_days, reminder_key
from conference.model.errors import ConferenceError
from conference.model.notice import LEASE_MS, Notice, NoticeKind, NoticeState
from conference.model.response import Response, ResponseState
from conference.services.links import LinkKind, Links
from conference.services.notices import Notices
from conference.services.ports import Letter, NotSentError, Storage, UnitOfWork
from conference.services.program import ProgramTimes

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 20
_SEND_S: Final = 60.0  # less than the lease
_LOOK_MS: Final = 60_000  # how often it is looked what became due
_OVER: Final = (Status.ARCHIVED, Status.CANCELLED)


class Reminders:
    """Call `tick` every few seconds, on as many servers as there are."""

    def __init__(
        self,
        storage: Storage,
        programs: ProgramTimes,
        clock: Clock,
        notices: Notices,
        links: Links,
        zone: tzinfo,
    ) -> None:
        self._storage = storage
        self._programs = programs
        self._clock = clock
        self._notices = notices
        self._links = links
        self._zone = zone
        self._looked_ms: int | None = None

    async def tick(self) -> None:
        """Note what became due, once a minute, and send what is noted."""
        if not self._notices.notifiers:
            return
        wall_ms = self._clock.wall_ms()
        if self._looked_ms is None or abs(wall_ms - self._looked_ms) >= _LOOK_MS:
            await self.note_due()
            self._looked_ms = wall_ms
        await self.send()

    # ── what is due to be said ──────────────────────────────────────────────────────────────────

    async def note_due(self) -> None:
        """Each department that is to be reminded of something, once for each occasion."""
        wall_ms = self._clock.wall_ms()
        async with self._storage.reading() as unit:
            assigned = await unit.responses.in_state(ResponseState.ASSIGNED)
            keys = {each.id: reminder_key(each, wall_ms, self._zone) for each in assigned}
            noted = await unit.notices.keys([each for each, key in keys.items() if key is not None])
            due = [
                each
                for each in assigned
                if (key := keys[each.id]) is not None
                and (each.id, key) not in noted
                and await self._is_told(unit, each)
            ]
        for each in due:
            await self._note(each.id, wall_ms)

    async def _is_told(self, unit: UnitOfWork, response: Response) -> bool:
        """Whether anything can be said: SQLite's one writer is not asked every minute for what never can."""
        consultation = await unit.consultations.get(response.consultation_id)
        department = await unit.departments.get(response.department_id or "")
        return (
            consultation is not None
            and consultation.status not in _OVER
            and department is not None
            and self._notices.reaches(department)
        )

    async def _note(self, response_id: str, wall_ms: int) -> None:
        async with self._storage.transaction() as unit:
            response = await unit.responses.locked(response_id)
            key = None if response is None else reminder_key(response, wall_ms, self._zone)
            if response is None or key is None:
                return  # it changed meanwhile
            if (response_id, key) in await unit.notices.keys([response_id]):
                return  # another server was faster
            consultation = await unit.consultations.get(response.consultation_id)
            department = await unit.departments.get(response.department_id or "")
            if consultation is None or consultation.status in _OVER or department is None:
                return
            kind = NoticeKind(key.partition(":")[0])
            noted = await self._notices.note(unit, response, department, kind, key, wall_ms)
            if noted:
                reminded = response.reminded_once_more()
                await unit.responses.save(reminded)
                channels = [each.channel.value for each in noted]
                await unit.audit.append(
                    self._entry(
                        consultation, "response.reminded", response.id, kind=kind.value, channels=channels
                    )
                )

    # ── handing it over ─────────────────────────────────────────────────────────────────────────

    async def send(self) -> None:
        """Everything that waits and whose time has come."""
        async with self._storage.reading() as unit:
            channels = self._notices.notifiers.keys()
            waiting = await unit.notices.waiting(self._clock.wall_ms(), channels, _AT_ONCE)
        for notice in waiting:
            if await self._leased(notice):
                await self._send(notice)

    async def _leased(self, notice: Notice) -> bool:
        async with self._storage.transaction() as unit:
            return await unit.notices.lease(notice, self._clock.wall_ms() + LEASE_MS)

    async def _send(self, notice: Notice) -> None:
        async with self._storage.reading() as unit:
            letter = await self._letter(unit, notice)
        if letter is None:
            await self._over(notice, NoticeState.DROPPED)
            return
        try:
            async with asyncio.timeout(_SEND_S):
                await self._notices.notifiers[notice.channel].send(letter)
        except (NotSentError, TimeoutError) as error:
            is_final = isinstance(error, NotSentError) and error.is_final
            reason = error.reason if isinstance(error, NotSentError) else "timeout"
            log.warning("reminders.not_sent", channel=notice.channel.value, reason=reason)
            await self._failed(notice, reason, is_final=is_final)
            return
        await self._over(notice, NoticeState.SENT)

    async def _letter(self, unit: UnitOfWork, notice: Notice) -> Letter | None:
        """None when there is nothing to say any more."""
        response = await unit.responses.get(notice.response_id)
        department = await unit.departments.get(notice.department_id)
        consultation = await unit.consultations.get(notice.consultation_id)
        if response is None or department is None or consultation is None or consultation.status in _OVER:
            return None
        if response.state is not ResponseState.ASSIGNED or response.department_id != department.id:
            return None
        if not self._notices.notifiers[notice.channel].reaches(department):
            return None
        link = None
        if self._links.is_public:
            link = self._links.address(LinkKind.DEPARTMENT, department)
        label = response.label(self._zone)
        subject, text = self._words(notice.kind, response, department, consultation, label, link)
        return Letter(notice.id, notice.kind, department, label, consultation.title, subject, text, link)

    def _words(
        self,
        kind: NoticeKind,
        response: Response,
        department: Department,
        consultation: Consultation,
        label: str,
        link: str | None,
    ) -> tuple[str, str]:
        """Nothing of what the public wrote: that is read behind the link."""
        wall_ms = self._clock.wall_ms()
        days = overdue_days(response, wall_ms, self._zone)
        due = local(response.due_wall_ms or wall_ms, self._zone)
        until = f"{due.month} 月 {due.day} 日"
        if kind is NoticeKind.ASSIGNED:
            subject, what = f"请办理答复：{label}", f"有一件网友留言请贵单位答复，{until}前提交。"
        elif kind is NoticeKind.RETURNED:
            subject, what = (
                f"请补充答复：{label}",
                f"贵单位的答复被退回补充，{until}前重新提交，理由见办理页。",
            )
        elif days:
            subject, what = f"已逾期：{label}", f"这件已逾期 {days} 个工作日（{until}到期），请尽快答复。"
        elif local(wall_ms, self._zone).date() == due.date():
            subject, what = f"今天到期：{label}", "这件今天到期，请在下班前提交答复。"
        else:
            subject, what = f"即将到期：{label}", f"这件{until}到期，请按时提交答复。"
        where = (
            f"打开链接即可办理，不用登录，请勿转发：\n{link}"
            if link
            else "请打开会务组发给您的办理链接提交答复。"
        )
        text = f"{department.name}：\n{label}（{consultation.title}）\n{what}\n{where}\n"
        return subject, text

    async def _failed(self, notice: Notice, reason: str, *, is_final: bool) -> None:
        wall_ms = self._clock.wall_ms()
        after = notice.done(NoticeState.FAILED, wall_ms) if is_final else notice.tried(wall_ms)
        if after.state is NoticeState.FAILED:
            await self._over(notice, NoticeState.FAILED, reason)
            return
        async with self._storage.transaction() as unit:
            await unit.notices.save(after)
            await self._trace(unit, after, "notice.delayed", reason)

    async def _over(self, notice: Notice, state: NoticeState, reason: str | None = None) -> None:
        actions = {
            NoticeState.SENT: "notice.sent",
            NoticeState.FAILED: "notice.failed",
            NoticeState.DROPPED: "notice.dropped",
        }
        async with self._storage.transaction() as unit:
            after = notice.done(state, self._clock.wall_ms())
            await unit.notices.save(after)
            await self._trace(unit, after, actions[state], reason)

    async def _trace(self, unit: UnitOfWork, notice: Notice, action: str, reason: str | None) -> None:
        """About the case, so that it stands in what was done about it."""
        consultation = await unit.consultations.get(notice.consultation_id)
        if consultation is None:
            raise ConferenceError("consultation_not_found", notice.consultation_id)
        content: dict[str, Value] = {
            "kind": notice.kind.value,
            "channel": notice.channel.value,
            "attempts": notice.attempts,
        }
        if reason is not None:
            content["fault"] = reason
        await unit.audit.append(self._entry(consultation, action, notice.response_id, **content))

    def _entry(
        self, consultation: Consultation, action: str, response_id: str, **content: Value
    ) -> AuditEntry:
        return AuditEntry(
            consultation.id,
            self._clock.wall_ms(),
            self._programs.now_ms(consultation),
            SYSTEM,
            action,
            response_id,
            content,
        )
