"""A consultation that is being prepared by staff who are logged in, and each kind of write of that time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conference.model.agenda import AgendaDraft, AgendaKind
from conference.model.comment import Level as WordLevel
from conference.model.comment import Word
from conference.model.errors import ConferenceError
from conference.model.invitee_list import ImportRow, Values
from conference.model.organization import Level
from conference.model.permissions import Role
from conference.model.rules import Rules
from conference.model.venue import VenueKind
from conference.services.audit import Trace
from conference.services.body_words import BodyWords
from conference.services.cameras import CameraDraft, Cameras
from conference.services.consultations import ConsultationDraft
from conference.services.editing import Editing
from conference.services.entry_codes import EntryCodes, Knock
from conference.services.files import Files
from conference.services.invitee_imports import InviteeImports, Mending
from conference.services.invitees import InviteeDraft
from conference.services.links import LinkKind
from conference.services.logins import Logins, StaffMember
from conference.services.passwords import Passwords
from conference.services.prechecks import Prechecks, Reader, Sheet
from conference.services.revocations import revoke_token
from conference.services.rooms import RoomLimits
from conference.services.rule_book import RuleBook, ServerRules
from conference.services.staff import Staff, UserDraft
from conference.services.storage_watch import StorageWatch
from conference.services.venues import VenueDraft
from conference.storage.database import Database
from conference.storage.ephemeral.memory import MemoryRateLimits
from conference.storage.files import DirectoryFiles
from signaling.auth.signer import DocumentSigner
from signaling.auth.tokens import TokenKey
from tests.support.prechecks import healthy_items
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock, ScriptedIngests
from tests.unit.services.scripted_meter import ScriptedMeter
from tests.unit.storage.crashing import Kind

BEGAN_MS: Final = 1_700_000_000_000
CHAINS: Final = ("c", "n", "staff")
FILES: Final = Path("files")
PDF: Final = b"%PDF-1.4 " + b"x" * 100
PASSWORD: Final = "correct horse battery"
LOAN: Final = Word("校园贷", WordLevel.BLOCK)
WINE: Final = Word("药酒", WordLevel.HOLD)
BY: Final = World.bearer(Role.SECRETARIAT)
GOOD, BAD = ImportRow(2, Values("林文博", role="委员")), ImportRow(3, Values("", role="委员"))


@dataclass
class GivenRows:
    """What a file says, without a file."""

    rows: list[ImportRow]

    async def read_invitees(self, data: bytes) -> list[ImportRow]:
        return self.rows


@dataclass
class Preparing:
    """A draft that could be published, with a list of which one row is bad, a file, and tokens given out."""

    world: World
    passwords: Passwords
    admin: StaffMember
    clerk: StaffMember
    venue: str
    empty_venue: str
    invitee: str
    file: str

    @property
    def database(self) -> Database:
        return self.world.database

    @property
    def staff(self) -> Staff:
        return Staff(self.database, self.passwords, self.world.clock)

    @property
    def logins(self) -> Logins:
        return Logins(self.database, self.passwords, self.world.clock)

    @property
    def rule_book(self) -> RuleBook:
        rooms = self.world.rooms
        return RuleBook(rooms, self.staff, StorageWatch(rooms, ScriptedMeter()), ServerRules(300, 0))

    @property
    def body_words(self) -> BodyWords:
        return BodyWords(self.database, self.staff, self.world.clock)

    @property
    def files(self) -> Files:
        return files_of(self.world, FILES)

    @property
    def imports(self) -> InviteeImports:
        return imports_of(self.world)

    async def noted(self) -> dict[str, Any]:
        heads = {}
        async with self.database.reading() as unit:
            for chain in CHAINS:
                head = await unit.audit.head(chain)
                heads[chain] = (head.number, head.hash)
        return {"heads": heads}


def files_of(world: World, directory: Path) -> Files:
    return Files(world.database, DirectoryFiles(directory), world.clock)


def imports_of(world: World) -> InviteeImports:
    return InviteeImports(world.database, GivenRows([GOOD, BAD]), world.links, world.clock)


async def prepare(database: Database) -> Preparing:
    world = World(database, ManualClock(epoch_ms=BEGAN_MS), RoomLimits())
    passwords = Passwords()
    staff, logins = Staff(database, passwords, world.clock), Logins(database, passwords, world.clock)
    body = await staff.add_organization(None, "澄川市政协", Level.CITY)
    members: list[StaffMember] = []
    for login, role in (("admin", Role.ADMINISTRATOR), ("clerk", Role.SECRETARIAT)):
        await staff.add_user(None, UserDraft(login, f"{login}某", role, PASSWORD, body.id))
        members.append((await logins.login(login, PASSWORD))[1])
    await logins.login("clerk", PASSWORD)
    draft = ConsultationDraft(title="协商会", id="c", scheduled_at_ms=BEGAN_MS + 1)
    await world.consultations.draft(members[1], draft)
    venue = await world.venues.add("c", BY, VenueDraft("分会场", VenueKind.BRANCH, operator_name="老周"))
    empty = await world.venues.add("c", BY, VenueDraft("旧会场", VenueKind.POINT))
    await world.venues.new_code("c", BY, empty.id)
    invitee = await world.invitees.add("c", BY, InviteeDraft("赵主席", Role.CHAIR, venue_id=venue.id))
    await world.agendas.edit("c", BY, [AgendaDraft("一", AgendaKind.SPEECH)])
    await world.consultations.note_tokens("c", {"t_1": Role.MEMBER})
    consultation = await world.consultations.get("c")
    file = await files_of(world, FILES).add(consultation, BY, "甲.pdf", PDF)
    admin, clerk = members
    return Preparing(world, passwords, admin, clerk, venue.id, empty.id, invitee.id, file.id)


Write = Callable[[Preparing], Awaitable[object]]


def _in_order(*writes: Write) -> Write:
    async def write(on: Preparing) -> None:
        for each in writes:
            await each(on)

    return write


async def _edit(on: Preparing) -> None:
    editing = Editing(on.world.rooms, on.world.floors, on.world.waiting)
    revision = (await on.world.consultations.get("c")).revision
    await editing.edit("c", on.clerk.bearer, revision, {"title": "改名的协商会", "briefing": "说明"})


def _add_file(content: bytes) -> Write:
    async def add(on: Preparing) -> None:
        await on.files.add(await on.world.consultations.get("c"), BY, "乙.pdf", content)

    return add


async def _remove_file(on: Preparing) -> None:
    await on.files.remove(await on.world.consultations.get("c"), BY, on.file)


async def _use_link(on: Preparing) -> None:
    await on.world.entrances.enter(on.world.links.code(LinkKind.INVITEE, on.invitee, 1))


async def _open_screen(on: Preparing) -> None:
    venue = next(each for each in await on.world.venues.list("c") if each.id == on.venue)
    code = on.world.links.code(LinkKind.SCREEN, venue.id, venue.link_revision)
    await on.world.screen_links.enter("c", venue.id, code)


async def _use_code(on: Preparing) -> None:
    venue = next(each for each in await on.world.venues.list("c") if each.id == on.empty_venue)
    codes = EntryCodes(on.database, on.world.clock, on.world.issue, MemoryRateLimits(on.world.clock))
    await codes.enter(Knock(venue.entry_code or "", "d", "a"), "路人")


def _cameras(on: Preparing) -> Cameras:
    return Cameras(on.database, on.world.clock, TokenKey(b"k" * 32).camera_sealer(), ScriptedIngests())


async def _add_camera(on: Preparing) -> None:
    await _cameras(on).add("c", BY, on.venue, CameraDraft("主席台", "rtsp://a:b@h/x"))


async def _edit_camera(on: Preparing) -> None:
    *_, last = await _cameras(on).of_venue("c", on.venue)
    changes = {"label": "全景", "is_main": True, "password": "c"}
    await _cameras(on).edit("c", BY, on.venue, last.id, changes)


async def _remove_camera(on: Preparing) -> None:
    main, *_ = await _cameras(on).of_venue("c", on.venue)
    await _cameras(on).remove("c", BY, on.venue, main.id)


async def _forget(on: Preparing) -> None:
    async with on.database.reading() as unit:
        line = (await unit.audit.lines("c", action="venue.added"))[0]
    await Trace(on.database, on.world.clock).forget("c", line.number, on.admin.bearer)


async def _wrong_password(on: Preparing) -> None:
    with suppress(ConferenceError):
        await on.logins.login("clerk", "not this one")


def _change_user(**changes: Any) -> Write:
    return lambda on: on.staff.change_user(on.admin, on.clerk.user.id, {}, **changes)


async def _add_user(on: Preparing) -> None:
    await on.staff.add_user(on.admin, UserDraft("new", "新某", Role.MODERATOR, PASSWORD))


async def _change_own_body(on: Preparing) -> None:
    body = on.admin.organization.id
    await on.staff.change_organization(on.admin, body, {"name": "澄川市政协办公室"})


def _moved(step: str, *reason: str) -> Write:
    return lambda on: getattr(on.world.life_cycle, step)("c", World.bearer(Role.ORGANIZER), *reason)


def _start(on: Preparing) -> Awaitable[object]:
    return on.world.life_cycle.start("c", World.bearer(Role.CHAIR))


def _end(on: Preparing) -> Awaitable[object]:
    return on.world.life_cycle.end("c", World.bearer(Role.CHAIR))


def _read(on: Preparing) -> Awaitable[object]:
    return on.imports.read("c", BY, "名单.xlsx", b"")


def _rehearse(on: Preparing) -> Awaitable[object]:
    return on.world.consultations.rehearse(ConsultationDraft(title="演练", id="c"))


def _change_words(*words: Word) -> Write:
    return lambda on: on.body_words.put(on.admin, on.admin.organization.id, words)


def _change_rules(rules: Rules) -> Write:
    return lambda on: on.rule_book.change(on.admin, on.admin.organization.id, rules)


PUBLISHED: Final = _moved("publish")

KINDS: Final[dict[str, Kind]] = {
    "consultation.created": Kind(
        lambda on: on.world.consultations.draft(on.clerk, ConsultationDraft(title="新的", id="n"))
    ),
    "consultation.edited": Kind(_edit),
    "consultation.published": Kind(PUBLISHED),
    "consultation.unpublished": Kind(_moved("unpublish"), first=PUBLISHED),
    "consultation.postponed": Kind(_moved("postpone", "改期"), first=PUBLISHED),
    "consultation.cancelled": Kind(_moved("cancel", "不开了"), first=PUBLISHED),
    "consultation.started": Kind(_start, first=PUBLISHED),
    "consultation.sealed": Kind(_moved("seal"), first=_in_order(PUBLISHED, _start, _end)),
    "consultation.deleted": Kind(_rehearse, first=_moved("cancel", "不开了")),
    "venue.added": Kind(lambda on: on.world.venues.add("c", BY, VenueDraft("东厅", VenueKind.MAIN))),
    "venue.edited": Kind(lambda on: on.world.venues.edit("c", BY, on.venue, {"name": "西厅"})),
    "precheck.submitted": Kind(
        lambda on: Prechecks(on.world.rooms, DocumentSigner(b"k" * 32)).submit(
            "c", Reader(BY), on.venue, Sheet(healthy_items(), 118_000, "Chromium")
        )
    ),
    "venue.removed": Kind(lambda on: on.world.venues.remove("c", BY, on.empty_venue)),
    "camera.added": Kind(_add_camera),
    "camera.edited": Kind(_edit_camera, first=_in_order(_add_camera, _add_camera)),
    "camera.removed": Kind(_remove_camera, first=_in_order(_add_camera, _add_camera)),
    "invitee.edited": Kind(
        lambda on: on.world.invitees.edit("c", BY, on.invitee, {"name": "赵副主席", "venue_id": None})
    ),
    "invitee.removed": Kind(lambda on: on.world.invitees.remove("c", BY, on.invitee)),
    "import.read": Kind(_read),
    "import.mended": Kind(
        lambda on: on.imports.mend("c", BY, [Mending(3, {"name": "何春生"}, None, None)]), first=_read
    ),
    "import.dropped": Kind(lambda on: on.imports.drop("c", BY), first=_read),
    "invitees.imported": Kind(lambda on: on.imports.apply("c", BY), first=_read),
    "invitees.imported all": Kind(
        lambda on: on.imports.apply("c", BY),
        first=_in_order(_read, lambda on: on.imports.mend("c", BY, [Mending(3, {"name": "何春生"})])),
    ),
    "file.added": Kind(_add_file(PDF + b"other")),
    "file.added again": Kind(_add_file(PDF)),
    "file.removed": Kind(_remove_file),
    "file.removed one of two": Kind(_remove_file, first=_add_file(PDF)),
    "token.issued": Kind(lambda on: on.world.consultations.note_tokens("c", {"t_2": Role.CHAIR})),
    "token.revoked": Kind(lambda on: revoke_token(on.database, on.world.clock, "c", "t_1", BY)),
    "link.used": Kind(_use_link, first=PUBLISHED),
    "screen.opened": Kind(_open_screen, first=PUBLISHED),
    "code.used": Kind(_use_code, first=PUBLISHED),
    "audit.forgotten": Kind(_forget),
    "organization.added": Kind(lambda on: on.staff.add_organization(on.admin, "临江县政协", Level.COUNTY)),
    "organization.changed": Kind(_change_own_body),
    "rules.changed": Kind(_change_rules(Rules(max_live=2, retention_days=90))),
    "rules.changed again": Kind(
        _change_rules(Rules(max_participants=50, max_storage_gb=300)),
        first=_change_rules(Rules(max_live=2, retention_days=90)),
    ),
    "words.changed": Kind(_change_words(LOAN)),
    "words.changed again": Kind(_change_words(WINE), first=_change_words(LOAN)),
    "user.added": Kind(_add_user),
    "user.changed disabled": Kind(_change_user(disabled=True)),
    "user.changed password": Kind(_change_user(password="another long password")),
    "user.logged_in": Kind(lambda on: on.logins.login("clerk", PASSWORD), first=_wrong_password),
    "user.login_failed": Kind(_wrong_password),
    "user.login_failed and locked": Kind(_wrong_password, first=_in_order(*[_wrong_password] * 4)),
    "user.password_changed": Kind(
        lambda on: on.logins.change_password(on.clerk, PASSWORD, "another long password")
    ),
    "user.logged_out": Kind(lambda on: on.logins.logout(on.clerk)),
}
