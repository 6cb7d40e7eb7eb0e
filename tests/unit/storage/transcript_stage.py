"""A transcript of three sentences, and each kind of write about it: corrections, terms, proposals, files."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from conference.model.audit import CLI, AuditEntry
from conference.model.consultation import Status
from conference.model.permissions import Role
from conference.model.second_pass import BetterText
from conference.model.terms import Term
from conference.model.transcript_place import Place
from conference.services.consultations import ConsultationDraft
from conference.services.proposals import Proposals
from conference.services.rooms import RoomLimits
from conference.services.second_passes import SecondPasses
from conference.services.term_lists import TermLists
from conference.services.terms import Terms
from conference.services.transcript_editing import SegmentPatch, SpeakerChoice, TranscriptEditing
from conference.services.transcript_news import TranscriptNews
from conference.services.transcripts import Transcripts
from conference.storage.database import Database
from conference.worker_events import Reheard
from tests.support.eventually import eventually
from tests.support.transcripts import keep, recorded, said
from tests.unit.services.conftest import World
from tests.unit.services.fakes import MODEL, ManualClock, ScriptedRecorder, ScriptedSecondListener
from tests.unit.storage.crashing import Kind

BEGAN_MS: Final = 1_700_000_000_000
STAFF: Final = World.bearer(Role.SECRETARIAT)
FIRST: Final = "seg_0001"
RECORDED: Final = "m.webm"


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
    async with database.transaction() as unit:
        consultation = await unit.consultations.get("c")
        assert consultation is not None
        await unit.consultations.save(replace(consultation, status=Status.ENDED))
        await unit.recordings.save([recorded("p1", RECORDED, 40_000)])
        await unit.audit.append(AuditEntry("c", 1, 0, CLI, "recording.file_closed"))
    Path(RECORDED).touch()  # noqa: ASYNC240 there is nothing else to do
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


async def _propose(on: Written, text: str = "老旧小区的改造。") -> object:
    async with on.database.reading() as unit:
        run = await unit.second_passes.get("c")
        segment = await unit.transcript.get(FIRST)
    assert run is not None
    assert segment is not None
    better = BetterText(FIRST, (segment.start_ms, segment.end_ms), text)
    proposals = Proposals(on.world.rooms, on.news)
    return await proposals.propose(run, [better], after=Place.of(segment), done=1, unheard=0)


def _hear_the_same(on: Written) -> Awaitable[object]:
    return _propose(on, "老旧小区改造")


def _passes(on: Written, listener: ScriptedSecondListener) -> SecondPasses:
    lists, recorder = TermLists(on.database), ScriptedRecorder(Path())
    return SecondPasses(on.world.rooms, listener, recorder, lists, on.news)


def _ask(on: Written) -> Awaitable[object]:
    return _passes(on, ScriptedSecondListener(MODEL)).ask("c", STAFF)


async def _ask_and_propose(on: Written) -> None:
    await _ask(on)
    await _propose(on)


async def _ask_and_hear_all(on: Written) -> None:
    await _ask(on)
    async with on.database.reading() as unit:
        run = await unit.second_passes.get("c")
        segments = await unit.transcript.of("c")
    assert run is not None
    proposals = Proposals(on.world.rooms, on.news)
    await proposals.propose(run, [], after=Place.of(segments[-1]), done=len(segments), unheard=0)


async def _go_on(on: Written) -> None:
    """Up to the end, whatever that is."""
    listener = ScriptedSecondListener(MODEL)
    listener.says[FIRST] = Reheard(FIRST, reason="model_broken")
    task = asyncio.ensure_future(_passes(on, listener).run())
    await eventually(lambda: listener.rests)
    task.cancel()
    await asyncio.wait([task])


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
    "transcript.second_pass_asked": Kind(_ask),
    "transcript.proposed": Kind(_propose, first=_ask),
    "transcript.heard_again": Kind(_hear_the_same, first=_ask),
    "transcript.second_pass_ended": Kind(_go_on, first=_ask_and_hear_all),
    "transcript.second_pass_failed": Kind(_go_on, first=_ask),
    "transcript.proposal_taken": Kind(_decide(accept=True), first=_ask_and_propose),
    "transcript.proposal_refused": Kind(_decide(accept=False), first=_ask_and_propose),
    "terms.changed": Kind(_name_terms),
    "transcript.rendered": Kind(_render, first=_name_terms),
    "transcript.exported": Kind(_give_out),
}
