"""Viewers show who they are, by a code on their telephone or through WeChat: guessed, repeated, late, not at all."""

from __future__ import annotations

import asyncio
import json

import pytest

from conference.model.consultation import CommentIdentity
from conference.model.errors import ConferenceError
from conference.model.identity import IdentityKind, mobile_number, require_offered
from conference.model.organization import Level, Organization, User
from conference.model.permissions import Role
from conference.services.consultations import ConsultationDraft
from conference.services.editing import Editing
from conference.services.identities import Identities
from conference.services.logins import StaffMember
from conference.storage.ephemeral.memory import MemoryRateLimits
from tests.unit.services.conftest import World
from tests.unit.services.identities_stage import DEVICE, NUMBER, Visitors

ADMINISTRATOR = World.bearer(Role.ADMINISTRATOR)
STAFF = World.bearer(Role.SECRETARIAT)
WECHAT = IdentityKind.WECHAT


@pytest.fixture
def viewers(world: World) -> Visitors:
    return Visitors(world)


async def code_of(call: object) -> str:
    with pytest.raises(ConferenceError) as caught:
        await call  # type: ignore[misc]
    return caught.value.code


async def edit(viewers: Visitors, **changes: object) -> None:
    world = viewers.world
    revision = (await world.consultations.get("c")).revision
    kinds = viewers.identities.kinds
    editing = Editing(world.rooms, world.floors, world.waiting, identity_kinds=kinds)
    await editing.edit("c", STAFF, revision, changes)
    world.clock.forward(1)  # what the public sees is remembered for a moment


@pytest.mark.parametrize(
    "said",
    [
        "13800138000",
        " 138 0013 8000 ",
        "+86 138-0013-8000",
        "008613800138000",
        "8613800138000",
        "１３８００１３８０００",
    ],
)
def test_a_number_however_it_is_written(said: str) -> None:
    assert mobile_number(said) == NUMBER


@pytest.mark.parametrize(
    "said", ["", "1380013800", "12800138000", "+1 415 555 0100", "0755-12345678", "x" * 40]
)
def test_what_is_no_mobile_number(said: str) -> None:
    with pytest.raises(ConferenceError, match="mobile"):
        mobile_number(said)


async def test_a_number_is_shown_by_its_code(viewers: Visitors) -> None:
    before = await viewers.public.post("先写一条", device=DEVICE)
    begun = await viewers.begin("138 0013 8000")
    (message,) = viewers.telephones.sent
    assert (message["kind"], message["phone"]) == ("sms", NUMBER)
    assert len(viewers.telephones.code) == 6
    assert viewers.telephones.code in str(message["text"])
    assert await viewers.identities.of("c", DEVICE) is None
    assert await viewers.finish(begun) is IdentityKind.PHONE
    assert await viewers.identities.of("c", DEVICE) is IdentityKind.PHONE
    assert await viewers.identities.of("c", "another") is None

    after = await viewers.public.post("再写一条", device=DEVICE)
    board = await viewers.public.board()
    assert [board.get(each.id).identity for each in (before, after)] == [None, IdentityKind.PHONE]
    assert board.group_view(board.get(after.id).group_id, 0).representative.identity is IdentityKind.PHONE
    assert [each.identity for each in await viewers.public.stored()] == [None, IdentityKind.PHONE]
    assert await code_of(viewers.finish(begun)) == "identity_lapsed", "a code is good once"


async def test_nothing_in_clear(viewers: Visitors) -> None:
    phone = await viewers.begin()
    await viewers.finish(phone)
    wechat = await viewers.begin("", device="d2", kind=WECHAT)
    await viewers.finish(wechat, "the code", device="d2")
    pending = await viewers.begin("13900139000", device="d3")
    code = viewers.telephones.code
    await code_of(viewers.finish(pending, "000000" if code != "000000" else "000001", device="d3"))
    rows, lines = json.dumps(await viewers.rows()), await viewers.world.trace()
    said = rows + "".join(line.content for line in lines)
    for secret in (NUMBER, "13900139000", "openid7", code):
        assert secret not in said
    assert [
        (line.action, json.loads(line.content)) for line in lines if line.action.startswith("identity.")
    ] == [
        ("identity.begun", {"kind": "phone"}),
        ("identity.proven", {"kind": "phone", "proof": phone.id}),
        ("identity.begun", {"kind": "wechat"}),
        ("identity.proven", {"kind": "wechat", "proof": wechat.id}),
        ("identity.begun", {"kind": "phone"}),
        ("identity.failed", {"kind": "phone"}),
    ]
    stored = (await viewers.rows())["identities"]
    assert [viewers.vault.open(each["sealed_subject"]) for each in stored] == [NUMBER, "openid7"]


