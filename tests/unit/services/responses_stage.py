"""The ledger of a world: those who keep it, a department behind its link, the public, and what was sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from conference.model.comment import Decision
from conference.model.department import Department
from conference.model.notice import Channel, Notice
from conference.model.permissions import Role
from conference.model.response import Response, Visibility
from conference.services.case_queries import CaseQueries
from conference.services.case_views import CaseCard
from conference.services.department_door import DepartmentDoor
from conference.services.departments import DepartmentDraft, Departments
from conference.services.ledger import Ledgers
from conference.services.links import LinkKind, Links
from conference.services.notices import Notices
from conference.services.ports import Letter, NotSentError
from conference.services.public_responses import PublicResponses
from conference.services.reminders import Reminders
from conference.services.responses import Responses
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World

ZONE = ZoneInfo("Asia/Shanghai")
STAFF = World.bearer(Role.SECRETARIAT, "刘秘书")
MODERATOR = World.bearer(Role.MODERATOR, "陈审核")
TEXT = "助餐点能不能接受现金？"
ANSWER = "可以用现金，也可以刷社保卡。"


@dataclass
class Channels:
    """What is on the other side of a channel. `faults`: for the next letters, whether each is final."""

    channel: Channel
    letters: list[Letter] = field(default_factory=list)
    faults: list[bool] = field(default_factory=list)

    def reaches(self, department: Department) -> bool:
        return bool(department.email if self.channel is Channel.EMAIL else department.phone)

    async def send(self, letter: Letter) -> None:
        if self.faults:
            raise NotSentError("refused", is_final=self.faults.pop(0))
        self.letters.append(letter)


@dataclass
class Office:
    """Everything about answers, on one world."""

    public: Audience

    def __post_init__(self) -> None:
        world = self.world
        self.mail, self.sms = Channels(Channel.EMAIL), Channels(Channel.WEBHOOK)
        self.links = Links(b"k" * 32, "https://huiyi.example.cn")
        self.ledgers = Ledgers(world.database, world.clock)
        self.notices = Notices([self.mail, self.sms])
        self.departments = Departments(world.database, world.clock, self.links, self.ledgers)
        self.responses = Responses(self.public.boards, self.ledgers, self.notices, ZONE)
        self.cases = CaseQueries(world.database, world.clock, self.public.boards.reader, self.ledgers, ZONE)
        self.door = DepartmentDoor(
            world.database, world.programs, world.clock, self.links, self.ledgers, ZONE
        )
        self.answers = PublicResponses(self.public.boards, self.public.broadcasts, self.ledgers, ZONE)
        self.reminders = Reminders(
            world.database, world.programs, world.clock, self.notices, self.links, ZONE
        )

    @property
    def world(self) -> World:
        return self.public.world

    async def department(
        self, name: str = "市民政局", phone: str = "", email: str = "w@example.cn"
    ) -> Department:
        return await self.departments.add("c", STAFF, DepartmentDraft(name, "王科", email, phone))

    def code(self, department: Department) -> str:
        return self.links.code(LinkKind.DEPARTMENT, department.id, department.link_revision)

    async def case(self, text: str = TEXT, device: str = "d1") -> CaseCard:
        """A comment that is shown, and its case."""
        comment = await self.public.post(text, device=device)
        await self.public.desk.decide("c", MODERATOR, Decision.APPROVE, [comment.id], group=True)
        return await self.responses.open("c", STAFF, comment.id)

    async def assigned(self, department: Department, text: str = TEXT) -> CaseCard:
        case = await self.case(text)
        return await self.responses.assign("c", STAFF, case.id, department.id)

    async def submit(self, department: Department, case_id: str, text: str = ANSWER) -> CaseCard:
        return await self.door.answer(self.code(department), case_id, text, Visibility.PUBLIC, "李科员")

    async def stored(self, case_id: str) -> Response:
        async with self.world.database.reading() as unit:
            found = await unit.responses.get(case_id)
        assert found is not None
        return found

    async def noted(self, case_id: str) -> list[Notice]:
        async with self.world.database.reading() as unit:
            return await unit.notices.of(case_id)
