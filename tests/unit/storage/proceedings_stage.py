"""A live consultation in the middle of everything, and each kind of write that is made in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from conference.model.agenda import AgendaDraft, AgendaKind
from conference.model.consultation import Mode
from conference.model.floor import Ending
from conference.model.participant import EntryMeans
from conference.model.permissions import Role
from conference.model.venue import VenueKind
from conference.services.consultations import ConsultationDraft
from conference.services.editing import Editing
from conference.services.entrances import Pass
from conference.services.entry import Entry
from conference.services.invitees import InviteeDraft
from conference.services.revocations import Revocations
from conference.services.rooms import RoomLimits
from conference.services.venues import VenueDraft
from conference.storage.database import Database
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.storage.crashing import Kind

BEGAN_MS: Final = 1_700_000_000_000
STAFF: Final = World.bearer(Role.SECRETARIAT)


@dataclass
class Proceedings:
    """An item runs, somebody speaks, two hands are up, a statement was liked, a stranger waits before the door,
    one came by a personal link, one is muted hard and one softly."""

    world: World
    chair: str
    speaker: str
    other: str
    third: str
    statement: str
    items: list[str]
    stranger: str
    venue: str
    invitee: str
    guest: str
    pass_: Pass

    @property
    def database(self) -> Database:
        return self.world.database

    async def noted(self) -> dict[str, Any]:
        async with self.database.reading() as unit:
            head = await unit.audit.head("c")
            return {"number": head.number, "hash": head.hash, "ms": await unit.audit.reached_ms("c")}


async def prepare(database: Database) -> Proceedings:
    world = World(database, ManualClock(epoch_ms=BEGAN_MS), RoomLimits())
    await world.consultations.create(ConsultationDraft(title="协商会", id="c"))
    chair = await world.join("主持人", Role.CHAIR)
    speaker, other, third = [await world.join(name) for name in ("张三", "李四", "王五")]
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    drafts = [AgendaDraft(title, AgendaKind.SPEECH) for title in ("一", "二", "三")]
    items = await world.agendas.edit("c", chair, drafts)
    await world.agendas.advance("c", chair)
    world.clock.forward(6)
    await world.rooms.heartbeat()
    statement = await world.statements.add("c", other, "建议", key="k" * 8)
    await world.statements.like("c", chair, statement.id, True)
    await world.floors.grant("c", chair, speaker, duration_ms=60_000)
    for hand in (other, third):
        await world.floors.request("c", hand)
    venue = await world.venues.add("c", STAFF, VenueDraft("分会场", VenueKind.BRANCH))
    invitee, given = await world.invited("赵六", venue_id=venue.id)
    guest = await world.arrivals.join(world.guest(given), "赵六")
    stranger = await world.arrivals.join(world.guest(_in_hall(venue.id), "t_stranger"), "路人")
    await world.moderation.mute("c", chair, third, muted=True, hard=True)
    await world.moderation.mute("c", chair, guest, muted=True, hard=False)
    world.clock.forward(3)  # further than the last heartbeat noted
    await world.agendas.advance("c", chair)
    items_of = [each.id for each in items]
    ids = (chair, speaker, other, third, statement.id)
    return Proceedings(world, *ids, items_of, stranger, venue.id, invitee.id, guest, given)


def _in_hall(venue_id: str) -> Pass:
    return Pass("c", Role.MEMBER, "路人", "分会场", EntryMeans.CODE, None, venue_id, in_hall=True)


Write = Callable[[Proceedings], Awaitable[object]]


async def _edit_agenda(on: Proceedings) -> None:
    drafts = [AgendaDraft(f"改{n}", AgendaKind.REPORT, id=each) for n, each in enumerate(on.items[:2])]
    await on.world.agendas.edit("c", on.chair, [*drafts, AgendaDraft("新", AgendaKind.SUMMARY)])


def _edit(**changes: Any) -> Write:
    async def edit(on: Proceedings) -> None:
        world = on.world
        revision = (await world.consultations.get("c")).revision
        await Editing(world.rooms, world.floors, world.waiting).edit("c", STAFF, revision, changes)

    return edit


def _mute(who: str, *, muted: bool = True, hard: bool = False) -> Write:
    return lambda on: on.world.moderation.mute("c", on.chair, getattr(on, who), muted=muted, hard=hard)


def _mute_all(*, muted: bool = True, hard: bool = False) -> Write:
    return lambda on: on.world.moderation.mute_all("c", on.chair, muted=muted, hard=hard)


def _choose(who: str, **choice: Any) -> Write:
    return lambda on: on.world.moderation.choose("c", getattr(on, who), **choice)


def _lost(who: str) -> Write:
    async def lose(on: Proceedings) -> None:
        names = {on.speaker: "张三", on.other: "李四", on.guest: "赵六", on.stranger: "路人"}
        await on.world.departures.disconnect("c", getattr(on, who), names[getattr(on, who)])

    return lose


async def _resume(on: Proceedings) -> None:
    await on.world.join("李四", resume=on.world.resume("李四"))


async def _grace_ends(on: Proceedings) -> None:
    on.world.clock.forward(61)
    await on.world.departures.expire()


async def _come_back(on: Proceedings) -> None:
    await on.world.arrivals.join(on.world.guest(on.pass_, "t_again"), "赵六又来")


async def _take_over(on: Proceedings) -> None:
    await on.world.arrivals.join(on.world.guest(on.pass_, "t_other", take_over=True), "赵六二")


async def _stranger_comes(on: Proceedings) -> None:
    await on.world.arrivals.join(on.world.guest(_in_hall(on.venue), "t_2"), "路人二")


def _both(one: Write, other: Write) -> Write:
    async def both(on: Proceedings) -> None:
        await one(on)
        await other(on)

    return both


def _revoke(token_id: str) -> Write:
    async def revoke(on: Proceedings) -> None:
        await Revocations(on.world.rooms, on.world.departures).revoke("c", token_id, STAFF)

    return revoke


async def _publish(on: Proceedings) -> None:
    entry = Entry("c", Role.VENUE_OPERATOR, "机位", None, "t_encoder")
    await on.world.streams.publish(entry, "offer")


def _grant(**more: Any) -> Write:
    return lambda on: on.world.floors.grant("c", on.chair, on.speaker, **more)


def _ticked(*seconds: float) -> Write:
    async def tick(on: Proceedings) -> None:
        for each in seconds:
            on.world.clock.forward(each)
            await on.world.floor_clock.tick()

    return tick


async def _drop_out(on: Proceedings) -> None:
    await _lost("speaker")(on)
    await _ticked(5)(on)


async def _speaker_is_back(on: Proceedings) -> None:
    await on.world.join("张三", resume=on.world.resume("张三"))


def _began_again(*services: str) -> Write:
    """Another process starts two minutes later and has come so far."""

    async def begin(on: Proceedings) -> None:
        on.world.clock.forward(120)
        on.world = World(on.world.database, on.world.clock, on.world.limits)
        for service in services:
            await getattr(on.world, service).restore()

    return begin


def _restored(service: str) -> Write:
    return lambda on: getattr(on.world, service).restore()


async def _operators_come(on: Proceedings) -> None:
    """Two of one venue."""
    for name in ("马师傅", "李师傅"):
        entry = on.world.entry(name, Role.VENUE_OPERATOR)
        await on.world.arrivals.join(replace(entry, venue="分会场"), name)


async def _take_over_venue(on: Proceedings) -> None:
    room = on.world.rooms.find("c")
    assert room is not None
    second = next(each for each in room.seats.values() if each.participant.name == "李师傅")
    await on.world.moderation.take_over("c", second.id)


async def _somebody_comes(on: Proceedings) -> None:
    await on.world.join("晚到")


KINDS: Final[dict[str, Kind]] = {
    "agenda.edited": Kind(_edit_agenda),
    "agenda.started": Kind(lambda on: on.world.agendas.start("c", on.chair, on.items[2])),
    "agenda.started next": Kind(lambda on: on.world.agendas.advance("c", on.chair)),
    "agenda.ended": Kind(lambda on: on.world.agendas.end("c", on.chair)),
    "statement.added": Kind(lambda on: on.world.statements.add("c", on.speaker, "又一条", key="n" * 8)),
    "statement.added private": Kind(
        lambda on: on.world.statements.add("c", on.speaker, "请关空调", key="n" * 8, private=True)
    ),
    "statement.liked": Kind(lambda on: on.world.statements.like("c", on.speaker, on.statement, True)),
    "statement.unliked": Kind(lambda on: on.world.statements.like("c", on.chair, on.statement, False)),
    "statement.taken": Kind(lambda on: on.world.statements.take("c", on.chair, on.statement, True)),
    "statement.returned": Kind(
        lambda on: on.world.statements.take("c", on.chair, on.statement, False),
        first=lambda on: on.world.statements.take("c", on.chair, on.statement, True),
    ),
    "venue.message": Kind(
        lambda on: on.world.venue_talk.send("c", on.chair, "请调低音箱", venue_id=on.venue)
    ),
    "venue.taken_over": Kind(_take_over_venue, first=_operators_come),
    "hand.raised": Kind(lambda on: on.world.floors.request("c", on.guest)),
    "hand.lowered": Kind(lambda on: on.world.floors.withdraw("c", on.other, on.other)),
    "floor.ordered": Kind(lambda on: on.world.floors.order("c", on.chair, [on.third])),
    "floor.granted": Kind(lambda on: on.world.floors.grant("c", on.chair, on.other)),
    "floor.granted again": Kind(_grant(duration_ms=90_000)),
    "floor.extended": Kind(lambda on: on.world.floors.extend("c", on.chair, 30_000)),
    "floor.mode": Kind(lambda on: on.world.floors.set_mode("c", on.chair, Mode.CHAIR)),
    "floor.ended by oneself": Kind(lambda on: on.world.floors.withdraw("c", on.speaker, on.speaker)),
    "floor.ended by the chair": Kind(lambda on: on.world.floors.end("c", on.chair)),
    "floor.ended by time": Kind(
        _ticked(50), first=_both(_grant(duration_ms=40_000, ending=Ending.HARD), _ticked(20))
    ),
    "floor.ended by a restart": Kind(
        _restored("floor_clock"), first=_began_again("programs", "attendance", "rooms")
    ),
    "floor.started": Kind(_ticked(20)),
    "floor.warned": Kind(_ticked(30), first=_both(_grant(duration_ms=80_000), _ticked(20))),
    "floor.over": Kind(_ticked(50), first=_both(_grant(duration_ms=40_000), _ticked(20))),
    "floor.held": Kind(_ticked(5), first=_lost("speaker")),
    "floor.returned": Kind(_ticked(0), first=_both(_drop_out, _speaker_is_back)),
    "participant.joined": Kind(lambda on: on.world.join("钱七")),
    "participant.joined encoder": Kind(_publish),
    "participant.disconnected": Kind(_lost("other")),
    "participant.resumed": Kind(_resume, first=_lost("other")),
    "participant.lost": Kind(_grace_ends, first=_lost("other")),
    "participant.lost in a restart": Kind(_restored("rooms"), first=_began_again("programs", "attendance")),
    "participant.left": Kind(lambda on: on.world.departures.leave("c", on.other)),
    "participant.left speaking": Kind(lambda on: on.world.departures.leave("c", on.speaker)),
    "participant.returned": Kind(_come_back, first=lambda on: on.world.departures.leave("c", on.guest)),
    "participant.moved": Kind(_take_over),
    "participant.removed": Kind(lambda on: on.world.departures.remove("c", on.chair, on.other)),
    "participant.revoked": Kind(_revoke("t_guest")),
    "participant.renamed": Kind(_choose("other", name="李四新")),
    "participant.microphone": Kind(_choose("other", microphone=False)),
    "participant.microphone opened": Kind(_choose("guest", microphone=True)),
    "participant.camera": Kind(_choose("other", camera=False)),
    "participant.muted": Kind(_mute("other")),
    "participant.muted hard": Kind(_mute("other", hard=True)),
    "participant.unmuted": Kind(_mute("third", muted=False)),
    "room.muted": Kind(_mute_all()),
    "room.muted hard": Kind(_mute_all(hard=True)),
    "room.unmuted": Kind(_mute_all(muted=False), first=_mute_all()),
    "room.unmuted hard": Kind(_mute_all(muted=False), first=_mute_all(hard=True)),
    "participant.waiting": Kind(_stranger_comes),
    "participant.admitted": Kind(lambda on: on.world.waiting.admit("c", on.chair, on.stranger)),
    "waiting.refused": Kind(lambda on: on.world.waiting.refuse("c", on.chair, on.stranger)),
    "waiting.left": Kind(lambda on: on.world.departures.leave("c", on.stranger)),
    "waiting.lost": Kind(_grace_ends, first=_lost("stranger")),
    "waiting.revoked": Kind(_revoke("t_stranger")),
    "invitee.added": Kind(lambda on: on.world.invitees.add("c", STAFF, InviteeDraft("周八"))),
    "invitee.edited": Kind(
        lambda on: on.world.invitees.edit("c", STAFF, on.invitee, {"name": "赵六六", "venue_id": None})
    ),
    "participant.corrected": Kind(lambda on: on.world.venues.edit("c", STAFF, on.venue, {"name": "东厅"})),
    "invitee.link": Kind(lambda on: on.world.invitees.new_link("c", STAFF, on.invitee)),
    "invitee.removed": Kind(lambda on: on.world.invitees.remove("c", STAFF, on.invitee)),
    "venue.code": Kind(lambda on: on.world.venues.new_code("c", STAFF, on.venue)),
    "venue.code taken away": Kind(
        lambda on: on.world.venues.no_code("c", STAFF, on.venue),
        first=lambda on: on.world.venues.new_code("c", STAFF, on.venue),
    ),
    "venue.link": Kind(lambda on: on.world.venues.new_link("c", STAFF, on.venue)),
    "consultation.edited": Kind(_edit(title="改名的协商会")),
    "consultation.edited mode": Kind(_edit(mode=Mode.CHAIR)),
    "consultation.edited door": Kind(
        _edit(waiting_room=False), first=_both(_edit(waiting_room=True), _somebody_comes)
    ),
    "consultation.ended": Kind(lambda on: on.world.life_cycle.end("c", on.world.bearer(Role.CHAIR))),
    "attendance.outage": Kind(_restored("attendance"), first=_began_again("programs")),
    "program.gap": Kind(_began_again("programs")),
}
