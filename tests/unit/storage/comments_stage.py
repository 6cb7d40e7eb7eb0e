"""Comments of the public in a live consultation, and each kind of write that is made about them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from conference.model.agenda import AgendaDraft, AgendaKind
from conference.model.comment import Decision, Level, Word
from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.services import viewers as counting
from conference.services.comment_decisions import Batch
from conference.services.consultations import ConsultationDraft
from conference.services.rooms import RoomLimits
from conference.storage.database import Database
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.services.identities_stage import Visitors
from tests.unit.storage.crashing import Kind
from tests.unit.storage.proceedings_stage import BEGAN_MS

CHAIR: Final = World.bearer(Role.CHAIR)
MODERATOR: Final = World.bearer(Role.MODERATOR)
STAFF: Final = World.bearer(Role.SECRETARIAT)
TEXTS: Final = ("助餐点能不能接受现金？", "助餐点能不能接受现金？", "互助点晚上没有人")


@dataclass
class Comments:
    """Three comments wait, two of them of one group."""

    world: World
    ids: list[str]

    @property
    def database(self) -> Database:
        return self.world.database

    @cached_property
    def visitors(self) -> Visitors:
        return Visitors(self.world)

    @property
    def public(self) -> Audience:
        return self.visitors.public

    async def noted(self) -> dict[str, Any]:
        async with self.database.reading() as unit:
            head = await unit.audit.head("c")
        return {"number": head.number, "hash": head.hash}


async def prepare(database: Database) -> Comments:
    world = World(database, ManualClock(epoch_ms=BEGAN_MS), RoomLimits())
    await world.consultations.create(ConsultationDraft(title="协商会", id="c"))
    await world.agendas.edit("c", STAFF, [AgendaDraft("讨论", AgendaKind.DISCUSSION)])
    await world.life_cycle.start("c", CHAIR)
    await world.agendas.advance("c", CHAIR)
    public = Audience(world)
    ids = [(await public.post(text, device=f"d{number}")).id for number, text in enumerate(TEXTS)]
    return Comments(world, ids)


Write = Callable[[Comments], Awaitable[object]]


def _after(*steps: Write) -> Write:
    async def all_of_them(on: Comments) -> None:
        for step in steps:
            await step(on)

    return all_of_them


def _decide(decision: Decision, which: int = 0, *, group: bool = True) -> Write:
    return lambda on: on.public.desk.decide("c", MODERATOR, decision, [on.ids[which]], group=group)


def _decide_groups(decision: Decision) -> Write:
    async def decide(on: Comments) -> None:
        group_id = (await on.public.board()).get(on.ids[0]).group_id
        await on.public.desk.decide_batch("c", MODERATOR, decision, Batch(2, (group_id,)))

    return decide


async def _undo(on: Comments) -> None:
    undo = next(reversed((await on.public.board()).undoable))
    await on.public.desk.undo("c", MODERATOR, undo)


async def _post(on: Comments) -> None:
    await on.public.post("安装呼叫器找谁", device="x", key="fresh key", region="南坪镇")


def _like(*, liked: bool) -> Write:
    return lambda on: on.public.comments.like("c", on.ids[0], "x", liked=liked)


async def _report(on: Comments) -> None:
    await on.public.comments.report("c", on.ids[0], "x")


async def _withdraw(on: Comments) -> None:
    await on.public.comments.withdraw("c", on.ids[0], "d0")


def _grouped(what: str) -> Write:
    return lambda on: getattr(on.public.desk, what)("c", MODERATOR, on.ids[1])


async def _merge(on: Comments) -> None:
    await on.public.desk.merge("c", MODERATOR, [on.ids[0], on.ids[2]])


async def _split(on: Comments) -> None:
    await on.public.desk.split("c", MODERATOR, [on.ids[1]])


async def _words(on: Comments) -> None:
    await on.public.desk.set_words("c", MODERATOR, [Word("卖药", Level.BLOCK, "fraud")])


async def _read(on: Comments) -> None:
    await on.public.desk.author("c", World.bearer(Role.ADMINISTRATOR), on.ids[0])


async def _erase(on: Comments) -> None:
    on.world.clock.forward(181 * 86_400)
    await on.public.comments.erase_addresses()


async def _begin(on: Comments) -> None:
    await on.visitors.begin(device="x")


def _answer(answer: str | None = None) -> Write:
    async def finish(on: Comments) -> None:
        if on.visitors.last is None:
            raise AssertionError("nothing was begun")
        with suppress(ConferenceError):
            await on.visitors.finish(on.visitors.last, answer, device="x")

    return finish


async def _begin_in_vain(on: Comments) -> None:
    on.visitors.telephones.is_down = True
    with suppress(ConferenceError):
        await on.visitors.begin()


async def _read_identity(on: Comments) -> None:
    board = await on.public.board()
    (known,) = (each for each in board.comments.values() if each.identity is not None)
    await on.visitors.identities.author("c", World.bearer(Role.ADMINISTRATOR), known.id)


async def _lapse(on: Comments) -> None:
    on.world.clock.forward(600)
    await on.visitors.identities.forget_lapsed()


async def _erase_subjects(on: Comments) -> None:
    on.world.clock.forward(181 * 86_400)
    await on.visitors.identities.erase_subjects()


def _promote(by: Any, which: int = 0) -> Write:
    return lambda on: on.public.promotions.promote("c", by, on.ids[which])


async def _decline(on: Comments) -> None:
    (promotion,) = await on.public.promotions.every("c", CHAIR)
    await on.public.promotions.decline("c", CHAIR, promotion.id)


async def _end(on: Comments) -> None:
    await on.public.promotions.end("c", CHAIR)


async def _watch(on: Comments) -> None:
    viewers = counting.Viewers(on.world.rooms, on.public.broadcasts)
    await viewers.seen("c", f"{7:032x}", "198.51.100.7")
    await viewers.write_all()


SHOWN: Final = _decide(Decision.APPROVE)
PROPOSED: Final = _promote(MODERATOR)
KNOWN: Final = _after(_begin, _answer())

KINDS: Final[dict[str, Kind]] = {
    "comment.posted": Kind(_post),
    "comment.liked": Kind(_like(liked=True), first=SHOWN),
    "comment.liked no more": Kind(_like(liked=False), first=_after(SHOWN, _like(liked=True))),
    "comment.reported": Kind(_report, first=SHOWN),
    "comment.withdrawn": Kind(_withdraw),
    "comment.withdrawn and its proposal": Kind(_withdraw, first=PROPOSED),
    "comment.approved": Kind(_decide(Decision.APPROVE)),
    "comment.rejected": Kind(_decide(Decision.REJECT)),
    "comment.rejected and its proposal": Kind(_decide(Decision.REJECT), first=PROPOSED),
    "comment.held": Kind(_decide(Decision.HOLD)),
    "comment.hidden": Kind(_decide(Decision.HIDE), first=SHOWN),
    "comment.reopened": Kind(_decide(Decision.REOPEN), first=_decide(Decision.REJECT)),
    "comment.approved with its group": Kind(_decide_groups(Decision.APPROVE)),
    "comment.undone": Kind(_undo, first=_decide(Decision.REJECT)),
    "comment.claimed": Kind(_grouped("claim")),
    "comment.released": Kind(_grouped("release"), first=_grouped("claim")),
    "comment.represented": Kind(_grouped("represent")),
    "comment.merged": Kind(_merge),
    "comment.split": Kind(_split),
    "comment.words_edited": Kind(_words),
    "comment.author_read": Kind(_read),
    "comment.addresses_erased": Kind(_erase),
    "identity.begun": Kind(_begin),
    "identity.not_asked": Kind(_begin_in_vain),
    "identity.failed": Kind(_answer("no code"), first=_begin),
    "identity.proven": Kind(_answer(), first=_begin),
    "comment.posted by somebody known": Kind(_post, first=KNOWN),
    "identity.read": Kind(_read_identity, first=_after(KNOWN, _post)),
    "identity.lapsed": Kind(_lapse, first=_begin),
    "identity.erased": Kind(_erase_subjects, first=KNOWN),
    "promotion.proposed": Kind(PROPOSED),
    "promotion.started": Kind(_promote(CHAIR)),
    "promotion.started of a proposal": Kind(_promote(CHAIR), first=PROPOSED),
    "promotion.started behind another": Kind(_promote(CHAIR, 2), first=_promote(CHAIR)),
    "promotion.declined": Kind(_decline, first=PROPOSED),
    "promotion.ended": Kind(_end, first=_promote(CHAIR)),
    "viewers.counted": Kind(_watch),
}
