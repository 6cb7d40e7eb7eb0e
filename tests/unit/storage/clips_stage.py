"""A live consultation with a clip that can be played and one that waits, and each kind of write about clips."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conference.ingest_events import ClipAt
from conference.model.clip import Clip, ClipScope, ClipState
from conference.model.permissions import Role
from conference.services.clip_shows import ClipShows
from conference.services.clips import Clips
from conference.services.consultations import ConsultationDraft
from conference.services.rooms import RoomLimits
from conference.storage.clips import DirectoryClips
from conference.storage.database import Database
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock, ScriptedIngests
from tests.unit.services.scripted_clips import ScriptedClipMaker, pieces
from tests.unit.storage.crashing import Kind

BEGAN_MS: Final = 1_700_000_000_000
FILES: Final = Path("clips")
DESK: Final = ClipScope(None, is_bound=False)
BY: Final = World.bearer(Role.SECRETARIAT)


def clips_of(world: World, directory: Path) -> tuple[Clips, ScriptedClipMaker]:
    maker = ScriptedClipMaker(directory)
    store = DirectoryClips(directory, max_bytes=1000, reserve_bytes=0)
    return Clips(world.database, store, maker, world.clock), maker


@dataclass
class Screening:
    """The chair is in the room; nothing is played."""

    world: World
    chair: str
    clips: Clips
    maker: ScriptedClipMaker
    ingests: ScriptedIngests
    shows: ClipShows

    @property
    def database(self) -> Database:
        return self.world.database

    async def noted(self) -> dict[str, Any]:
        async with self.database.reading() as unit:
            head = await unit.audit.head("c")
            return {"number": head.number, "hash": head.hash}

    async def one(self, state: ClipState) -> Clip:
        return next(each for each in await self.clips.list("c", DESK) if each.state is state)


async def prepare(database: Database) -> Screening:
    world = World(database, ManualClock(epoch_ms=BEGAN_MS), RoomLimits())
    await world.consultations.create(ConsultationDraft(title="协商会", id="c"))
    chair = await world.join("刘主持", Role.CHAIR)
    await world.life_cycle.start("c", World.bearer(Role.CHAIR))
    clips, maker = clips_of(world, FILES)
    ingests = ScriptedIngests()
    shows = ClipShows(world.rooms, clips, ingests, world.departures)
    stage = Screening(world, chair, clips, maker, ingests, shows)
    await _add(stage)
    await _prepare(stage)
    world.clock.forward(1)
    await _add(stage)
    return stage


Write = Callable[[Screening], Awaitable[object]]


async def _add(on: Screening) -> None:
    consultation = await on.world.consultations.get("c")
    await on.clips.add(consultation, BY, DESK, "片.mp4", pieces(b"film"), 4)


async def _prepare(on: Screening) -> None:
    await on.clips.prepare(await on.one(ClipState.QUEUED))


async def _refuse(on: Screening) -> None:
    on.maker.reasons = ["not_media"]
    await _prepare(on)


async def _cue(on: Screening) -> None:
    clip = await on.one(ClipState.READY)
    await on.clips.cue(await on.world.consultations.get("c"), BY, DESK, clip.id, 5_000)


def _remove(state: ClipState) -> Write:
    async def remove(on: Screening) -> None:
        clip = await on.one(state)
        await on.clips.remove(await on.world.consultations.get("c"), BY, DESK, clip.id)

    return remove


async def _clear(on: Screening) -> None:
    await on.clips.clear(await on.world.consultations.get("c"))


async def _play(on: Screening) -> None:
    await on.shows.play("c", on.chair, (await on.one(ClipState.READY)).id)


async def _show(on: Screening) -> None:
    room = on.world.rooms.find("c")
    assert room is not None
    assert room.playing is not None
    on.ingests.emit(ClipAt(room.playing.id, "playing", 0, on.world.clock.monotonic()))
    await on.shows.tick()


async def _pause(on: Screening) -> None:
    await on.shows.pause("c", on.chair)


async def _resume(on: Screening) -> None:
    await on.shows.resume("c", on.chair)


async def _move(on: Screening) -> None:
    await on.shows.seek("c", on.chair, 30_000)


async def _stop(on: Screening) -> None:
    await on.shows.stop("c", on.chair)


async def _interrupted(on: Screening) -> None:
    """As by the next life of the server."""
    clips, _ = clips_of(on.world, FILES)
    await ClipShows(on.world.rooms, clips, ScriptedIngests(), on.world.departures).restore()


def _after(*writes: Write) -> Write:
    async def write(on: Screening) -> None:
        for each in writes:
            await each(on)

    return write


SHOWN: Final = _after(_play, _show)

KINDS: Final[dict[str, Kind]] = {
    "clip.added": Kind(_add),
    "clip.prepared": Kind(_prepare),
    "clip.refused": Kind(_refuse),
    "clip.cued": Kind(_cue),
    "clip.removed": Kind(_remove(ClipState.READY)),
    "clip.removed queued": Kind(_remove(ClipState.QUEUED)),
    "clip.removed all": Kind(_clear),
    "clip.started": Kind(_play),
    "clip.began": Kind(_show, first=_play),
    "clip.paused": Kind(_pause, first=SHOWN),
    "clip.resumed": Kind(_resume, first=_after(SHOWN, _pause)),
    "clip.moved": Kind(_move, first=SHOWN),
    "clip.ended": Kind(_stop, first=SHOWN),
    "clip.ended by a start": Kind(_interrupted, first=SHOWN),
}
