"""A case about a comment of the public, and each kind of write that is made about answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from conference.model.agenda import AgendaDraft, AgendaKind
from conference.model.comment import Decision
from conference.model.department import Department
from conference.model.permissions import Role
from conference.model.response import Rating
from conference.services.case_queries import WantedCases
from conference.services.consultations import ConsultationDraft
from conference.services.rooms import RoomLimits
from conference.storage.database import Database
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.services.responses_stage import MODERATOR, STAFF, TEXT, Office
from tests.unit.storage.crashing import Kind
from tests.unit.storage.proceedings_stage import BEGAN_MS

CHAIR: Final = World.bearer(Role.CHAIR)
OTHER: Final = "互助点晚上没有人"
DAY_S: Final = 86_400


@dataclass
class Ledger:
    """Two comments of one group are shown and have a case; another comment is shown and has none."""

    world: World
    ids: list[str]
    case_id: str
    departments: list[Department]

    @property
    def database(self) -> Database:
        return self.world.database

    @cached_property
    def office(self) -> Office:
        return Office(Audience(self.world))

    async def noted(self) -> dict[str, Any]:
        async with self.database.reading() as unit:
            head = await unit.audit.head("c")
        return {"number": head.number, "hash": head.hash}


async def prepare(database: Database) -> Ledger:
    world = World(database, ManualClock(epoch_ms=BEGAN_MS), RoomLimits())
    await world.consultations.create(ConsultationDraft(title="协商会", id="c"))
    await world.agendas.edit("c", STAFF, [AgendaDraft("讨论", AgendaKind.DISCUSSION)])
    await world.life_cycle.start("c", CHAIR)
    await world.agendas.advance("c", CHAIR)
    office = Office(Audience(world))
    texts = (TEXT, TEXT, OTHER)
    ids = [(await office.public.post(text, device=f"d{number}")).id for number, text in enumerate(texts)]
    await office.public.desk.decide("c", MODERATOR, Decision.APPROVE, ids)
    departments = [await office.department(name) for name in ("市民政局", "市财政局")]
    case = await office.responses.open("c", STAFF, ids[0])
    return Ledger(world, ids, case.id, departments)


Write = Callable[[Ledger], Awaitable[object]]


def _after(*steps: Write) -> Write:
    async def all_of_them(on: Ledger) -> None:
        for step in steps:
            await step(on)

    return all_of_them


def _desk(what: str, *given: Any) -> Write:
    return lambda on: getattr(on.office.responses, what)("c", STAFF, on.case_id, *given)


def _assign(which: int = 0) -> Write:
    return lambda on: on.office.responses.assign(
        "c", STAFF, on.case_id, on.departments[which].id, reason="理由"
    )


def _until_ms(on: Ledger) -> int:
    return on.world.clock.wall_ms() + 40 * DAY_S * 1000


async def _ask(on: Ledger) -> None:
    code = on.office.code(on.departments[0])
    await on.office.door.ask_extension(code, on.case_id, _until_ms(on), "要问财政")


async def _refuse(on: Ledger) -> None:
    await on.office.door.refuse(on.office.code(on.departments[0]), on.case_id, "不归我们")


async def _extend(on: Ledger) -> None:
    await on.office.responses.extend("c", STAFF, on.case_id, _until_ms(on))


async def _submit(on: Ledger) -> None:
    await on.office.submit(on.departments[0], on.case_id)


def _rate(device: str, rating: Rating) -> Write:
    return lambda on: on.office.answers.rate("c", on.case_id, device, rating)


async def _follow_up(on: Ledger) -> None:
    await on.office.answers.follow_up("c", on.case_id, "d0", "镇上也可以吗？")


async def _open(on: Ledger) -> None:
    await on.office.responses.open("c", STAFF, on.ids[2], on.departments[0].id)


async def _promote(on: Ledger, which: int = 0) -> None:
    await on.office.public.promotions.promote("c", CHAIR, on.ids[which])


async def _promote_other(on: Ledger) -> None:
    await _promote(on, 2)


async def _add(on: Ledger) -> None:
    await on.office.department("市卫健委")


async def _edit(on: Ledger) -> None:
    await on.office.departments.edit("c", STAFF, on.departments[0].id, {"phone": "13800000000"})


async def _renew(on: Ledger) -> None:
    await on.office.departments.renew("c", STAFF, on.departments[0].id)


def _later(days: float) -> Write:
    async def wait(on: Ledger) -> None:
        on.world.clock.forward(days * DAY_S)

    return wait


async def _note(on: Ledger) -> None:
    await on.office.reminders.note_due()


async def _send(on: Ledger) -> None:
    await on.office.reminders.send()


def _failing(*, is_final: bool) -> Write:
    async def fail(on: Ledger) -> None:
        on.office.mail.faults = [is_final]
        await on.office.reminders.send()

    return fail


ASSIGNED: Final = _assign()
SUBMITTED: Final = _after(ASSIGNED, _submit)
ANSWERED: Final = _after(SUBMITTED, _desk("approve"))

KINDS: Final[dict[str, Kind]] = {
    "department.added": Kind(_add),
    "department.edited": Kind(_edit),
    "department.link_renewed": Kind(_renew),
    "response.opened": Kind(_open),
    "response.opened with a promotion": Kind(_promote_other),
    "response.promoted": Kind(_promote),
    "response.assigned": Kind(ASSIGNED),
    "response.assigned to another": Kind(_assign(1), first=SUBMITTED),
    "response.refused": Kind(_refuse, first=ASSIGNED),
    "response.extension_asked": Kind(_ask, first=ASSIGNED),
    "response.extension_denied": Kind(_desk("deny_extension", "来得及"), first=_after(ASSIGNED, _ask)),
    "response.extended": Kind(_extend, first=_after(ASSIGNED, _ask)),
    "response.reminded": Kind(_note, first=_after(ASSIGNED, _later(30.4))),
    "response.reminded by hand": Kind(_desk("remind"), first=ASSIGNED),
    "response.submitted": Kind(_submit, first=ASSIGNED),
    "response.returned": Kind(_desk("give_back", "请补充"), first=SUBMITTED),
    "response.approved": Kind(_desk("approve"), first=SUBMITTED),
    "comment.answered": Kind(_desk("approve"), first=SUBMITTED),
    "response.unapproved": Kind(_desk("unapprove"), first=ANSWERED),
    "comment.unanswered": Kind(_desk("unapprove"), first=ANSWERED),
    "response.rated": Kind(_rate("d1", Rating.FAIRLY), first=ANSWERED),
    "response.rated and closed": Kind(_rate("d0", Rating.SATISFIED), first=ANSWERED),
    "response.followed_up": Kind(_follow_up, first=ANSWERED),
    "response.reopened": Kind(_desk("reopen", "网友追问"), first=ANSWERED),
    "response.closed": Kind(_desk("close"), first=ANSWERED),
    "notice.sent": Kind(_send, first=ASSIGNED),
    "notice.delayed": Kind(_failing(is_final=False), first=ASSIGNED),
    "notice.failed": Kind(_failing(is_final=True), first=ASSIGNED),
    "notice.dropped": Kind(_send, first=SUBMITTED),
}
EVERY: Final = WantedCases(limit=500)
