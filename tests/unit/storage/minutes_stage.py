"""A consultation that is over, the record a draft, the summary approved; and each kind of write about minutes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from conference.model.audit import CLI, STAFF_CHAIN, AuditEntry
from conference.model.minutes import Minutes, MinutesKind
from conference.model.organization import Level, Organization
from conference.services.consultations import ConsultationDraft
from conference.services.rooms import RoomLimits
from conference.storage.database import Database
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.services.minutes_stage import CHAIR, GAP, STAFF, TEMPLATE, Writing
from tests.unit.storage.crashing import Kind

BEGAN_MS: Final = 1_700_000_000_000
RECORD, SUMMARY = MinutesKind.RECORD, MinutesKind.SUMMARY


@dataclass
class Minuted:
    """The minutes, written."""

    writing: Writing

    @property
    def database(self) -> Database:
        return self.writing.world.database

    async def noted(self) -> dict[str, Any]:
        async with self.database.reading() as unit:
            heads = {chain: await unit.audit.head(chain) for chain in ("c", STAFF_CHAIN)}
        return {"heads": {chain: [head.number, head.hash] for chain, head in heads.items()}}


async def prepare(database: Database) -> Minuted:
    world = World(database, ManualClock(epoch_ms=BEGAN_MS), RoomLimits())
    await world.consultations.create(ConsultationDraft(title="协商会", id="c"))
    async with database.transaction() as unit:
        await unit.organizations.add(Organization("o", "市政协", Level.CITY, None, 1))
        await unit.audit.append(AuditEntry(STAFF_CHAIN, 1, None, CLI, "organization.added", "o"))
    stage = Minuted(Writing(world))
    await stage.writing.hold()
    await stage.writing.desk.make("c", RECORD, STAFF)
    await _make(stage)
    await _review(SUMMARY)(stage)
    await _approve(SUMMARY)(stage)
    return stage


Write = Callable[[Minuted], Awaitable[object]]


async def _newest(on: Minuted, kind: MinutesKind) -> Minutes:
    return await on.writing.desk.version("c", kind, None, STAFF)


async def _make(on: Minuted) -> None:
    await on.writing.desk.make("c", SUMMARY, STAFF)


async def _say_more(on: Minuted) -> None:
    on.writing.gaps.found = [GAP]


async def _remake(on: Minuted) -> None:
    await _say_more(on)
    minutes = await _newest(on, RECORD)
    await on.writing.desk.make("c", RECORD, STAFF, minutes.revision)


async def _edit(on: Minuted) -> None:
    minutes = await _newest(on, RECORD)
    texts = {"decisions": "（一）增加班车。"}
    await on.writing.desk.edit("c", minutes.id, minutes.revision, texts, STAFF)


def _review(kind: MinutesKind, reason: str = "") -> Write:
    async def review(on: Minuted) -> None:
        minutes = await _newest(on, kind)
        await on.writing.desk.review("c", minutes.id, minutes.revision, STAFF, reason)

    return review


def _approve(kind: MinutesKind) -> Write:
    async def approve(on: Minuted) -> None:
        minutes = await _newest(on, kind)
        await on.writing.desk.approve("c", minutes.id, minutes.revision, CHAIR)

    return approve


async def _review_despite_gaps(on: Minuted) -> None:
    await _say_more(on)
    await _review(RECORD, "没有录音")(on)


def _reopen(kind: MinutesKind) -> Write:
    async def reopen(on: Minuted) -> None:
        minutes = await _newest(on, kind)
        await on.writing.desk.reopen("c", minutes.id, minutes.revision, STAFF)

    return reopen


async def _export(on: Minuted) -> None:
    await on.writing.desk.printed("c", SUMMARY, 1, STAFF, "docx")


async def _set_template(on: Minuted) -> None:
    await on.writing.desk.set_template("o", "纪要.docx", TEMPLATE, STAFF)


async def _remove_template(on: Minuted) -> None:
    await on.writing.desk.remove_template("o", STAFF)


KINDS: Final[dict[str, Kind]] = {
    "minutes.made anew": Kind(_remake),
    "minutes.edited": Kind(_edit),
    "minutes.reviewed": Kind(_review(RECORD)),
    "minutes.reviewed despite gaps": Kind(_review_despite_gaps),
    "minutes.approved": Kind(_approve(RECORD), first=_review(RECORD)),
    "minutes.reopened": Kind(_reopen(RECORD), first=_review(RECORD)),
    "minutes.reopened as the next version": Kind(_reopen(SUMMARY)),
    "minutes.exported": Kind(_export),
    "minutes.template_set": Kind(_set_template),
    "minutes.template_removed": Kind(_remove_template, first=_set_template),
}
