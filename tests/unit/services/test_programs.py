"""Programs: which are made, what they are told, and how trouble goes by, with a scripted maker."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace

import pytest

from conference.desk_views import ProgramView
from conference.events import CaptionFinal, CaptionPartial, ConsultationUpdated, DeskSnapshot, ProgramUpdated
from conference.model.agenda import AgendaDraft, AgendaKind
from conference.model.errors import ConferenceError, ForbiddenError, NotFoundError
from conference.model.media import FeedLost, MediaRestarted, TapLost
from conference.model.permissions import Role
from conference.model.program import Direction, DirectionMode, Layout, Phase, ProgramState
from conference.model.transcript import SpeakerLabel
from conference.services.broadcasts import Broadcasts
from conference.services.change import Change
from conference.services.editing import Editing
from conference.services.programs import Programs
from conference.worker_events import ProgramLoad, ProgramReady, ProgramShown, ProgramTrouble, SceneCaption
from recording.program.scene import scene_from
from tests.support.eventually import eventually
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ScriptedMaker

PROGRAM, FEED = ("c", "program"), "/run/p.feed"


class Stage:
    """A live consultation with a member in its room and a desk, and a maker that does what the test says."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.maker = ScriptedMaker()
        self.programs = Programs(world.rooms, self.maker)
        self.desk = ""
        self.member = ""

    async def begin(self) -> None:
        self.desk = await self.world.desks.open("c", self.world.bearer(Role.CHAIR, "主持人"), "台")
        self.member = await self.world.join("张三")
        await self.world.life_cycle.start("c", self.world.bearer(Role.CHAIR))
        await self.programs.tick()

    async def ready(self) -> None:
        self.maker.emit(ProgramReady("c", "/run/p.tap", FEED))
        await self.tick()

    async def tick(self, seconds: float = 0.1) -> None:
        self.world.clock.forward(seconds)
        await self.programs.tick()

    def view(self) -> ProgramView | None:
        """As desks were told last."""
        return self.world.publisher.of_kind("台", ProgramUpdated)[-1].program

    def state(self) -> ProgramState:
        view = self.view()
        assert view is not None
        return view.state

    async def said(self) -> list[str]:
        lines = [line.action for line in await self.world.trace()]
        return [each.removeprefix("program.") for each in lines if each.startswith("program.")]


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


async def test_it_begins_with_the_meeting_and_ends_after_its_end_card(stage: Stage) -> None:
    await stage.programs.tick()
    assert stage.maker.begun == []
    await stage.begin()
    assert (stage.maker.begun, stage.state()) == (["c"], ProgramState.STARTING)
    await stage.ready()
    assert stage.state() is ProgramState.ON
    assert (stage.world.media.taps[PROGRAM], stage.world.media.feeds["c"]) == ("/run/p.tap", FEED)
    await stage.world.life_cycle.end("c", stage.world.bearer(Role.CHAIR))
    await stage.tick()
    assert stage.maker.scenes["c"][-1].phase is Phase.ENDED
    await stage.tick(2.0)
    assert stage.maker.ended == []
    await stage.tick(1.0)
    assert (stage.maker.ended, stage.view()) == (["c"], None)
    assert (stage.world.media.taps, stage.world.media.feeds) == ({}, {})
    await stage.tick(5.0)
    assert stage.maker.begun == ["c"]
    assert await stage.said() == ["started", "ended"]


async def test_a_meeting_without_a_program(stage: Stage) -> None:
    async def switch(on: bool) -> None:
        revision = (await stage.world.consultations.get("c")).revision
        editing = Editing(stage.world.rooms, stage.world.floors, stage.world.waiting)
        await editing.edit("c", stage.world.bearer(Role.SECRETARIAT), revision, {"program": on})

    await switch(on=False)
    await stage.begin()
    assert stage.maker.begun == []
    with pytest.raises(ConferenceError, match="no program"):
        await stage.programs.direct("c", stage.desk, Direction())
    await switch(on=True)
    await stage.tick()
    await stage.ready()
    await switch(on=False)
    await stage.tick()
    assert (stage.maker.begun, stage.maker.ended) == (["c"], ["c"]), "without an end card"
    assert stage.view() is None


async def test_a_server_that_makes_none(stage: Stage) -> None:
    stage.programs = Programs(stage.world.rooms, stage.maker, enabled=False)
    await stage.begin()
    await stage.tick(2.0)
    assert stage.maker.begun == []
    assert stage.world.publisher.of_kind("台", ProgramUpdated) == []


async def test_a_room_that_nobody_is_in_has_one_too_also_after_a_restart(stage: Stage) -> None:
    await stage.world.life_cycle.start("c", stage.world.bearer(Role.CHAIR))
    assert stage.world.rooms.find("c") is None
    await stage.tick(2.0)
    assert stage.maker.begun == ["c"]
    assert stage.maker.scenes["c"][-1].people == ()
    await stage.ready()
    again = Stage(await stage.world.restart())
    await again.tick(2.0)
    assert again.maker.begun == ["c"]
    await again.world.life_cycle.end("c", stage.world.bearer(Role.CHAIR))
    await again.tick(2.0)
    assert again.maker.scenes["c"][-1].phase is Phase.ENDED
    await again.tick(4.0)
    assert again.maker.ended == ["c"]


