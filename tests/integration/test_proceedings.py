"""Floor, agenda, statements and the desk over real sockets and HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.model.media import Speaker, SpeakersChanged
from conference.model.permissions import Role
from conference.services.rooms import RoomLimits
from tests.support.eventually import eventually
from tests.unit.signaling.harness import Client, Signalling, signalling

API = "/api/v1/consultations/c"
AGENDA = {
    "items": [{"title": "通报", "kind": "report", "planned_minutes": 5}, {"title": "发言", "kind": "speech"}]
}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Signalling]:
    async with signalling(tmp_path, RoomLimits(max_participants=20)) as running:
        yield running


async def http(
    server: Signalling, method: str, path: str, role: Role = Role.CHAIR, **options: Any
) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {server.token(role)}"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, server.url + API + path, headers=headers, **options) as response,
    ):
        return response.status, await response.json(content_type=None)


async def test_a_turn_over_the_wire(server: Signalling) -> None:
    assert (await http(server, "POST", "/start"))[0] == 200
    chair, member = await server.join(Role.CHAIR, "主持人"), await server.join(name="张三")
    assert await member.ask("floor.request") == {"place": 1}
    queue = chair.state.floor["queue"]
    assert [(each["participant_id"], each["name"], each["role"]) for each in queue] == [
        (member.me, "张三", "member")
    ]
    assert queue[0]["requested_wall_ms"] > 0
    await chair.ask("floor.mode", {"mode": "chair"})
    assert await member.refused("participant.update", {"microphone": True}) == "floor_required"
    grant = {"participant_id": member.me, "duration_ms": 400, "ending": "hard"}
    answer = await chair.ask("floor.grant", grant)
    assert answer["floor"]["holder"]["state"] == "waiting"
    assert answer["floor"] == chair.state.floor
    await eventually(lambda: member.of("floor.turn"))
    assert member.of("floor.turn") == [{"duration_ms": 400, "ending": "hard"}]
    assert server.media.gates[member.me] is True
    server.media.emit(SpeakersChanged("c", (Speaker(member.me, -20),)))
    await eventually(lambda: (chair.state.floor["holder"] or {}).get("state") == "running", every_s=0.01)
    await eventually(lambda: member.of("floor.ended"))
    assert member.of("floor.ended") == [{"reason": "time"}]
    assert chair.state.floor["holder"] is None
    assert server.media.gates[member.me] is False
    status, floor = await http(server, "GET", "/floor", Role.OBSERVER)
    assert (status, floor["floor"]["mode"], floor["speaking"][0]["name"]) == (200, "chair", "张三")
    assert 300 < floor["speaking"][0]["spoken_ms"] < 1_000


async def test_the_later_of_two_chairs_gets_a_conflict_in_words(server: Signalling) -> None:
    first, second = await server.join(Role.CHAIR, "李主持人"), await server.desk(Role.CHAIR, "刘主持人")
    member = await server.join()
    seen = first.state.version
    await second.ask("floor.grant", {"participant_id": member.me})
    ack = await first.call("floor.grant", {"participant_id": first.me, "version": seen})
    assert ack["error"]["code"] == "conflict"
    assert "刘主持人刚刚改了发言顺序" in ack["error"]["message"]
    assert (await first.ask("room.sync"))["floor"]["holder"]["participant_id"] == member.me


async def test_the_later_of_two_agendas_gets_a_conflict_and_loses_nothing(server: Signalling) -> None:
    first, second = await server.desk(Role.CHAIR, "李主持人"), await server.desk(Role.SECRETARIAT, "刘秘书")
    written = (await first.ask("agenda.set", AGENDA))["agenda"]
    seen = second.state.version
    assert seen == first.state.version
    longer = [*({key: each[key] for key in ("id", "title", "kind")} for each in written), AGENDA["items"][0]]
    saves = [
        first.call("agenda.set", {"items": longer, "version": seen}),
        second.call("agenda.set", {"items": longer[:1], "version": seen}),
    ]
    acks = await asyncio.gather(*saves)
    won = 0 if acks[0]["ok"] else 1
    later, by = (second, "李主持人") if won == 0 else (first, "刘秘书")
    assert acks[won]["ok"]
    refusal = acks[1 - won]["error"]
    assert (refusal["code"], f"{by}刚刚改了议程" in refusal["message"]) == ("conflict", True)
    assert later.state.agenda == acks[won]["data"]["agenda"]  # what is newer came before the refusal
    assert (await http(server, "GET", "/agenda"))[1]["items"] == later.state.agenda

    seen = first.state.version
    acks = await asyncio.gather(*(each.call("agenda.next", {"version": seen}) for each in (first, second)))
    assert sorted(each["ok"] for each in acks) == [False, True]
    assert [each["state"] for each in (await later.ask("room.sync"))["agenda"]].index("current") == 0
    for each in (first, second):  # whoever saw the newest goes on, as does who sends no version
        state = each.state.version
        await each.ask("agenda.end", {"version": state})
        await each.ask("agenda.start", {"item_id": written[0]["id"]})


async def test_over_http_the_later_one_is_told_as_well(server: Signalling) -> None:
    desk = await server.desk(Role.SECRETARIAT, "刘秘书")
    seen = desk.state.version
    written = (await desk.ask("agenda.set", AGENDA))["agenda"]
    body = {"items": AGENDA["items"][:1], "version": seen}
    status, problem = await http(server, "PUT", "/agenda", Role.ORGANIZER, json=body)
    assert (status, problem["code"]) == (409, "conflict")
    assert "刘秘书刚刚改了议程" in problem["detail"]
    assert (await http(server, "GET", "/agenda"))[1]["items"] == written
    body["version"] = desk.state.version
    status, agenda = await http(server, "PUT", "/agenda", Role.ORGANIZER, json=body)
    assert (status, len(agenda["items"])) == (200, 1)


async def test_two_grants_at_once_over_two_sockets(server: Signalling) -> None:
    chairs = [await server.join(Role.CHAIR, "李主持人"), await server.desk(Role.CHAIR, "刘主持人")]
    members = [await server.join(name="甲"), await server.join(name="乙")]
    seen = members[1].state.version
    await eventually(lambda: [each.state.version for each in chairs] == [seen, seen])
    grants = ({"participant_id": each.me, "version": seen} for each in members)
    acks = await asyncio.gather(
        *(chair.call("floor.grant", grant) for chair, grant in zip(chairs, grants, strict=True))
    )
    assert sorted(each["ok"] for each in acks) == [False, True]
    won = 0 if acks[0]["ok"] else 1
    assert acks[1 - won]["error"]["code"] == "conflict"
    for each in chairs:
        assert (await each.ask("room.sync"))["floor"]["holder"]["participant_id"] == members[won].me
        assert each.state.floor["holder"]["participant_id"] == members[won].me


async def test_a_desk(server: Signalling) -> None:
    desk = await server.desk(Role.CHAIR, "主持人")
    assert desk.names() == ["desk.snapshot"]
    assert desk.state.snapshot is not None
    assert set(desk.state.snapshot["self"]) == {"name", "role", "venue", "can"}
    assert "media" not in desk.state.snapshot
    member = await server.join()
    assert [each["id"] for each in desk.state.participants.values()] == [member.me]
    assert (await desk.ask("participant.mute", {"participant_id": member.me, "muted": True}))["changed"] == 1
    assert (await desk.ask("room.sync"))["version"] == desk.state.version
    for name in ("floor.request", "media.publish", "participant.update", "statement.add", "room.leave"):
        assert await desk.refused(name, {}) == "unknown_event"
    refused = await server.connect({"token": server.token(Role.MEMBER)}, "/desk")
    await eventually(lambda: refused.of("session.refused"))
    assert refused.of("session.refused")[0]["code"] == "forbidden"
    await desk.drop()
    room = server.process.rooms.find("c")
    assert room is not None
    await eventually(lambda: not room.desks)


async def test_four_hundred_statements_are_neither_lost_nor_reordered(server: Signalling) -> None:
    members = [await server.join(name=f"委员{n}") for n in range(5)]

    async def write(member: Client) -> None:
        for n in range(80):
            body = {"text": f"第{n}条", "key": f"{member.me[:20]}-{n:04}"}
            await member.ask("statement.add", body)
            if n % 20 == 0:
                await member.ask("statement.add", body)  # the client did not hear the first answer

    await asyncio.gather(*(write(each) for each in members))
    orders = []
    for each in members:
        assert (await each.ask("room.sync"))["statement_count"] == each.state.statement_count == 400
        orders.append(list(each.state.statements))
    assert all(order == orders[0] for order in orders)
    for each in members:
        own = [s["text"] for s in each.state.statements.values() if s["participant_id"] == each.me]
        assert own == [f"第{n}条" for n in range(80)]
    listed: list[str] = []
    page: dict[str, Any] = {"next": None}
    while not listed or page["next"]:
        after = f"&after={page['next']}" if page["next"] else ""
        status, page = await http(server, "GET", f"/statements?limit=150{after}")
        assert status == 200
        listed += [each["id"] for each in page["items"]]
    assert listed == orders[0]


async def test_bad_statements(server: Signalling) -> None:
    member = await server.join()
    good = {"text": "好", "key": "k" * 8}
    bad: dict[str, Any]
    for bad in (
        {"text": "  "},
        {"text": "a\0b"},
        {"key": "short"},
        {"key": None},
        {"private": "yes"},
        {"reply_to": "../x"},
    ):
        assert await member.refused("statement.add", {**good, **bad}) == "bad_request"
    assert await member.refused("statement.add", {**good, "text": "长" * 1001}) == "too_large"
    body = (await member.ask("statement.add", {**good, "text": " 好 "}))["statement"]
    assert (body["text"], body["likes"], body["liked"]) == ("好", 0, False)
    assert "liked" not in member.of("statement.added")[0]["statement"]


async def test_the_agenda_over_http_and_sockets(server: Signalling) -> None:
    chair, member = await server.join(Role.CHAIR), await server.join()
    status, agenda = await http(server, "PUT", "/agenda", Role.ORGANIZER, json=AGENDA)
    assert (status, [each["state"] for each in agenda["items"]]) == (200, ["pending", "pending"])
    await chair.ask("agenda.next")
    assert member.state.agenda[0]["state"] == "current"
    assert (await http(server, "GET", "/agenda", Role.MEMBER))[1]["items"] == member.state.agenda
    status, problem = await http(server, "PUT", "/agenda", json={"items": []})
    assert (status, problem["code"]) == (409, "agenda_item_begun")
    bad: Any
    for bad in ({"items": [{"title": "", "kind": "report"}]}, {"items": [{"title": "x", "kind": "x"}]}, []):
        assert (await http(server, "PUT", "/agenda", json=bad))[1]["code"] == "bad_request"
    assert (await chair.ask("agenda.end"))["agenda"][0]["state"] == "done"
    assert await chair.refused("agenda.end") == "invalid_state"


async def test_attendance_over_http(server: Signalling) -> None:
    member = await server.join(name="张三", kind="phone")
    await member.ask("room.leave")
    status, attendance = await http(server, "GET", "/attendance", Role.ORGANIZER)
    (person,) = attendance["items"]
    assert (status, person["name"], person["device"], person["reason"]) == (200, "张三", "phone", "left")
    assert (person["sessions"][0]["reason"], person["left"], person["late"]) == ("left", True, False)
