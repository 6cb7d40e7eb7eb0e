"""One clip at a time is played into a room: by whom, from where to where, and what becomes of it when things break."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from conference.events import ClipsUpdated, ClipUpdated, PlayingView
from conference.ingest_events import ClipAt, IngestFailed, IngestKind, IngestReady, IngestReason
from conference.model.chapters import Chapter, ChapterKind, chapters
from conference.model.clip import ClipScope, PlayEnd, Playing, PlayState
from conference.model.consultation import Mode
from conference.model.errors import ConferenceError
from conference.model.export import marks_of
from conference.model.media import Kind, PublicationInfo, PublicationsChanged, Source
from conference.model.participant import ParticipantKind
from conference.model.permissions import Role
from conference.services.clip_shows import ClipShows
from conference.services.live_room import LiveRoom
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ScriptedIngests
from tests.unit.services.test_clips import DESK, Stage, refused

BRIDGE = ClipScope("石桥村", is_bound=True)


class Show:
    """A room with a chair in it, two clips of the desk and one of a venue, and processes that follow the script."""

    def __init__(self, world: World, directory: Path) -> None:
        self.world = world
        self.stage = Stage(world, directory)
        self.ingests = ScriptedIngests()
        self.shows = ClipShows(world.rooms, self.stage.clips, self.ingests, world.departures)

    async def begin(self) -> None:
        self.chair = await self.world.join("主持人", Role.CHAIR)
        self.first, self.second = await self.clip("a.mp4"), await self.clip("b.mp4")

    async def clip(self, name: str, scope: ClipScope = DESK) -> str:
        clip = await self.stage.add(name, scope)
        await self.stage.clips.prepare(clip)
        return clip.id

    @property
    def room(self) -> LiveRoom:
        room = self.world.rooms.find("c")
        assert room is not None
        return room

    @property
    def view(self) -> PlayingView:
        view = self.room.clip_view()
        assert view is not None
        return view

    async def play(self, clip_id: str, by: str | None = None, from_ms: int | None = None) -> PlayingView:
        return await self.shows.play("c", by or self.chair, clip_id, from_ms)

    async def shown(self, clip_id: str, state: str = "playing", position_ms: int = 0) -> PlayingView:
        """Played, and its first picture came."""
        view = await self.play(clip_id)
        self.ingests.emit(IngestReady(view.id, "/run/x.sock"))
        await self.shows.tick()
        self.at(state, position_ms)
        await self.shows.tick()
        return self.view

    def at(self, state: str, position_ms: int, ago_s: float = 0.0) -> None:
        now_s = self.world.clock.monotonic()
        self.ingests.emit(ClipAt(self.view.id, state, position_ms, now_s - ago_s))

    async def actions(self) -> list[str]:
        return [line.action for line in await self.world.trace() if line.action.startswith("clip.")][4:]

    async def end_of(self, play_id: str) -> PlayEnd | None:
        async with self.world.database.reading() as unit:
            (found,) = [each for each in await unit.clips.plays("c") if each.id == play_id]
            return found.end


@pytest.fixture
async def show(world: World, tmp_path: Path) -> Show:
    made = Show(world, tmp_path / "clips")
    await made.begin()
    return made


async def test_it_is_a_participant_of_its_own_whose_screen_is_the_clip(show: Show) -> None:
    view = await show.play(show.first)
    (job,) = show.ingests.started
    assert (job.ingest_id, job.kind, job.from_ms, job.label) == (view.id, IngestKind.CLIP, 0, "a")
    assert job.url.endswith(f"c/{show.first}.mp4")
    seat = show.room.seats[view.participant_id]
    assert (seat.participant.kind, seat.participant.name) == (ParticipantKind.CLIP, "a")
    assert view.state is PlayState.STARTING
    show.ingests.emit(IngestReady(view.id, "/run/clip.sock"))
    await show.shows.tick()
    assert show.world.media.participant_feeds == {("c", view.participant_id): "/run/clip.sock"}
    screen = PublicationInfo("s1", Kind.VIDEO, Source.SCREEN, "a")
    show.world.media.emit(PublicationsChanged("c", view.participant_id, (screen,)))
    assert show.room.view(seat).publications == (screen,)
    assert show.world.media.gates[view.participant_id]


async def test_everybody_is_told_where_it_is_by_program_time(show: Show) -> None:
    await show.world.life_cycle.start("c", show.world.bearer(Role.CHAIR))
    show.world.clock.forward(10)
    await show.play(show.first)
    show.world.clock.forward(0.5)
    show.at("playing", 0, ago_s=0.2)
    assert (show.view.state, show.view.position_ms, show.view.at_ms) == (PlayState.PLAYING, 0, 10_300)
    assert show.world.clock.wall_ms() - show.view.at_wall_ms == 200
    version = show.room.version
    show.world.clock.forward(5)
    show.at("playing", 5_200)  # as expected: nothing is new
    assert show.room.version == version
    show.at("playing", 4_000)  # it stood for a while
    assert (show.view.position_ms, show.view.at_ms) == (4_000, 15_500)
    told = [each for each in show.world.publisher.sent["主持人"] if isinstance(each, ClipUpdated)]
    assert [each.clip.state for each in told if each.clip] == [
        PlayState.STARTING,
        PlayState.PLAYING,
        PlayState.PLAYING,
    ]
    snapshot = await show.world.arrivals.snapshot("c", show.chair)
    assert snapshot.clip == show.view


async def test_pause_go_on_and_move_are_in_the_trace_with_their_place(show: Show) -> None:
    await show.world.life_cycle.start("c", show.world.bearer(Role.CHAIR))
    await show.shown(show.first)
    play_id = show.view.id
    show.world.clock.forward(3)
    paused = await show.shows.pause("c", show.chair)
    assert (paused.state, paused.position_ms) == (PlayState.PAUSED, 3_000)
    show.at("paused", 3_033)
    assert show.view.position_ms == 3_000  # nobody sees a picture's length
    show.world.clock.forward(60)
    assert (await show.shows.resume("c", show.chair)).position_ms == 3_000
    show.world.clock.forward(1)
    moved = await show.shows.seek("c", show.chair, 40_000)
    assert (moved.state, moved.position_ms) == (PlayState.PLAYING, 40_000)
    await show.shows.seek("c", show.chair, 10**9)
    assert show.view.position_ms == 59_999
    await show.shows.pause("c", show.chair)
    await show.shows.pause("c", show.chair)  # once is enough
    assert show.ingests.orders == [
        (play_id, "pause", 0),
        (play_id, "play", 0),
        (play_id, "seek", 40_000),
        (play_id, "seek", 59_999),
        (play_id, "pause", 0),
    ]
    assert await show.actions() == [
        "clip.started",
        "clip.began",
        "clip.paused",
        "clip.resumed",
        "clip.moved",
        "clip.moved",
        "clip.paused",
    ]
    (line,) = [each for each in await show.world.trace() if each.action == "clip.resumed"]
    assert (line.program_time_ms, json.loads(line.content)["position_ms"]) == (63_000, 3_000)


async def test_at_its_end_the_last_picture_stands_for_two_seconds(show: Show) -> None:
    view = await show.shown(show.first)
    show.world.clock.forward(60)
    show.at("ended", 60_000)
    assert show.view.state is PlayState.ENDED
    show.world.clock.forward(1.9)
    await show.shows.tick()
    assert show.room.playing is not None
    show.world.clock.forward(0.2)
    await show.shows.tick()
    assert show.room.playing is None
    assert view.participant_id not in show.room.seats
    assert show.ingests.stopped == [view.id]
    assert await show.end_of(view.id) is PlayEnd.ENDED
    last = [each for each in show.world.publisher.sent["主持人"] if isinstance(each, ClipUpdated)][-1]
    assert last.clip is None


async def test_moving_back_from_the_end_keeps_it_in_the_room(show: Show) -> None:
    await show.shown(show.first)
    show.at("ended", 60_000)
    assert (await show.shows.seek("c", show.chair, 1_000)).state is PlayState.PAUSED
    show.world.clock.forward(5)
    await show.shows.tick()
    assert (show.view.state, show.view.position_ms) == (PlayState.PAUSED, 1_000)


async def test_another_clip_takes_its_place(show: Show) -> None:
    view = await show.shown(show.first)
    other = await show.play(show.second, from_ms=7_000)
    assert await show.end_of(view.id) is PlayEnd.REPLACED
    assert show.ingests.stopped == [view.id]
    assert show.ingests.started[-1].from_ms == 7_000
    clips = [s for s in show.room.seats.values() if s.participant.kind is ParticipantKind.CLIP]
    assert [each.id for each in clips] == [other.participant_id]
    show.ingests.emit(ClipAt(view.id, "playing", 9, 0.0))  # of the one before
    assert show.view.position_ms == 7_000


async def test_it_begins_at_its_cue(show: Show) -> None:
    by, consultation = show.world.bearer(Role.CHAIR), await show.stage.consultation()
    await show.stage.clips.cue(consultation, by, DESK, show.first, 12_345)
    await show.play(show.first)
    assert show.ingests.started[0].from_ms == 12_345


async def test_members_and_moderators_play_none(show: Show) -> None:
    member, moderator = await show.world.join("m"), await show.world.join("n", Role.MODERATOR)
    for by in (member, moderator):
        await refused("forbidden", show.play(show.first, by))
        await refused("forbidden", show.shows.stop("c", by))
    await refused("clip_not_playing", show.shows.pause("c", show.chair))
    await refused("not_found", show.play("k_nothing"))


async def operator(show: Show) -> str:
    entry = replace(show.world.entry("石桥村操作员", Role.VENUE_OPERATOR), venue="石桥村")
    return await show.world.arrivals.join(entry, "石桥村操作员")


async def test_an_operator_plays_the_own_clips_alone_and_not_over_others(show: Show) -> None:
    own = await show.clip("桥.mp4", BRIDGE)
    by = await operator(show)
    await refused("not_found", show.play(show.first, by))
    await show.play(own, by)
    assert show.view.venue_id == "石桥村"
    await show.shows.pause("c", by)
    await show.play(show.first)  # the chair may
    await refused("clip_other", show.play(own, by))
    await refused("clip_other", show.shows.stop("c", by))
    await show.shows.stop("c", show.chair)
    assert show.room.playing is None


async def test_where_the_floor_is_needed_an_operator_needs_it(show: Show) -> None:
    own = await show.clip("桥.mp4", BRIDGE)
    by = await operator(show)
    await show.world.floors.set_mode("c", show.chair, Mode.CHAIR)
    await refused("floor_required", show.play(own, by))
    await show.world.floors.grant("c", show.chair, by)
    view = await show.play(own, by)
    assert show.room.seats[view.participant_id].participant.sound_open


async def test_its_sound_is_no_matter_of_the_floor_or_of_mute_all(show: Show) -> None:
    view = await show.shown(show.first)
    await show.world.floors.set_mode("c", show.chair, Mode.CHAIR)
    await show.world.moderation.mute_all("c", show.chair, muted=True, hard=True)
    assert show.room.seats[view.participant_id].participant.sound_open
    await show.world.floors.set_mode("c", show.chair, Mode.FREE)
    assert show.room.seats[view.participant_id].participant.sound_open


async def test_a_player_that_dies_goes_on_where_it_was(show: Show) -> None:
    view = await show.shown(show.first)
    for times in range(1, 4):
        show.world.clock.forward(5)
        show.ingests.emit(IngestFailed(view.id, IngestReason.STOPPED, 1.0))
        assert show.ingests.started[-1].from_ms == 5_000 * times
    show.ingests.emit(IngestFailed(view.id, IngestReason.STOPPED, 1.0))
    await show.shows.tick()
    assert show.room.playing is None
    assert await show.end_of(view.id) is PlayEnd.FAILED


async def test_one_without_a_picture_is_given_up(show: Show) -> None:
    view = await show.play(show.first)
    show.world.clock.forward(16)
    await show.shows.tick()
    assert await show.end_of(view.id) is PlayEnd.FAILED


async def test_a_new_media_process_gets_it_with_the_next_feed(show: Show) -> None:
    view = await show.shown(show.first)
    show.world.media.restart("e2")
    show.world.media.failures["feed"] = "media_unavailable"
    show.ingests.emit(IngestReady(view.id, "/run/again.sock"))
    await show.shows.tick()
    del show.world.media.failures["feed"]
    await show.shows.tick()
    assert show.world.media.participant_feeds == {("c", view.participant_id): "/run/again.sock"}


async def test_it_ends_with_the_consultation_and_when_it_is_sent_out(show: Show) -> None:
    view = await show.shown(show.first)
    await show.world.departures.remove("c", show.chair, view.participant_id)
    await show.shows.tick()
    assert await show.end_of(view.id) is PlayEnd.STOPPED
    view = await show.shown(show.second)
    await show.world.life_cycle.start("c", show.world.bearer(Role.CHAIR))
    await show.world.life_cycle.end("c", show.world.bearer(Role.CHAIR))
    await show.shows.tick()
    assert await show.end_of(view.id) is PlayEnd.CLOSED


async def test_a_restart_says_honestly_that_it_broke_off(show: Show) -> None:
    await show.world.life_cycle.start("c", show.world.bearer(Role.CHAIR))
    view = await show.shown(show.first)
    show.world.clock.forward(3)
    await show.world.rooms.heartbeat()
    world = await show.world.restart()
    again = Show(world, show.stage.directory)
    await again.shows.restore()
    assert await again.end_of(view.id) is PlayEnd.INTERRUPTED
    room = world.rooms.find("c")
    assert room is not None
    assert room.playing is None
    assert view.participant_id not in room.seats
    last = (await world.trace())[-1]
    assert (last.action, last.program_time_ms) == ("clip.ended", 3_000)
    await again.shows.restore()
    assert (await world.trace())[-1] == last


async def test_a_clip_counts_for_no_attendance(show: Show) -> None:
    await show.shown(show.first)
    async with show.world.database.reading() as unit:
        stays = await unit.stays.of("c")
    assert {each.participant_id for each in stays} == {show.chair}


async def test_desks_and_operators_are_told_of_the_list(show: Show) -> None:
    await show.world.desks.open("c", show.world.bearer(Role.SECRETARIAT), "desk")
    await show.world.desks.open("c", show.world.bearer(Role.MODERATOR), "moderator")
    await operator(show)
    own = await show.clip("桥.mp4", BRIDGE)
    await show.shows.tick()

    def told(session: str) -> list[str]:
        lists = [each for each in show.world.publisher.sent[session] if isinstance(each, ClipsUpdated)]
        return [each.id for each in lists[-1].clips]

    assert told("desk") == [show.first, show.second, own]
    assert not any(isinstance(each, ClipsUpdated) for each in show.world.publisher.sent["moderator"])
    assert told("石桥村操作员") == [own]
    later = await show.clip("c.mp4")
    show.world.clock.forward(1)
    await show.shows.tick()
    assert told("desk") == [show.first, show.second, own, later]


async def test_what_is_played_is_not_deleted(show: Show) -> None:
    await show.play(show.first)
    by, consultation = show.world.bearer(Role.CHAIR), await show.stage.consultation()
    with pytest.raises(ConferenceError, match="clip_playing"):
        await show.stage.clips.remove(consultation, by, DESK, show.first)


def test_a_film_is_a_chapter_from_its_first_picture_to_its_end() -> None:
    play = Playing(
        "l", "c", "k", "p", "宣传片", "主持人", 1, 60_000, PlayState.PLAYING, 0, 5_000, 1, 5_000, 65_000
    )
    unseen = replace(play, began_ms=None)
    (found,) = chapters((), (), (), 70_000, [play, unseen])
    assert found == Chapter(ChapterKind.CLIP, "宣传片", 5_000, 65_000)
    assert [each.title for each in marks_of([found], "会")] == ["会", "片子：宣传片"]