async def test_the_scene_follows_the_room_and_not_too_fast(stage: Stage) -> None:
    await stage.begin()
    scenes = stage.maker.scenes["c"]
    (first,) = scenes
    assert [each.name for each in first.people] == ["张三"]
    await stage.world.join("李四")
    await stage.programs.tick()
    assert len(scenes) == 1, "a tenth of a second has not gone by"
    await stage.world.floors.grant("c", stage.desk, stage.member)
    await stage.tick()
    assert (len(scenes), len(scenes[-1].people), scenes[-1].floor) == (2, 2, stage.member)
    for _ in range(20):
        await stage.tick()
    assert len(scenes) == 2, "nothing changed"
    drafts = [AgendaDraft("休会", AgendaKind.BREAK, planned_minutes=10)]
    await stage.world.agendas.edit("c", stage.desk, drafts)
    await stage.world.agendas.advance("c", stage.desk)
    await stage.tick()
    assert (scenes[-1].phase, scenes[-1].item) == (Phase.BREAK, "休会")


async def test_captions_stand_in_the_picture_where_somebody_wants_them(stage: Stage) -> None:
    await stage.begin()
    scenes, room = stage.maker.scenes["c"], stage.world.rooms.find("c")
    assert room is not None
    label, now_s = SpeakerLabel("张三", Role.MEMBER), stage.world.clock.now_s
    room.show_partial(CaptionPartial(stage.member, label, "我建议", 0), stage.member, now_s)
    await stage.tick()
    assert len(scenes) == 1, "nobody wants them"
    with pytest.raises(ForbiddenError):
        await stage.programs.show_captions("c", stage.member, on=True)
    for _ in range(2):
        await stage.programs.show_captions("c", stage.desk, on=True)
    await stage.tick()
    assert scenes[-1].captions == (SceneCaption("我建议", stage.member),)
    assert scene_from(asdict(scenes[-1])).captions[0].speaker == stage.member
    final = CaptionFinal("seg_1", stage.member, label, "我建议改造管网。", 0, 2000)
    room.show_final(final, stage.member, stage.world.clock.now_s)
    await stage.tick()
    assert [each.text for each in scenes[-1].captions] == ["我建议改造管网。"]
    await stage.tick(7.0)
    assert not scenes[-1].captions, "it was said long ago"
    room.correct_caption("seg_1", "")
    await stage.programs.show_captions("c", stage.desk, on=False)
    view = stage.world.publisher.of_kind("张三", ConsultationUpdated)[-1].consultation
    assert view.program_captions is False
    assert (await stage.said()).count("captions_switched") == 2


async def test_trouble_is_said_and_goes_by_without_harm(stage: Stage) -> None:
    await stage.begin()
    for reason in ("worker_ended", "disk_full"):
        await stage.ready()
        stage.maker.emit(ProgramShown("c", "speaker", (stage.member,)))
        stage.maker.emit(ProgramLoad("c", 2, 24.96, 0.6, 3))
        await stage.tick()
        view = stage.view()
        assert view is not None
        assert (view.layout, view.people, view.load_level, view.fps) == ("speaker", (stage.member,), 2, 25.0)
        stage.maker.emit(ProgramTrouble("c", reason))
        await stage.tick()
        view = stage.view()
        assert view is not None
        assert (view.state, view.reason, view.layout) == (ProgramState.TROUBLE, reason, None)
    assert await stage.said() == ["started", "interrupted", "started", "interrupted"]
    assert stage.world.publisher.closed == set()


async def test_a_worker_that_does_not_come_is_trouble_after_a_while(stage: Stage) -> None:
    await stage.begin()
    await stage.tick(4.0)
    assert stage.state() is ProgramState.STARTING
    await stage.tick(2.0)
    assert stage.state() is ProgramState.TROUBLE


async def test_tap_and_feed_are_made_again_while_the_worker_lives(stage: Stage) -> None:
    stage.world.media_sessions.follow(stage.programs.media_lost)
    await stage.begin()
    await stage.ready()
    media = stage.world.media
    for lost in (TapLost("c", "program"), FeedLost("c")):
        media.taps.clear()
        media.feeds.clear()
        media.emit(TapLost("c"))  # the other one, which is not ours
        media.emit(lost)
        await stage.tick()
        assert (media.taps, media.feeds) == ({}, {}), "not at once: it may be lost again and again"
        await stage.tick(1.0)
        assert (PROGRAM in media.taps, "c" in media.feeds) == (
            isinstance(lost, TapLost),
            isinstance(lost, FeedLost),
        )
    media.emit(FeedLost("other"))
    assert await stage.said() == ["started"]