async def test_wechat_names_the_viewer(viewers: Visitors) -> None:
    begun = await viewers.begin("", kind=WECHAT)
    assert begun.url is not None
    assert begun.id in begun.url
    assert begun.id.isalnum()
    assert await code_of(viewers.finish(begun, "the code", device="d2")) == "identity_lapsed", (
        "state of another"
    )
    assert await code_of(viewers.finish(begun, "no code")) == "identity_wrong"
    viewers.wechat.is_down = True
    assert await code_of(viewers.finish(begun, "the code")) == "identity_unavailable"
    viewers.wechat.is_down = False
    assert await viewers.finish(begun, "the code") is WECHAT
    assert viewers.telephones.sent == []


async def test_five_attempts_however_fast(viewers: Visitors) -> None:
    begun, code = await viewers.begin(), viewers.telephones.code
    wrong = [f"{(int(code) + 1 + n) % 10**6:06}" for n in range(9)]
    tries = [viewers.finish(begun, each) for each in wrong]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(each, ConferenceError) for each in answers)
    found = [(each.code, each.members.get("left")) for each in answers if isinstance(each, ConferenceError)]
    assert sorted(found, key=str) == sorted(
        [*[("identity_wrong", n) for n in range(5)], *[("identity_lapsed", None)] * 4], key=str
    )
    assert await code_of(viewers.finish(begun, code)) == "identity_lapsed"


async def test_ten_minutes(viewers: Visitors) -> None:
    begun = await viewers.begin()
    viewers.world.clock.forward(599.9)
    assert await code_of(viewers.finish(begun, "no code")) == "identity_wrong"
    viewers.world.clock.forward(0.1)
    assert await code_of(viewers.finish(begun)) == "identity_lapsed"
    await viewers.identities.forget_lapsed()
    assert (await viewers.rows())["identity_proofs"] == []
    await viewers.identities.forget_lapsed()
    lines = [each.content for each in await viewers.world.trace() if each.action == "identity.lapsed"]
    assert [json.loads(each) for each in lines] == [{"count": 1}]


async def test_a_newer_proof_voids_the_older(viewers: Visitors) -> None:
    first = await viewers.begin()
    code = viewers.telephones.code
    viewers.world.clock.forward(61)
    second = await viewers.begin()
    assert await code_of(viewers.finish(first, code)) == "identity_lapsed"
    assert await viewers.finish(second) is IdentityKind.PHONE


async def test_another_consultation_learns_nothing(viewers: Visitors) -> None:
    await viewers.world.consultations.create(ConsultationDraft(title="另一场", id="other"))
    begun = await viewers.begin()
    assert await code_of(viewers.finish(begun, cid="other")) == "identity_lapsed"
    await viewers.finish(begun)
    assert await viewers.identities.of("other", DEVICE) is None
    viewers.world.clock.forward(61)
    await viewers.finish(await viewers.begin(cid="other"), cid="other")
    hashes = {each["subject_hash"] for each in (await viewers.rows())["identities"]}
    assert len(hashes) == 2, "the same number, and nobody can tell"


async def test_the_same_number_is_the_same_person(viewers: Visitors) -> None:
    for device in ("d1", "d2"):
        await viewers.finish(await viewers.begin(device=device), device=device)
        viewers.world.clock.forward(61)
    assert len({each["subject_hash"] for each in (await viewers.rows())["identities"]}) == 1


async def test_a_number_is_not_rung_again_and_again(viewers: Visitors) -> None:
    await viewers.begin(device="d0")
    assert await code_of(viewers.begin("+8613800138000", device="x")) == "rate_limited", "once a minute"
    for number in range(1, 5):
        viewers.world.clock.forward(61)
        await viewers.begin(device=f"d{number}", address=f"203.0.113.{number}")
    viewers.world.clock.forward(3_600)
    assert await code_of(viewers.begin(device="y")) == "rate_limited", "five a day"
    assert len(viewers.telephones.sent) == 5


async def test_a_device_and_an_address_are_limited(viewers: Visitors) -> None:
    for number in range(5):
        await viewers.begin(f"1380013800{number}")
    assert await code_of(viewers.begin("13800138009")) == "rate_limited"
    for number in range(54):
        await viewers.begin(f"139001390{number:02}", device=f"of {number}")
    assert await code_of(viewers.begin("13700137000", device="fresh")) == "rate_limited"
    await viewers.begin("13700137000", device="fresh", address="203.0.113.8")


async def test_guessing_on_many_proofs_is_limited(viewers: Visitors) -> None:
    begun = await viewers.begin()
    codes = [await code_of(viewers.finish(begun, "no code")) for _ in range(21)]
    assert codes[-1] == "rate_limited"
    assert codes[-2] == "identity_lapsed"


async def test_a_message_that_cannot_be_sent(viewers: Visitors) -> None:
    viewers.telephones.is_down = True
    assert await code_of(viewers.begin()) == "identity_unavailable"
    assert (await viewers.rows())["identity_proofs"] == []
    lines = [each.action for each in await viewers.world.trace()]
    assert lines[-2:] == ["identity.begun", "identity.not_asked"]


