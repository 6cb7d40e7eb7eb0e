"""A transcript of three sentences, and each kind of write about it: corrections, terms, proposals, files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from conference.model.permissions import Role
from conference.model.terms import Term
from conference.services.consultations import ConsultationDraft
from conference.services.proposals import Proposals
from conference.services.rooms import RoomLimits
from conference.services.term_lists import TermLists
from conference.services.terms import Terms
from conference.services.transcript_editing import SegmentPatch, SpeakerChoice, TranscriptEditing
from conference.services.transcript_news import TranscriptNews
from conference.services.transcripts import Transcripts
from conference.storage.database import Database
from tests.support.transcripts import keep, said
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.storage.crashing import Kind

BEGAN_MS: Final = 1_700_000_000_000
STAFF: Final = World.bearer(Role.SECRETARIAT)
FIRST, SECOND = "seg_0001", "seg_0002"


@dataclass
class Written:
    """It is over, and nobody corrected anything yet."""

    world: World

    @property
    def database(self) -> Database:
        return self.world.database

    @cached_property
    def news(self) -> TranscriptNews:
        return TranscriptNews(self.world.rooms)

    @cached_property
    def editing(self) -> TranscriptEditing:
        return TranscriptEditing(self.world.rooms, self.news)

    @cached_property
    def terms(self) -> Terms:
        return Terms(self.world.rooms, TermLists(self.database), self.news)

    async def noted(self) -> dict[str, Any]:
        async with self.database.reading() as unit:
            head = await unit.audit.head("c")
            return {"number": head.number, "hash": head.hash}


async def prepare(database: Database) -> Written:
    world = World(database, ManualClock(epoch_ms=BEGAN_MS), RoomLimits())
    await world.consultations.create(ConsultationDraft(title="协商会", id="c"))
    segments = [said(1, "老旧", "小区", "改造"), said(2, "住餐", "点"), said(3, "同意")]
    await keep(database, segments)
    return Written(world)


Write = Callable[[Written], Awaitable[object]]


def _edit(**patch: Any) -> Write:
    return lambda on: on.editing.edit("c", STAFF, FIRST, 1, SegmentPatch(**patch))


def _split(on: Written) -> Awaitable[object]:
    return on.editing.split("c", STAFF, FIRST, 1, 2)


def _join(on: Written) -> Awaitable[object]:
    return on.editing.join("c", STAFF, FIRST, 1, 1)


def _restore(on: Written) -> Awaitable[object]:
    return on.editing.restore("c", STAFF, FIRST, 2, 1)


def _replace(on: Written) -> Awaitable[object]:
    return on.editing.replace("c", STAFF, "小区", "社区", [(FIRST, 1)])


def _propose(on: Written) -> Awaitable[object]:
    return Proposals(on.world.rooms, on.news).propose("c", {FIRST: "老旧小区的改造。"}, "better")


def _decide(*, accept: bool) -> Write:
    return lambda on: on.editing.decide("c", STAFF, FIRST, 2, accept=accept)


def _name_terms(on: Written) -> Awaitable[object]:
    return on.terms.put("c", STAFF, [Term("助餐", "住餐")])


def _render(on: Written) -> Awaitable[object]:
    return on.terms.tick()


def _give_out(on: Written) -> Awaitable[object]:
    return Transcripts(on.world.rooms).given_out("c", STAFF, "txt")


KINDS: Final[dict[str, Kind]] = {
    "transcript.edited": Kind(_edit(text="老旧小区改建。")),
    "transcript.speaker_named": Kind(_edit(speaker=SpeakerChoice(name="李委员"))),
    "transcript.marked": Kind(_edit(is_unclear=True, is_confidential=True)),
    "transcript.split": Kind(_split),
    "transcript.joined": Kind(_join),
    "transcript.restored": Kind(_restore, first=_edit(text="老旧小区改建。")),
    "transcript.replaced": Kind(_replace),
    "transcript.proposed": Kind(_propose),
    "transcript.proposal_taken": Kind(_decide(accept=True), first=_propose),
    "transcript.proposal_refused": Kind(_decide(accept=False), first=_propose),
    "terms.changed": Kind(_name_terms),
    "transcript.rendered": Kind(_render, first=_name_terms),
    "transcript.exported": Kind(_give_out),
}