async def test_a_new_media_process_is_tapped_and_fed(stage: Stage) -> None:
    stage.world.media_sessions.follow(stage.programs.media_lost)
    await stage.begin()
    await stage.ready()
    media = stage.world.media
    media.life = ""
    await stage.tick()
    media.taps.clear()
    media.feeds.clear()
    media.life = "e2"
    media.emit(MediaRestarted("e2"))
    await stage.tick()
    assert (PROGRAM in media.taps, "c" in media.feeds, stage.state()) == (True, True, ProgramState.ON)


async def test_a_media_process_that_refuses_is_asked_again(stage: Stage) -> None:
    await stage.begin()
    stage.world.media.failures |= {"tap": "tap_unreachable", "feed": "feed_unreachable"}
    await stage.ready()
    await stage.tick(6.0)
    view = stage.view()
    assert view is not None
    assert (view.state, view.reason) == (ProgramState.TROUBLE, "tap_unreachable")
    del stage.world.media.failures["tap"]
    await stage.tick(1.1)
    assert stage.state() is ProgramState.ON, "without the feed it is made all the same"
    del stage.world.media.failures["feed"]
    await stage.tick(1.1)
    assert stage.world.media.feeds == {"c": FEED}


@pytest.mark.parametrize("method", ["reading", "transaction"])
async def test_scenes_go_on_while_the_database_is_in_trouble(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    await stage.begin()
    asked = 0

    def fail() -> None:
        nonlocal asked
        asked += 1
        raise ConferenceError("storage_unavailable")

    monkeypatch.setattr(stage.world.rooms.storage, method, fail)
    stage.maker.emit(ProgramReady("c", "/run/p.tap", FEED))
    for n in range(30):
        room = stage.world.rooms.find("c")
        assert room is not None
        room.apply(Change(consultation=replace(room.consultation, title=f"第{n}次")))
        await stage.tick()
    assert len(stage.maker.scenes["c"]) > 25
    assert PROGRAM in stage.world.media.taps
    assert 2 <= asked <= 8, "about once a second"
    monkeypatch.undo()
    await stage.tick(2.0)
    assert stage.state() is ProgramState.ON
    assert await stage.said() == ["started"]


async def test_who_chooses_the_picture(stage: Stage) -> None:
    await stage.begin()
    side = Direction(DirectionMode.MANUAL, Layout.SIDE, (stage.member,))
    view = await stage.programs.direct("c", stage.desk, side)
    assert (view.mode, view.chosen_layout, view.chosen_people) == ("manual", "side", (stage.member,))
    assert stage.view() == view
    await stage.programs.direct("c", stage.desk, side)
    await stage.tick()
    assert stage.maker.scenes["c"][-1].direction == side
    with pytest.raises(ForbiddenError):
        await stage.programs.direct("c", stage.member, Direction())
    nobody = Direction(DirectionMode.MANUAL, None, ("p_none",))
    with pytest.raises(NotFoundError):
        await stage.programs.direct("c", stage.desk, nobody)
    assert await stage.said() == ["directed"]

    again = Stage(await stage.world.restart())
    await again.tick(2.0)
    assert again.maker.scenes["c"][-1].direction == side, "a restart forgot what was chosen"
    left_over = Direction(DirectionMode.AUTO, Layout.GRID, (stage.member,))
    await again.programs.direct("c", again.world.bearer(Role.SECRETARIAT), left_over)
    await again.tick()
    assert again.maker.scenes["c"][-1].direction == Direction()


async def test_a_desk_that_comes_later_sees_it(stage: Stage) -> None:
    await stage.begin()
    await stage.ready()
    await stage.world.desks.open("c", stage.world.bearer(Role.SECRETARIAT), "台二")
    (snapshot,) = stage.world.publisher.of_kind("台二", DeskSnapshot)
    assert snapshot.program == stage.view()


async def test_what_was_not_to_be_recorded_is_erased_after_the_end(stage: Stage) -> None:
    chair = stage.world.bearer(Role.CHAIR)
    broadcasts = Broadcasts(stage.world.rooms)
    await stage.begin()
    await broadcasts.pause("c", chair, paused=True)
    stage.world.clock.forward(5)
    await broadcasts.pause("c", chair, paused=False)
    await stage.programs.restore()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stage.programs.run(), 0.2)
    assert stage.maker.erased == [], "the public sees it now"
    await stage.world.life_cycle.end("c", chair)
    await stage.tick()
    await stage.tick(3.0)
    stage.maker.failures = 1
    with pytest.raises(OSError, match="scripted"):
        await stage.programs.run()
    background = asyncio.create_task(stage.programs.run())
    await eventually(lambda: stage.maker.erased)
    while not background.done() and (await stage.said())[-1] != "erased":
        await stage.tick(0.0)
    background.cancel()
    assert stage.maker.erased == [("c", 0, 5_000)]
    async with stage.world.database.reading() as unit:
        assert await unit.broadcast_cuts.unerased() == []