async def test_where_it_is_required(viewers: Visitors) -> None:
    await edit(viewers, comment_identity=CommentIdentity.REQUIRED)
    assert await code_of(viewers.public.post("不让写", device=DEVICE)) == "identity_required"
    await viewers.finish(await viewers.begin())
    made = await viewers.public.post("可以写了", device=DEVICE, key="the same key")
    again = await viewers.public.post("可以写了", device=DEVICE, key="the same key")
    assert made.id == again.id
    restarted = Visitors(await viewers.world.restart())
    assert (await restarted.public.post("重启以后", device=DEVICE)).id
    assert await code_of(restarted.public.post("不让写", device="d2")) == "identity_required"


async def test_a_comment_that_was_taken_is_taken_again_without(viewers: Visitors) -> None:
    made = await viewers.public.post("写在要求之前", key="sent before")
    await edit(viewers, comment_identity=CommentIdentity.REQUIRED)
    assert (await viewers.public.post("写在要求之前", key="sent before")).id == made.id


async def test_a_server_without_any(viewers: Visitors) -> None:
    world = viewers.world
    none = Identities(
        viewers.public.boards,
        viewers.public.broadcasts,
        (),
        viewers.vault,
        MemoryRateLimits(world.clock),
        days=180,
    )
    assert none.kinds == ()
    require_offered(CommentIdentity.OPTIONAL, none.kinds)
    with pytest.raises(ConferenceError) as caught:
        require_offered(CommentIdentity.REQUIRED, none.kinds)
    assert caught.value.code == "identity_not_offered"
    require_offered(CommentIdentity.REQUIRED, viewers.identities.kinds)


async def test_nobody_is_asked_for_what_the_server_has_no_way_to_ask(viewers: Visitors) -> None:
    world = viewers.world
    before = await world.consultations.get("c")
    editing = Editing(world.rooms, world.floors, world.waiting)
    changes = {"comment_identity": CommentIdentity.REQUIRED}
    refused = await code_of(editing.edit("c", STAFF, before.revision, changes))
    assert (refused, await world.consultations.get("c")) == ("identity_not_offered", before)
    county = Organization("o_1", "临江县政协", Level.COUNTY, None, 1)
    member = StaffMember(User("u_1", "zhou", "周", Role.ORGANIZER, "o_1", "", 1), county)
    draft = ConsultationDraft(title="养老", comment_identity=CommentIdentity.REQUIRED)
    assert await code_of(world.consultations.draft(member, draft)) == "identity_not_offered"


async def test_who_wrote_it(viewers: Visitors) -> None:
    unknown = await viewers.public.post("谁也不是", device=DEVICE)
    await viewers.finish(await viewers.begin())
    first = await viewers.public.post("第一个号码", device=DEVICE)
    viewers.world.clock.forward(61)
    await viewers.finish(await viewers.begin("13900139000"))
    second = await viewers.public.post("第二个号码", device=DEVICE)
    author = viewers.identities.author
    assert await code_of(author("c", World.bearer(Role.MODERATOR), first.id)) == "forbidden"
    assert await code_of(author("c", ADMINISTRATOR, unknown.id)) == "not_found"
    found = [(await author("c", ADMINISTRATOR, each.id)).subject for each in (first, second)]
    assert found == [NUMBER, "13900139000"]
    lines = [each.subject for each in await viewers.world.trace() if each.action == "identity.read"]
    assert lines == [first.id, second.id]

    viewers.world.clock.forward(181 * 86_400)
    await viewers.identities.erase_subjects()
    known = await author("c", ADMINISTRATOR, first.id)
    assert (known.kind, known.subject) == (IdentityKind.PHONE, None)
    rows = (await viewers.rows())["identities"]
    assert {(each["sealed_subject"], each["subject_hash"]) for each in rows} == {("", "")}
    assert await viewers.identities.of("c", DEVICE) is IdentityKind.PHONE


async def test_where_nothing_is_kept(world: World) -> None:
    viewers = Visitors(world, days=0)
    await viewers.finish(await viewers.begin())
    (row,) = (await viewers.rows())["identities"]
    assert (row["sealed_subject"], len(row["subject_hash"])) == ("", 64)


async def test_only_where_comments_are_taken(viewers: Visitors) -> None:
    await edit(viewers, is_public=False)
    assert await code_of(viewers.begin()) == "consultation_not_found"
    assert await code_of(viewers.identities.of("c", DEVICE)) == "consultation_not_found"
    assert await code_of(viewers.begin(cid="nowhere")) == "consultation_not_found"
    await edit(viewers, is_public=True)
    begun = await viewers.begin()
    await edit(viewers, closing_at_ms=viewers.world.clock.wall_ms())
    viewers.world.clock.forward(1)
    assert await code_of(viewers.finish(begun)) == "comments_closed"
    assert viewers.telephones.sent[1:] == []
