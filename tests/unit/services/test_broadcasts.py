"""What goes to the public: the button, the delay, withdrawing, and the pause of the recording."""

from __future__ import annotations

import pytest

from conference.events import BroadcastUpdated, DeskSnapshot
from conference.model.broadcast import CutKind, PublicView
from conference.model.errors import ConferenceError, ForbiddenError, NotFoundError
from conference.model.permissions import Role
from conference.services.broadcasts import Broadcasts
from conference.services.editing import Editing
from tests.unit.services.conftest import World
from tests.unit.services.fakes import FailingStorage


class Stage:
    """Twenty seconds into a live consultation, with a desk of the moderator."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.broadcasts = Broadcasts(world.rooms)
        self.moderator = ""

    async def begin(self, delay_s: int = 0) -> None:
        self.moderator = await self.world.desks.open("c", self.world.bearer(Role.MODERATOR, "王审核"), "台")
        if delay_s:
            await self.edit(public_delay_s=delay_s)
        await self.world.life_cycle.start("c", self.world.bearer(Role.CHAIR))
        self.world.clock.forward(60)

    async def edit(self, **changes: object) -> None:
        revision = (await self.world.consultations.get("c")).revision
        editing = Editing(self.world.rooms, self.world.floors, self.world.waiting)
        await editing.edit("c", self.world.bearer(Role.SECRETARIAT), revision, changes)

    async def view(self) -> PublicView:
        return await self.broadcasts.view("c")

    def told(self) -> list[BroadcastUpdated]:
        return self.world.publisher.of_kind("台", BroadcastUpdated)

    async def said(self) -> list[str]:
        return [line.action for line in await self.world.trace() if line.action.startswith("broadcast.")]


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


async def test_the_button_takes_back_what_was_not_played_and_a_little_more(stage: Stage) -> None:
    await stage.begin(delay_s=20)
    assert (await stage.view()).shown_until_ms(0) == 40_000
    shown = await stage.broadcasts.cut("c", stage.moderator)
    assert shown.cut is not None
    assert (shown.cut.since_ms, shown.cut.by) == (30_000, "王审核")
    view = await stage.view()
    assert view.is_cut
    assert view.withdrawn == ((30_000, None),)
    assert stage.told()[-1].broadcast == shown
    await stage.broadcasts.cut("c", stage.moderator, back_s=30)
    assert await stage.said() == ["broadcast.cut"], "once is enough"


async def test_it_is_given_back_from_now_on_and_shown_again_when_somebody_says_so(stage: Stage) -> None:
    await stage.begin()
    await stage.broadcasts.cut("c", stage.moderator)
    stage.world.clock.forward(5)
    shown = await stage.broadcasts.restore("c", stage.moderator)
    view = await stage.view()
    assert (shown.cut, view.is_cut, view.withdrawn) == (None, False, ((50_000, 65_000),))
    (withdrawn,) = shown.withdrawn
    shown = await stage.broadcasts.reinstate("c", stage.moderator, withdrawn.id, "误操作")
    assert (await stage.view()).withdrawn == ()
    assert shown.withdrawn[0].reinstated_wall_ms is not None
    await stage.broadcasts.reinstate("c", stage.moderator, withdrawn.id, "误操作")
    await stage.broadcasts.restore("c", stage.moderator)
    assert await stage.said() == ["broadcast.cut", "broadcast.restored", "broadcast.reinstated"]
    assert len(stage.told()) == 3


async def test_a_stretch_is_withdrawn_by_its_times(stage: Stage) -> None:
    await stage.begin()
    shown = await stage.broadcasts.withdraw("c", stage.moderator, 5_000, 9_000, "涉及个人信息")
    assert [(each.kind, each.reason, each.by) for each in shown.withdrawn] == [
        (CutKind.WITHDRAWN, "涉及个人信息", "王审核")
    ]
    assert (await stage.view()).is_withdrawn(8_999, 10_000)
    for from_ms, to_ms in ((5, 5), (9, 5), (0, 60_001)):
        with pytest.raises(ConferenceError, match="no stretch"):
            await stage.broadcasts.withdraw("c", stage.moderator, from_ms, to_ms, "x")
    with pytest.raises(NotFoundError):
        await stage.broadcasts.reinstate("c", stage.moderator, "b_none", "x")
    assert not any("个人信息" in line.content for line in await stage.world.trace())


async def test_who_may_and_when(stage: Stage) -> None:
    moderator = stage.world.bearer(Role.MODERATOR)
    with pytest.raises(ConferenceError, match="not live"):
        await stage.broadcasts.cut("c", moderator)
    with pytest.raises(ConferenceError, match="not begun"):
        await stage.broadcasts.withdraw("c", moderator, 0, 1, "x")
    await stage.begin()
    member = stage.world.bearer(Role.MEMBER)
    for refused in (
        stage.broadcasts.cut("c", member),
        stage.broadcasts.restore("c", member),
        stage.broadcasts.withdraw("c", member, 0, 1, "x"),
        stage.broadcasts.reinstate("c", member, "b_none", "x"),
        stage.broadcasts.pause("c", moderator, paused=True),
    ):
        with pytest.raises(ForbiddenError):
            await refused
    assert await stage.said() == []


async def test_a_cut_holds_at_once_while_the_database_is_in_trouble(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.begin()
    storage = stage.world.rooms.storage
    monkeypatch.setattr(stage.world.rooms, "storage", FailingStorage(storage))
    shown = await stage.broadcasts.cut("c", stage.moderator)
    assert shown.cut is not None
    assert (await stage.view()).is_cut
    assert stage.told()[-1].broadcast.cut == shown.cut
    assert await stage.said() == []
    await stage.broadcasts.save_cuts()
    assert await stage.said() == ["broadcast.cut"]
    async with storage.reading() as unit:
        assert [each.id for each in await unit.broadcast_cuts.of("c")] == [shown.cut.id]
    await stage.broadcasts.save_cuts()
    assert await stage.said() == ["broadcast.cut"]


async def test_a_cut_nobody_waits_for_the_lock_of_the_room(stage: Stage) -> None:
    await stage.begin()
    async with stage.world.rooms.locked("c"):
        assert (await stage.broadcasts.cut("c", stage.moderator)).cut is not None


async def test_it_is_known_with_nobody_in_the_room_and_after_a_restart(stage: Stage) -> None:
    await stage.begin()
    await stage.world.desks.close("c", stage.moderator)
    assert stage.world.rooms.find("c") is None
    assert not (await stage.view()).is_cut
    await stage.broadcasts.cut("c", stage.world.bearer(Role.ORGANIZER))
    assert (await stage.view()).is_cut, "what was read a moment ago holds no longer"
    again = Stage(await stage.world.restart())
    assert (await again.view()).is_cut
    await again.world.desks.open("c", again.world.bearer(Role.CHAIR), "又")
    (snapshot,) = again.world.publisher.of_kind("又", DeskSnapshot)
    assert snapshot.broadcast.cut is not None
    with pytest.raises(ConferenceError) as unknown:
        await again.broadcasts.view("none")
    assert unknown.value.code == "consultation_not_found"


async def test_rows_are_read_twice_a_second_at_most(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    database = stage.world.database
    reads = 0
    reading = database.reading

    def counted() -> object:
        nonlocal reads
        reads += 1
        return reading()

    monkeypatch.setattr(database, "reading", counted)
    for _ in range(5):
        for _ in range(20):
            await stage.view()
        stage.world.clock.forward(0.6)
    assert reads == 5


async def test_the_delay_is_seen_at_once_and_only_grows(stage: Stage) -> None:
    await stage.begin(delay_s=10)
    await stage.edit(public_delay_s=30)
    assert (await stage.view()).delay_ms == 30_000
    assert stage.told()[-1].broadcast.delay_s == 30
    with pytest.raises(ConferenceError, match="shorter"):
        await stage.edit(public_delay_s=0)


async def test_a_pause_is_kept_out_of_the_replay_and_ends_with_the_meeting(stage: Stage) -> None:
    chair = stage.world.bearer(Role.CHAIR)
    with pytest.raises(ConferenceError, match="not being recorded"):
        await stage.broadcasts.pause("c", chair, paused=True)
    await stage.begin()
    for _ in range(2):
        await stage.broadcasts.pause("c", chair, paused=True)
    assert (await stage.view()).consultation.recording_paused
    stage.world.clock.forward(5)
    await stage.broadcasts.pause("c", chair, paused=False)
    stage.world.clock.forward(5)
    await stage.broadcasts.pause("c", chair, paused=True)
    stage.world.clock.forward(5)
    assert (await stage.view()).withdrawn == (), "the public sees it live"
    await stage.world.life_cycle.end("c", chair)
    view = await stage.view()
    assert view.withdrawn == ((60_000, 65_000), (70_000, 75_000))
    assert not view.consultation.recording_paused
    lines = [line.action for line in await stage.world.trace()]
    assert [each for each in lines if each.startswith("recording.")] == [
        "recording.paused",
        "recording.resumed",
        "recording.paused",
    ]


async def test_what_is_not_recorded_is_not_kept_of_the_program_either(stage: Stage) -> None:
    await stage.edit(recording=False)
    await stage.begin()
    await stage.edit(recording=True)
    stage.world.clock.forward(5)
    await stage.broadcasts.pause("c", stage.world.bearer(Role.CHAIR), paused=True)
    stage.world.clock.forward(5)
    await stage.edit(recording=False)
    stage.world.clock.forward(5)
    await stage.edit(recording=True)
    assert not (await stage.view()).consultation.recording_paused
    stage.world.clock.forward(5)
    await stage.edit(recording=False)
    stage.world.clock.forward(5)
    assert (await stage.view()).withdrawn == ()
    await stage.world.life_cycle.end("c", stage.world.bearer(Role.CHAIR))
    assert (await stage.view()).withdrawn == ((0, 60_000), (65_000, 75_000), (80_000, 85_000))
