"""Transcription: which rooms are listened to, how captions fare, and what becomes of what was heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from conference.events import CaptionCorrected, CaptionFinal, CaptionPartial, CaptionsUpdated
from conference.model.agenda import AgendaDraft, AgendaKind
from conference.model.errors import ConferenceError
from conference.model.media import TRANSCRIPTION_TAP, TapLost
from conference.model.permissions import Role
from conference.model.transcript import CaptionState, TranscriptSegment, Word
from conference.model.transcript_edit import Rewrite
from conference.services.broadcasts import Broadcasts
from conference.services.editing import Editing
from conference.services.transcription import Transcription
from conference.worker_events import (
    Heard,
    HeardPartial,
    TranscriberLoad,
    TranscriberModel,
    TranscriberReady,
    Utterance,
)
from tests.unit.services.conftest import World
from tests.unit.services.fakes import MODEL, NO_MODEL, FailingStorage, ScriptedTranscriber

TAP = ("c", TRANSCRIPTION_TAP)


async def as_it_is(_consultation_id: str) -> Rewrite:
    """No terms but one."""

    def rewrite(text: str) -> Sequence[tuple[int, int, str]]:
        at = text.find("住餐")
        return [] if at < 0 else [(at, at + 2, "助餐")]

    return rewrite


def said(text: str, from_ms: int, to_ms: int | None = None) -> Utterance:
    """Words of two characters, evenly."""
    end_ms = from_ms + 1000 if to_ms is None else to_ms
    words = [text[at : at + 2] for at in range(0, len(text), 2)]
    each_ms = (end_ms - from_ms) // max(len(words), 1)
    timed = [Word(w, from_ms + n * each_ms, from_ms + (n + 1) * each_ms) for n, w in enumerate(words)]
    return Utterance(from_ms, end_ms, text, tuple(timed))


class Stage:
    """A live consultation with a member in its room, and a transcriber that does what the test says."""

    def __init__(self, world: World, *, enabled: bool = True, model: TranscriberModel = MODEL) -> None:
        self.world = world
        self.transcriber = ScriptedTranscriber(model)
        self.transcription = Transcription(world.rooms, self.transcriber, as_it_is, enabled=enabled)
        world.media_sessions.follow(self.transcription.follow)
        self.member = ""

    async def begin(self) -> None:
        self.member = await self.world.join("张三")
        await self.world.life_cycle.start("c", self.world.bearer(Role.CHAIR))
        await self.tick()

    async def ready(self, path: str = "/run/t.sock") -> None:
        self.transcriber.emit(TranscriberReady("c", path))
        await self.tick()

    async def tick(self, seconds: float = 0.2) -> None:
        self.world.clock.forward(seconds)
        await self.transcription.tick()

    def partial(self, text: str, who: str = "") -> None:
        self.transcriber.emit(HeardPartial("c", who or self.member, text, 100))

    async def hears(
        self, from_ms: int, to_ms: int, *utterances: Utterance, who: str = "", job: str | None = None
    ) -> None:
        heard = Heard("c", who or self.member, from_ms, to_ms, utterances, "scripted", job)
        self.transcriber.emit(heard)
        await self.transcription.rows.write()

    async def switch(self, **changes: Any) -> None:
        revision = (await self.world.consultations.get("c")).revision
        editing = Editing(self.world.rooms, self.world.floors, self.world.waiting)
        await editing.edit("c", self.world.bearer(Role.SECRETARIAT), revision, changes)

    def state(self) -> CaptionState:
        """As everybody in the room was told."""
        told = self.world.publisher.of_kind("张三", CaptionsUpdated)
        return told[-1].state if told else CaptionState.OFF

    def partials(self) -> list[str]:
        return [each.text for each in self.world.publisher.of_kind("张三", CaptionPartial)]

    def finals(self) -> list[CaptionFinal]:
        return self.world.publisher.of_kind("张三", CaptionFinal)

    async def rows(self) -> list[TranscriptSegment]:
        async with self.world.database.reading() as unit:
            return await unit.transcript.of("c")

    async def covered(self, who: str = "") -> list[tuple[int, int]]:
        async with self.world.database.reading() as unit:
            found = await unit.transcript.covered("c", who or self.member)
        return [(each.from_ms, each.to_ms) for each in found]

    async def noted(self, prefix: str = "captions.") -> list[str]:
        return [
            e.action.removeprefix(prefix) for e in await self.world.trace() if e.action.startswith(prefix)
        ]


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


# ── which rooms, and how it fares ───────────────────────────────────────────────────────────────


async def test_it_begins_with_the_meeting_and_ends_with_it(stage: Stage) -> None:
    await stage.tick()
    assert (stage.transcriber.begun, stage.state()) == ([], CaptionState.OFF)
    await stage.begin()
    assert (stage.transcriber.begun, stage.state()) == (["c"], CaptionState.STARTING)
    await stage.ready()
    assert (stage.world.media.taps[TAP], stage.state()) == ("/run/t.sock", CaptionState.ON)
    await stage.world.life_cycle.end("c", stage.world.bearer(Role.CHAIR))
    await stage.tick()
    assert (stage.transcriber.ended, stage.world.media.taps, stage.state()) == (["c"], {}, CaptionState.OFF)
    await stage.tick()
    assert stage.transcriber.begun == ["c"]
    assert await stage.noted() == ["started", "ended"]


async def test_who_comes_later_finds_the_state_and_the_last_words(stage: Stage) -> None:
    await stage.begin()
    await stage.ready()
    for number in range(4):
        await stage.hears(number * 2000, number * 2000 + 1500, said(f"第{number}句话", number * 2000))
    await stage.world.join("李四")
    snapshot = stage.world.publisher.snapshot("李四")
    assert snapshot.consultation.captions is CaptionState.ON
    assert [each.text for each in snapshot.recent_captions] == [f"第{n}句话。" for n in (1, 2, 3)]


@pytest.mark.parametrize("how", ["consultation", "server"])
async def test_a_meeting_without_captions(world: World, how: str) -> None:
    stage = Stage(world, enabled=how != "server")
    if how == "consultation":
        await stage.switch(captions=False)
    await stage.begin()
    await stage.tick(60)
    assert (stage.transcriber.begun, stage.state()) == ([], CaptionState.OFF)
    if how == "consultation":
        await stage.switch(captions=True)
        await stage.tick()
        await stage.ready()
        assert stage.state() is CaptionState.ON
        await stage.switch(captions=False)
        await stage.tick()
        assert (stage.transcriber.ended, stage.state()) == (["c"], CaptionState.OFF)


async def test_without_a_model_everybody_is_told_so_until_one_is_installed(world: World) -> None:
    stage = Stage(world, model=NO_MODEL)
    await stage.begin()
    assert stage.state() is CaptionState.NO_MODEL
    await stage.tick(600)
    assert stage.state() is CaptionState.NO_MODEL
    stage.transcriber.becomes(MODEL)
    await stage.tick()
    assert stage.state() is CaptionState.STARTING
    await stage.ready()
    assert stage.state() is CaptionState.ON
    assert await stage.noted() == ["started"]


async def test_nothing_is_listened_to_while_the_recording_is_paused(stage: Stage) -> None:
    broadcasts, chair = Broadcasts(stage.world.rooms), stage.world.bearer(Role.CHAIR)
    await stage.begin()
    await stage.ready()
    stage.partial("这一句")
    await broadcasts.pause("c", chair, paused=True)
    stage.world.media.failures["untap"] = "media_unavailable"
    await stage.tick()
    assert stage.state() is CaptionState.ON, "nobody is told what is not true yet"
    del stage.world.media.failures["untap"]
    await stage.tick()
    assert (stage.state(), stage.world.media.taps, stage.partials()[-1]) == (CaptionState.PAUSED, {}, "")
    await stage.ready("/run/t2.sock")
    assert stage.world.media.taps == {}
    await broadcasts.pause("c", chair, paused=False)
    await stage.tick()
    assert (stage.state(), stage.world.media.taps[TAP]) == (CaptionState.ON, "/run/t2.sock")


async def test_a_worker_that_is_gone_is_trouble_until_it_is_back(stage: Stage) -> None:
    await stage.begin()
    await stage.ready()
    stage.partial("说到一半")
    stage.transcriber.becomes(replace(MODEL, reason="worker_ended"))
    await stage.tick()
    assert (stage.state(), stage.partials()) == (CaptionState.TROUBLE, ["说到一半", ""])
    stage.transcriber.becomes(MODEL)
    await stage.tick()
    await stage.ready("/run/t2.sock")
    assert (stage.state(), stage.world.media.taps[TAP]) == (CaptionState.ON, "/run/t2.sock")
    assert await stage.noted() == ["started", "interrupted", "started"]
    assert stage.world.publisher.closed == set()


async def test_a_tap_that_is_lost_is_made_again(stage: Stage) -> None:
    await stage.begin()
    await stage.ready()
    stage.world.media.taps.clear()
    stage.world.media.emit(TapLost("c", "recording"))
    stage.world.media.emit(TapLost("c", TRANSCRIPTION_TAP))
    await stage.tick()
    assert stage.world.media.taps == {}, "not at once: it may be lost again and again"
    await stage.tick(1.0)
    assert TAP in stage.world.media.taps
    stage.world.media.restart("e2")
    await stage.tick()
    assert TAP in stage.world.media.taps


async def test_captions_that_fall_behind_say_so(stage: Stage) -> None:
    await stage.begin()
    await stage.ready()
    states = []
    for lag_ms in (4000, 6000, 3000, 1000):
        stage.transcriber.emit(TranscriberLoad(3, lag_ms, 0.9))
        await stage.tick()
        states.append(stage.state())
    assert states == [CaptionState.ON, CaptionState.LATE, CaptionState.LATE, CaptionState.ON]


async def test_those_who_lead_and_speak_come_first(stage: Stage) -> None:
    await stage.begin()
    chair = await stage.world.join("主持人", Role.CHAIR)
    other = await stage.world.join("李四")
    await stage.world.floors.request("c", other)
    await stage.world.floors.grant("c", chair, stage.member)
    await stage.tick()
    assert stage.transcriber.preferred["c"] == (chair, stage.member, other)


# ── what was heard ──────────────────────────────────────────────────────────────────────────────


async def test_partials_stand_in_place_and_the_final_has_a_row(stage: Stage) -> None:
    await stage.begin()
    await stage.ready()
    stage.partial("我们")
    stage.partial("我们社区的住餐")
    assert stage.partials() == ["我们", "我们社区的住餐"]
    assert await stage.rows() == []
    await stage.hears(0, 2500, said("我们社区的住餐点", 300, 2200))
    (row,) = await stage.rows()
    (final,) = stage.finals()
    assert (row.text, row.raw, row.automatic) == ("我们社区的助餐点。", "我们社区的住餐点", (8,))
    assert (final.segment_id, final.text, final.start_ms, final.end_ms) == (row.id, row.text, 300, 2200)
    assert (final.speaker.name, final.speaker.is_certain) == ("张三", True)
    assert await stage.covered() == [(0, 2500)]
    assert (await stage.noted("transcript.")) == ["heard"]
    line = next(each for each in await stage.world.trace() if each.action == "transcript.heard")
    assert "社区" not in line.content


async def test_what_was_heard_before_is_not_there_twice(stage: Stage) -> None:
    await stage.begin()
    first, second = said("第一句话", 500), said("第二句话", 3000)
    await stage.hears(0, 2000, first)
    await stage.hears(0, 2000, first)
    await stage.hears(0, 5000, first, second, job="j")
    assert [each.raw for each in await stage.rows()] == ["第一句话", "第二句话"]
    assert [each.text for each in stage.finals()] == ["第一句话。"], (
        "what comes from the recording is no caption"
    )
    assert await stage.covered() == [(0, 5000)]


async def test_silence_is_covered_and_written_seldom(stage: Stage) -> None:
    await stage.begin()
    await stage.hears(0, 10_000)
    assert await stage.covered() == []
    assert [(each.from_ms, each.to_ms) for each in stage.transcription.rows.unwritten("c")] == [(0, 10_000)]
    stage.world.clock.forward(10)
    await stage.hears(10_000, 20_000)
    stage.world.clock.forward(10)
    await stage.hears(20_000, 30_000)
    assert await stage.covered() == [(0, 30_000)]
    assert await stage.noted("transcript.") == ["heard"]
    await stage.hears(30_000, 31_000)
    await stage.transcription.stop()
    assert await stage.covered() == [(0, 31_000)]


async def test_a_database_in_trouble_loses_nothing(stage: Stage) -> None:
    await stage.begin()
    stage.world.rooms.storage = FailingStorage(stage.world.database)
    with pytest.raises(ConferenceError):
        await stage.hears(0, 2000, said("第一句话", 500))
    assert (await stage.rows(), stage.finals()) == ([], [])
    await stage.hears(2000, 4000, said("第二句话", 2500))
    assert [each.raw for each in await stage.rows()] == ["第一句话", "第二句话"]
    assert len(stage.finals()) == 2


async def test_a_segment_names_turn_and_item_of_its_time(stage: Stage) -> None:
    await stage.begin()
    chair = await stage.world.join("主持人", Role.CHAIR)
    await stage.world.agendas.edit("c", chair, [AgendaDraft("通报", AgendaKind.REPORT)])
    stage.world.clock.forward(10)
    (item,) = await stage.world.agendas.advance("c", chair)
    await stage.world.floors.grant("c", chair, stage.member)
    stage.world.clock.forward(10)
    await stage.hears(0, 2000, said("还没开始", 500))
    await stage.hears(2000, 14_000, said("正在发言", 12_000))
    await stage.hears(0, 14_000, said("插一句话", 12_500), who=chair)
    early, spoken, beside = await stage.rows()
    assert (early.item_id, early.turn_id) == (None, None)
    assert spoken.item_id == beside.item_id == item.id
    assert spoken.turn_id is not None
    assert (beside.turn_id, beside.speaker.role) == (None, Role.CHAIR)


async def test_a_hall_speaks_for_whoever_of_it_has_the_floor(stage: Stage) -> None:
    await stage.begin()
    chair = await stage.world.join("主持人", Role.CHAIR)
    hall = await stage.world.arrivals.join(
        replace(stage.world.entry("青禾", Role.VENUE_OPERATOR), venue="青禾县分会场"), "青禾"
    )
    guest = await stage.world.arrivals.join(
        replace(stage.world.entry("王代表"), venue="青禾县分会场"), "王代表"
    )
    await stage.hears(0, 2000, said("谁在说话", 500), who=hall)
    stage.world.clock.forward(5)
    await stage.world.floors.grant("c", chair, guest)
    stage.world.clock.forward(5)
    stage.partial("我来", who=hall)
    await stage.hears(2000, 9500, said("我来回答", 8000), who=hall)
    unknown, known = await stage.rows()
    assert (unknown.speaker.name, unknown.speaker.is_certain) == ("青禾县分会场", False)
    assert (known.speaker.name, known.speaker.venue, known.speaker.is_certain) == (
        "王代表",
        "青禾县分会场",
        True,
    )
    assert known.participant_id == hall
    assert stage.world.publisher.of_kind("张三", CaptionPartial)[-1].speaker.name == "王代表"


async def test_a_correction_reaches_everybody(stage: Stage) -> None:
    await stage.begin()
    await stage.hears(0, 2000, said("第一句话", 500))
    await stage.hears(2000, 4000, said("第二句话", 2500))
    first, second = stage.finals()
    room = stage.world.rooms.find("c")
    assert room is not None
    room.correct_caption(first.segment_id, "第一句。")
    room.correct_caption(second.segment_id, "")
    told = stage.world.publisher.of_kind("张三", CaptionCorrected)
    assert [(each.segment_id, each.text) for each in told] == [
        (first.segment_id, "第一句。"),
        (second.segment_id, ""),
    ]
    await stage.world.join("李四")
    assert [e.text for e in stage.world.publisher.snapshot("李四").recent_captions] == ["第一句。"]


async def test_rows_survive_a_restart_and_a_deleted_meeting_harms_nothing(stage: Stage) -> None:
    await stage.begin()
    await stage.hears(0, 2000, said("第一句话", 500))
    again = Stage(await stage.world.restart())
    again.member = stage.member
    await again.hears(1500, 4000, said("第一句话", 500), said("第二句话", 2500))
    assert [each.raw for each in await again.rows()] == ["第一句话", "第二句话"]
    again.transcriber.emit(Heard("gone", "p", 0, 1, (said("没有了", 0),), "scripted"))
    await again.transcription.rows.write()
