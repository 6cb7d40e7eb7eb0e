"""Links, codes and the waiting room through HTTP and real sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.model.participant import EntryMeans
from conference.model.permissions import Role
from conference.services.links import LinkKind
from conference.services.rooms import RoomLimits
from signaling.auth.tokens import TokenKey
from tests.support.eventually import eventually
from tests.unit.signaling.harness import KEY, Client, Signalling, signalling

API = "/api/v1"
CID = f"{API}/consultations/c"
Json = dict[str, Any]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Signalling]:
    async with signalling(tmp_path, RoomLimits(max_participants=20, grace_s=5.0)) as running:
        yield running


async def http(
    server: Signalling, method: str, path: str, role: Role | None = Role.SECRETARIAT, **options: Any
) -> tuple[int, Json]:
    headers = {} if role is None else {"Authorization": f"Bearer {server.token(role)}"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, server.url + path, headers=headers, **options) as response,
    ):
        return response.status, await response.json(content_type=None) if response.status != 204 else {}


async def made(server: Signalling, path: str, body: Json) -> Json:
    status, resource = await http(server, "POST", CID + path, json=body)
    assert status == 201, resource
    return resource


async def by_link(server: Signalling, link: str) -> str:
    """The token behind a link, as the join button gets it."""
    status, entered = await http(server, "POST", f"{API}/links/{link.rpartition('/')[2]}/enter", None)
    assert status == 200, entered
    return str(entered["token"])


async def seated(server: Signalling, token: str, **auth: Any) -> Client:
    client = await server.connect({"token": token, **auth})
    await eventually(lambda: client.events)
    return client


async def gone(client: Client) -> None:
    await eventually(lambda: not client.connected)


async def with_waiting_room(server: Signalling) -> None:
    _, consultation = await http(server, "GET", CID)
    body = {"revision": consultation["revision"], "waiting_room": True}
    assert (await http(server, "PATCH", CID, json=body))[0] == 200


async def test_from_the_list_by_the_link_into_the_room(server: Signalling) -> None:
    venue = await made(server, "/venues", {"name": " 西乡分会场 ", "kind": "branch", "operator_name": "赵六"})
    body = {
        "name": "王 伟",
        "title": "局长",
        "sector": "农业界",
        "venue_id": venue["id"],
        "phone": "１３９-００００ 2217",
    }
    invitee = await made(server, "/invitees", {**body, "large_text": True})
    assert (invitee["name"], invitee["phone"], invitee["venue"]) == ("王伟", "13900002217", "西乡分会场")
    assert invitee["link"].startswith("/j/")
    assert len(invitee["link"]) == 27

    code = invitee["link"].rpartition("/")[2]
    lines = (await http(server, "GET", f"{CID}/audit?limit=500"))[1]["items"]
    for _ in range(3):  # messengers look, too
        status, seen = await http(server, "GET", f"{API}/links/{code}", None)
    assert status == 200
    assert seen == {
        "kind": "invitee",
        "name": "王伟",
        "role": "member",
        "title": "局长",
        "sector": "农业界",
        "venue": "西乡分会场",
        "large_text": True,
        "consultation": {
            "id": "c",
            "title": "协商会",
            "status": "scheduled",
            "scheduled_at_ms": None,
            "organization": None,
        },
    }
    assert (await http(server, "GET", f"{CID}/audit?limit=500"))[1]["items"] == lines
    client = await seated(server, await by_link(server, invitee["link"]), name="冒充的名字", kind="phone")
    me = client.state.participants[client.me]
    assert (me["name"], me["title"], me["sector"], me["venue"]) == ("王伟", "局长", "农业界", "西乡分会场")
    assert (me["entered_by"], me["in_hall"]) == ("invite", False)
    (listed,) = (await http(server, "GET", f"{CID}/invitees"))[1]["items"]
    assert listed["last_seen_ms"] is not None
    operator = await seated(server, await by_link(server, venue["link"]))
    assert operator.state.participants[operator.me]["entered_by"] == "operator"
    assert operator.state.participants[operator.me]["name"] == "赵六"


async def test_what_each_role_is_shown_of_links_and_telephones(server: Signalling) -> None:
    venue = await made(server, "/venues", {"name": "主会场", "kind": "main", "operator_phone": "13800000000"})
    await http(server, "POST", f"{CID}/venues/{venue['id']}/code")
    await made(server, "/invitees", {"name": "王伟", "phone": "13900002217"})
    for role, sees in ((Role.SECRETARIAT, True), (Role.ORGANIZER, True), (Role.CHAIR, False)):
        (place,) = (await http(server, "GET", f"{CID}/venues", role))[1]["items"]
        hidden = [place["operator_phone"], place["entry_code"], place["link"]]
        assert all(hidden) if sees else hidden == [None, None, None]
        (person,) = (await http(server, "GET", f"{CID}/invitees", role))[1]["items"]
        assert person["phone"] == ("13900002217" if sees else "139****2217")
        assert (person["link"] is not None) is sees
    for path in ("/venues", "/invitees"):
        assert (await http(server, "GET", CID + path, Role.MEMBER))[0] == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/venues", {"name": "　 ", "kind": "main"}),
        ("/venues", {"name": "x" * 101, "kind": "main"}),
        ("/venues", {"name": "x", "kind": "cellar"}),
        ("/venues", {"kind": "main"}),
        ("/venues", {"name": "x", "kind": "main", "operator_phone": "没有"}),
        ("/invitees", {"name": ""}),
        ("/invitees", {"name": "x" * 101}),
        ("/invitees", {"name": "x", "role": "venue_operator"}),
        ("/invitees", {"name": "x", "role": "king"}),
        ("/invitees", {"name": "x", "phone": "139 0000 2217 / 138 0000 2217"}),
        ("/invitees", {"name": "x", "venue_id": "../x"}),
        ("/invitees", {"name": 5}),
        ("/invitees", []),
    ],
)
async def test_bad_venues_and_invitees(server: Signalling, path: str, body: Any) -> None:
    status, problem = await http(server, "POST", CID + path, json=body)
    assert (status, problem["code"]) == (400, "bad_request")


async def test_changes_over_http(server: Signalling) -> None:
    venue = await made(server, "/venues", {"name": "主会场", "kind": "main"})
    invitee = await made(server, "/invitees", {"name": "王伟", "venue_id": venue["id"]})
    path = f"{CID}/invitees/{invitee['id']}"
    status, changed = await http(server, "PATCH", path, json={"excused": True, "venue_id": None})
    assert (status, changed["excused"], changed["venue"], changed["name"]) == (200, True, None, "王伟")
    for bad in ({"name": None}, {"role": None}, {"name": " "}):
        assert (await http(server, "PATCH", path, json=bad))[1]["code"] == "bad_request"
    status, problem = await http(server, "PATCH", path, json={"venue_id": "v_none"})
    assert (status, problem["code"]) == (404, "not_found")
    await http(server, "PATCH", path, json={"venue_id": venue["id"]})
    status, problem = await http(server, "DELETE", f"{CID}/venues/{venue['id']}")
    assert (status, problem["code"], problem["count"]) == (409, "venue_in_use", 1)
    assert (await http(server, "DELETE", path))[0] == 204
    assert (await http(server, "DELETE", path))[0] == 404
    assert (await http(server, "DELETE", f"{CID}/venues/{venue['id']}"))[0] == 204
    assert (await http(server, "GET", f"{CID}/venues"))[1]["items"] == []
    assert (await http(server, "PATCH", f"{CID}/venues/{venue['id']}", json={"name": "x"}))[0] == 404


async def test_links_are_absolute_where_the_address_is_known(tmp_path: Path) -> None:
    async with signalling(tmp_path, public_url="https://x.example") as server:
        invitee = await made(server, "/invitees", {"name": "王伟"})
        assert invitee["link"].startswith("https://x.example/j/")


# ── links that are good no longer ───────────────────────────────────────────────────────────────


async def test_a_link_that_is_replaced_while_its_holder_is_in_the_room(server: Signalling) -> None:
    invitee = await made(server, "/invitees", {"name": "王伟"})
    old_token = await by_link(server, invitee["link"])
    client = await seated(server, old_token)
    path = f"{CID}/invitees/{invitee['id']}"
    began = time.monotonic()
    _, renewed = await http(server, "POST", f"{path}/link")
    await eventually(lambda: not client.connected)
    assert time.monotonic() - began < 2.5
    assert client.of("session.removed") == [{"by": "会务组", "reason": "revoked"}]
    status, problem = await http(
        server, "POST", f"{API}/links/{invitee['link'].rpartition('/')[2]}/enter", None
    )
    assert (status, problem["code"]) == (404, "link_invalid")
    again = await seated(server, old_token, resume=client.resume)
    assert again.of("session.refused")[0]["code"] == "token_revoked"
    back = await seated(server, await by_link(server, renewed["link"]))
    assert back.me == client.me


async def test_a_venue_that_is_removed_while_its_operator_is_connected(server: Signalling) -> None:
    venue = await made(server, "/venues", {"name": "主会场", "kind": "main"})
    _, coded = await http(server, "POST", f"{CID}/venues/{venue['id']}/code")
    operator = await seated(server, await by_link(server, venue["link"]))
    body = {"code": coded["entry_code"], "device": "phone-01", "name": "路人"}
    _, entered = await http(server, "POST", f"{API}/entry-codes/enter", None, json=body)
    guest = await seated(server, entered["token"])
    assert guest.names() == ["room.waiting"]
    assert (await http(server, "DELETE", f"{CID}/venues/{venue['id']}"))[0] == 204
    for client in (operator, guest):
        await gone(client)
        assert client.of("session.removed")[-1]["reason"] == "revoked"
    assert (await http(server, "POST", f"{API}/entry-codes/check", None, json=body))[1][
        "code"
    ] == "code_wrong"


async def test_a_role_that_changes_takes_the_old_one_away(server: Signalling) -> None:
    invitee = await made(server, "/invitees", {"name": "王伟", "role": "chair"})
    client = await seated(server, await by_link(server, invitee["link"]))
    await http(server, "PATCH", f"{CID}/invitees/{invitee['id']}", json={"role": "observer"})
    await eventually(lambda: not client.connected)
    back = await seated(server, await by_link(server, invitee["link"]))
    assert back.me == client.me
    assert back.state.snapshot is not None
    assert back.state.snapshot["self"]["role"] == "observer"
    assert await back.refused("participant.mute", {"all": True, "muted": True}) == "forbidden"


async def test_forged_links_and_tokens(server: Signalling) -> None:
    invitee = await made(server, "/invitees", {"name": "王伟"})
    forged = f"/j/{TokenKey(b'f' * 32).links(None).code(LinkKind.INVITEE, invitee['id'], 1)}"
    for code in (forged.rpartition("/")[2], "%00", "x", invitee["id"], "a" * 24):
        status, problem = await http(server, "GET", f"{API}/links/{code}", None)
        assert (status, problem["code"]) == (404, "link_invalid"), code
    for claims in ({"link_revision": 2}, {"link_revision": None}, {"invitee_id": "i_other"}):
        said: Json = {"invitee_id": invitee["id"], "link_revision": 1, **claims}
        token = KEY.issue("c", Role.MEMBER, "王伟", ttl_s=60, via=EntryMeans.INVITE, **said)
        assert (await seated(server, token)).of("session.refused")[0]["code"] == "token_revoked", claims


async def test_wrong_links_are_limited_by_address(server: Signalling) -> None:
    codes = [(await http(server, "GET", f"{API}/links/{'a' * 20}{n:04}", None))[1]["code"] for n in range(31)]
    assert codes == ["link_invalid"] * 30 + ["rate_limited"]
    invitee = await made(server, "/invitees", {"name": "王伟"})
    status, problem = await http(server, "GET", f"{API}/links/{invitee['link'].rpartition('/')[2]}", None)
    assert (status, problem["code"]) == (429, "rate_limited")
    assert 0 < problem["retry_after_s"] <= 60


async def test_guessed_codes_over_http(server: Signalling) -> None:
    body = {"code": "000000", "device": "phone-01"}
    answers = [(await http(server, "POST", f"{API}/entry-codes/check", None, json=body)) for _ in range(6)]
    assert [(status, each["code"]) for status, each in answers] == [(404, "code_wrong")] * 5 + [
        (429, "code_locked")
    ]
    assert [each.get("attempts_left") for _, each in answers] == [4, 3, 2, 1, 0, None]
    assert 0 < answers[-1][1]["retry_after_s"] <= 60
    for bad in ({**body, "code": "12345"}, {**body, "code": "１２３４５６"}, {**body, "device": "x"}, {}):
        assert (await http(server, "POST", f"{API}/entry-codes/check", None, json=bad))[0] == 400


# ── devices ─────────────────────────────────────────────────────────────────────────────────────


async def test_two_devices_race_with_the_same_link(server: Signalling) -> None:
    invitee = await made(server, "/invitees", {"name": "王伟"})
    tokens = [await by_link(server, invitee["link"]) for _ in range(4)]
    clients = await asyncio.gather(*(seated(server, token) for token in tokens))
    first = [each.names()[0] for each in clients]
    assert sorted(first) == ["room.snapshot", *["session.refused"] * 3]
    assert {body["code"] for each in clients for body in each.of("session.refused")} == {"second_device"}
    winner = clients[first.index("room.snapshot")]
    other = await seated(server, tokens[0], take_over=True)
    await eventually(lambda: not winner.connected)
    assert winner.names()[-1] == "session.replaced"
    assert other.me == winner.me
    assert (await other.ask("room.sync"))["self"]["participant_id"] == other.me
    again = await seated(server, tokens[1], resume=winner.resume)
    assert again.of("session.refused")[0]["code"] == "second_device"


async def test_a_phone_in_the_hall(server: Signalling) -> None:
    chair = await server.join(Role.CHAIR, "主持人")
    venue = await made(server, "/venues", {"name": "主会场", "kind": "main"})
    await made(server, "/invitees", {"name": "王伟", "sector": "农业界", "venue_id": venue["id"]})
    _, coded = await http(server, "POST", f"{CID}/venues/{venue['id']}/code")
    body = {"code": coded["entry_code"], "device": "phone-01"}
    status, seen = await http(server, "POST", f"{API}/entry-codes/check", None, json=body)
    assert (status, seen["venue"]) == (200, {"name": "主会场"})
    assert set(seen["consultation"]) == {"id", "title", "scheduled_at_ms", "organization"}
    _, entered = await http(server, "POST", f"{API}/entry-codes/enter", None, json={**body, "name": "王　伟"})
    assert entered["known"] is True
    phone = await seated(server, entered["token"], kind="phone")
    assert phone.state.snapshot is not None
    assert phone.state.snapshot["self"]["in_hall"] is True
    assert phone.me in server.media.deaf
    assert await phone.refused("participant.update", {"microphone": True}) == "floor_required"
    assert await phone.ask("floor.request") == {"place": 1}
    await phone.ask("statement.add", {"text": "好", "key": "k" * 8})
    await chair.ask("floor.grant", {"participant_id": phone.me})
    await eventually(lambda: server.media.gates[phone.me])
    await chair.ask("floor.end")
    assert server.media.gates[phone.me] is False
    _, entered = await http(server, "POST", f"{API}/entry-codes/enter", None, json={**body, "name": "王伟"})
    thief = await seated(server, entered["token"], take_over=True)
    assert thief.of("session.refused")[0]["code"] == "second_device"


# ── the waiting room ────────────────────────────────────────────────────────────────────────────

REFUSED: tuple[tuple[str, Json], ...] = (
    ("room.sync", {}),
    ("media.publish", {"sdp": "offer"}),
    ("media.restart", {}),
    ("participant.update", {"name": "x"}),
    ("participant.mute", {"all": True, "muted": True}),
    ("participant.remove", {"participant_id": "p_x"}),
    ("participant.admit", {"all": True}),
    ("participant.refuse", {"participant_id": "p_x"}),
    ("floor.request", {}),
    ("floor.withdraw", {}),
    ("floor.grant", {"participant_id": "p_x"}),
    ("floor.extend", {"ms": 1}),
    ("floor.end", {}),
    ("floor.order", {"participant_ids": []}),
    ("floor.mode", {"mode": "free"}),
    ("agenda.set", {"items": []}),
    ("agenda.start", {"item_id": "a_x"}),
    ("agenda.next", {}),
    ("agenda.end", {}),
    ("statement.add", {"text": "x", "key": "k" * 8}),
    ("statement.like", {"id": "s_x", "liked": True}),
    ("statement.take", {"id": "s_x", "taken": True}),
    ("statements.list", {}),
)


async def test_nothing_leaks_to_who_waits(server: Signalling) -> None:
    await with_waiting_room(server)
    chair = await server.join(Role.CHAIR, "主持人")
    token = server.token(Role.MEMBER, "张三")
    waiting = await seated(server, token)
    assert waiting.names() == ["room.waiting"]
    event = waiting.of("room.waiting")[0]
    assert set(event) == {
        "name",
        "role",
        "venue",
        "since_wall_ms",
        "participant_id",
        "resume_secret",
        "consultation",
    }
    for name, body in REFUSED:
        assert await waiting.refused(name, body) == "not_admitted", name
    await chair.ask("statement.add", {"text": "内部的话", "key": "k" * 8})
    await chair.ask("participant.update", {"camera": False})
    await chair.ask("floor.mode", {"mode": "chair"})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    async with aiohttp.ClientSession() as session:
        for path in ("/whip/c", f"/whep/c/{chair.me}"):
            async with session.post(server.url + path, headers=headers, data="v=0") as response:
                assert (response.status, (await response.json())["code"]) == (403, "not_admitted")
    assert await waiting.refused("floor.request") == "not_admitted"  # its answer comes behind every event
    assert waiting.names() == ["room.waiting"]
    assert event["participant_id"] not in server.media.gates
    assert list(chair.state.participants) == [chair.me]


async def test_turning_the_waiting_room_off_opens_the_door(server: Signalling) -> None:
    await with_waiting_room(server)
    waiting = await seated(server, server.token(Role.MEMBER, "张三"))
    assert waiting.names() == ["room.waiting"]
    hall = await made(server, "/venues", {"name": "分会场", "kind": "branch"})
    _, coded = await http(server, "POST", f"{CID}/venues/{hall['id']}/code")
    body = {"code": coded["entry_code"], "name": "路人", "device": "d" * 16}
    _, entered = await http(server, "POST", f"{API}/entry-codes/enter", None, json=body)
    stranger = await seated(server, entered["token"])
    assert stranger.names() == ["room.waiting"]
    _, consultation = await http(server, "GET", CID)
    edit = {"revision": consultation["revision"], "waiting_room": False}
    assert (await http(server, "PATCH", CID, json=edit))[0] == 200
    await eventually(waiting.has_snapshot)
    assert (await waiting.ask("floor.request")) == {"place": 1}
    assert await stranger.refused("floor.request") == "not_admitted"


async def test_a_gateway_through_room_and_desk(server: Signalling) -> None:
    await with_waiting_room(server)
    desk = await server.desk(Role.SECRETARIAT, "秘书")
    first, second, third = [await seated(server, server.token(name=name)) for name in ("甲", "乙", "丙")]
    await eventually(lambda: len(desk.of("waiting.joined")) == 3)
    people = desk.state.waiting or []
    assert [each["name"] for each in people] == ["甲", "乙", "丙"]
    ids = [each["participant_id"] for each in people]
    assert await desk.ask("participant.admit", {"participant_id": ids[0]}) == {"admitted": 1}
    await eventually(lambda: first.state.snapshot)
    assert first.names()[:2] == ["room.waiting", "room.snapshot"]
    assert await desk.ask("participant.refuse", {"participant_id": ids[1]}) == {}
    await eventually(lambda: not second.connected)
    assert second.of("session.removed") == [{"by": "秘书", "reason": "refused"}]
    assert await desk.refused("participant.refuse", {"participant_id": ids[1]}) == "not_found"
    assert await desk.refused("participant.admit", {"participant_id": ids[1]}) == "not_found"
    for bad in ({}, {"all": False}, {"all": True, "participant_id": ids[2]}, {"participant_id": 5}):
        assert await desk.refused("participant.admit", bad) == "bad_request"
    await third.drop()
    room = server.process.rooms.find("c")
    assert room is not None
    await eventually(lambda: room.waiting[ids[2]].session_id is None)
    back = await seated(
        server,
        server.token(name="丙"),
        resume={"participant_id": ids[2], "secret": third.of("room.waiting")[0]["resume_secret"]},
    )
    assert back.of("room.waiting")[0]["participant_id"] == ids[2]
    assert await desk.ask("participant.admit", {"all": True}) == {"admitted": 1}
    await eventually(lambda: back.state.snapshot)
    assert desk.state.waiting == []
    assert (await desk.ask("room.sync"))["waiting"] == []
    assert await back.ask("room.leave") == {}


async def test_who_waits_may_go(server: Signalling) -> None:
    await with_waiting_room(server)
    chair = await server.join(Role.CHAIR)
    waiting = await seated(server, server.token())
    await eventually(lambda: chair.of("waiting.joined"))
    assert await waiting.ask("room.leave") == {}
    await eventually(lambda: chair.of("waiting.left"))
    assert chair.state.waiting == []


async def test_the_archive_leaves_out_what_opens_doors_and_telephones(server: Signalling) -> None:
    draft = {"name": "主会场", "kind": "main", "operator_name": "赵六", "operator_phone": "13800000000"}
    venue = await made(server, "/venues", draft)
    _, coded = await http(server, "POST", f"{CID}/venues/{venue['id']}/code")
    invitee = await made(server, "/invitees", {"name": "王伟", "phone": "13900002217"})
    await http(server, "PATCH", f"{CID}/invitees/{invitee['id']}", json={"phone": "13900003333"})
    await by_link(server, invitee["link"])
    headers = {"Authorization": f"Bearer {server.token(Role.SECRETARIAT)}"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.url}{CID}/archive", headers=headers) as response,
    ):
        assert response.status == 200
        package = await response.read()  # a ZIP without compression
    assert "王伟".encode() in package
    codes = [each["link"].rpartition("/")[2] for each in (venue, invitee)]
    for secret in ("13800000000", "13900002217", "13900003333", f'"{coded["entry_code"]}"', *codes):
        assert secret.encode() not in package, secret
    async with server.process.database.reading() as unit:
        row = await unit.invitees.get(invitee["id"])
    assert row is not None
    assert row.link_hash.encode() not in package
