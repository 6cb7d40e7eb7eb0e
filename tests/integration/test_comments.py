"""Comments through the doors: the public without a token, moderators over sockets and REST, bad input."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.clock import SystemClock
from conference.model.permissions import Role
from conference.services.consultations import ConsultationDraft, Consultations
from tests.support.eventually import eventually
from tests.unit.signaling.harness import Signalling, signalling

CID = "/api/v1/consultations/c"
PUBLIC = "/api/v1/public/consultations"
Json = Any


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Signalling]:
    async with signalling(tmp_path, trusted_proxies=("127.0.0.1",)) as running:
        yield running


class Viewer:
    """A browser with its cookies, behind an address that the proxy names."""

    def __init__(self, server: Signalling, address: str = "198.51.100.7") -> None:
        self.base = f"{server.url}{PUBLIC}/c/comments"
        self.jar = aiohttp.CookieJar(unsafe=True)  # of a host that is an address
        self.headers = {"X-Forwarded-For": address}

    async def ask(self, method: str, path: str = "", **options: Any) -> tuple[int, Json]:
        headers = {**self.headers, **options.pop("headers", {})}
        async with (
            aiohttp.ClientSession(cookie_jar=self.jar) as session,
            session.request(method, self.base + path, headers=headers, **options) as response,
        ):
            text = await response.text()
            return response.status, await response.json(content_type=None) if text else None

    async def post(self, text: str, **more: Any) -> Json:
        status, made = await self.ask("POST", json={"nickname": "老李", "text": text, **more})
        assert status == 202, made
        return made


async def ask(
    server: Signalling, method: str, path: str, role: Role = Role.MODERATOR, body: Json = None
) -> tuple[int, Json]:
    headers = {"Authorization": f"Bearer {server.token(role, role.value)}"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, server.url + CID + path, headers=headers, json=body) as response,
    ):
        return response.status, await response.json()


async def test_from_a_viewer_to_the_session_and_back(server: Signalling) -> None:
    viewer, other = Viewer(server), Viewer(server, "198.51.100.8")
    assert (await ask(server, "POST", "/start", Role.CHAIR))[0] == 200
    desk = await server.desk(Role.MODERATOR, "陈审核")
    member = await server.join(name="赵局长", role=Role.DEPARTMENT)
    made = await viewer.post("助餐点能不能接受现金？", program_time_ms=0, region="柳塘街道")
    assert set(made) == {"id", "status"}
    assert made["status"] == "pending"
    similar = await other.post("助餐点，能不能接受现金?", program_time_ms=0)
    assert await viewer.ask("GET") == (200, {"items": [], "next": None, "total": 0})
    told = await eventually(lambda: [e for each in desk.of("comments.updated") for e in each["groups"]])
    assert told[-1]["representative"]["text"] == "助餐点能不能接受现金？"
    assert desk.of("comments.updated")[-1]["moderators"] == ["陈审核"]

    page = await desk.ask("comments.list", {"order": "authors", "states": ["pending"]})
    assert page["counts"]["states"]["pending"] == 2
    await desk.ask("comment.merge", {"ids": [made["id"], similar["id"]]})
    (group,) = (await desk.ask("comments.list"))["items"]
    assert (group["authors"], group["states"]) == (2, {"pending": 2})
    assert len((await desk.ask("comments.group", {"id": group["id"]}))["items"]) == 2
    await desk.ask("comment.claim", {"id": made["id"]})
    assert (await ask(server, "POST", f"/comments/{made['id']}/approve"))[1]["code"] == "comment_claimed"
    decided = await desk.ask("comment.approve", {"ids": [made["id"]], "group": True})
    assert decided["changed"] == 2
    status, shown = await other.ask("GET")
    assert [each["status"] for each in shown["items"]] == ["approved"] * 2
    assert shown["items"][1].keys() == {
        *("id", "nickname", "region", "text", "program_time_ms", "at_wall_ms", "status", "likes"),
        *("group_id", "authors"),
    }
    assert [each["authors"] for each in shown["items"]] == [1, 1]
    proposed = await desk.ask("comment.promote", {"id": made["id"]})
    assert proposed["state"] == "proposed"
    status, taken = await ask(server, "POST", f"/comments/{made['id']}/promote", Role.CHAIR)
    assert (status, taken["state"], taken["promotion"]["id"]) == (
        200,
        "current",
        proposed["promotion"]["id"],
    )
    (card,) = await eventually(
        lambda: [each for each in member.state.agenda if each["state"] == "current"], lambda found: found
    )
    assert (card["kind"], card["words"], card["nickname"], card["place"], card["comment_id"]) == (
        "promotion",
        "助餐点能不能接受现金？",
        "老李",
        "柳塘街道",
        made["id"],
    )
    by_id = {each["id"]: each for each in (await other.ask("GET"))[1]["items"]}
    assert (by_id[made["id"]]["status"], by_id[made["id"]]["authors"]) == ("promoted", 2)
    assert (by_id[similar["id"]]["status"], by_id[similar["id"]]["authors"]) == ("approved", 1)
    assert by_id[made["id"]]["group_id"] == by_id[similar["id"]]["group_id"]
    for author, own in ((viewer, made), (other, similar)):
        _, found = await author.ask("GET", f"/mine?ids={made['id']},{similar['id']}")
        assert [(each["id"], each["status"]) for each in found["items"]] == [(own["id"], "promoted")]
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.url}{PUBLIC}/c") as response,
    ):
        promotion = (await response.json())["promotion"]
    assert (promotion["text"], promotion["nickname"], promotion["place"]) == (
        "助餐点能不能接受现金？",
        "老李",
        "柳塘街道",
    )
    chair = await server.desk(Role.CHAIR, "主持人")
    assert (await desk.call("promotion.end"))["error"]["code"] == "forbidden"
    assert (await chair.ask("promotion.end"))["state"] == "ended"
    assert (await ask(server, "GET", "/promotions", Role.CHAIR))[1]["items"][0]["phase"] == "ended"


async def test_answers_for_all_are_the_same_for_a_cache(server: Signalling) -> None:
    viewer = Viewer(server)
    made = await viewer.post("一")
    await ask(server, "POST", f"/comments/{made['id']}/approve", body={})
    async with aiohttp.ClientSession() as session:
        async with session.get(viewer.base) as response:
            tag = response.headers["ETag"]
            assert response.headers["Cache-Control"] == "public, max-age=1"
            assert "Set-Cookie" not in response.headers
        async with session.get(viewer.base, headers={"If-None-Match": tag}) as response:
            assert response.status == 304
    assert await viewer.ask("POST", f"/{made['id']}/like") == (200, {"likes": 1})
    assert await Viewer(server).ask("POST", f"/{made['id']}/like") == (200, {"likes": 2})
    assert await viewer.ask("DELETE", f"/{made['id']}/like") == (200, {"likes": 1})
    assert await viewer.ask("POST", f"/{made['id']}/report") == (204, None)
    async with (
        aiohttp.ClientSession() as session,
        session.get(viewer.base, headers={"If-None-Match": tag}) as response,
    ):
        assert (await response.json())["items"][0]["likes"] == 1
    assert (await ask(server, "GET", "/comments"))[1]["items"][0]["reports"] == 1
    assert (await Viewer(server).ask("POST", f"/{made['id']}/withdraw"))[0] == 404
    assert (await viewer.ask("POST", f"/{made['id']}/withdraw"))[1]["status"] == "withdrawn"


async def test_sent_once_on_a_weak_network(server: Signalling) -> None:
    viewer = Viewer(server)
    first = await viewer.post("一", key="weak-network-1")
    assert await viewer.post("一", key="weak-network-1") == first
    _, listed = await ask(server, "GET", "/comments?state=pending,held")
    assert [each["id"] for each in listed["items"]] == [first["id"]]

    # A device that asks for its own first has a cookie: then the first comment is known again, too.
    new = Viewer(server)
    assert await new.ask("GET", "/mine") == (200, {"items": []})
    (cookie,) = new.jar
    made = await new.post("二", key="weak-network-2")
    assert await new.post("二", key="weak-network-2") == made
    assert await new.ask("GET", f"/mine?ids={made['id']}") == (
        200,
        {"items": [{**made, "text": "二", "nickname": "老李", "reason": None, "response": None}]},
    )
    assert [each.value for each in new.jar] == [cookie.value]
    assert (await ask(server, "GET", "/comments?state=none"))[0] == 400


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("我的电话 13800138000，请回电", "phone"),
        ("请看 http://example.com/a", "link"),
        ("身份证 11010519491231002X 也不给办", "personal"),
        ("这条和议题没有关系", None),
    ],
)
async def test_an_author_is_told_what_to_mend(server: Signalling, text: str, reason: str | None) -> None:
    viewer = Viewer(server)
    made = await viewer.post(text)
    (own,) = (await viewer.ask("GET", f"/mine?ids={made['id']}"))[1]["items"]
    assert (own["status"], own["reason"]) == ("pending", None)
    await ask(server, "POST", f"/comments/{made['id']}/reject", body={"reason": "只给同事看的话"})
    (own,) = (await viewer.ask("GET", f"/mine?ids={made['id']}"))[1]["items"]
    assert (own["status"], own["reason"]) == ("rejected", reason)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"text": ""}',
        b'{"text": "   "}',
        b'{"nickname": "x"}',
        b'{"text": "\xff\xfe"}',
        b'{"text": "\\u0000"}',
        b'{"text": "\\ud83d"}',
        '{"text": "好", "key": "k"}'.encode(),
        '{"text": "好", "key": "有空格 的 key"}'.encode(),
        '{"text": "好", "program_time_ms": "x"}'.encode(),
        '{"text": "好", "program_time_ms": 1e300}'.encode(),
        ('{"text": "' + "好" * 301 + '"}').encode(),
        ('{"text": "好", "nickname": "' + "长" * 41 + '"}').encode(),
    ],
)
async def test_bad_input_is_answered_plainly(server: Signalling, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    status, problem = await Viewer(server).ask("POST", data=body, headers=headers)
    assert (status, problem["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "'; DROP TABLE comments; --",
        "\u202e反着写的字\u202c",
        "隐\u200b形\u200c字",
        "🙂" * 300,
        "{{7*7}} ${jndi:ldap://x}",
    ],
)
async def test_tricks_are_text(server: Signalling, text: str) -> None:
    made = await Viewer(server).post(text)
    assert made["status"] in ("pending", "rejected")
    await ask(server, "POST", f"/comments/{made['id']}/approve")
    (shown,) = (await Viewer(server).ask("GET"))[1]["items"]
    assert not {"\u202e", "\u200b", "\u200c"} & set(shown["text"])
    assert shown["text"][:4] in (text[:4], "反着写的", "隐形字")


async def test_ten_megabytes_and_other_doors(server: Signalling) -> None:
    viewer = Viewer(server)
    headers = {"Content-Type": "application/json"}
    status, problem = await viewer.ask("POST", data=b'"' + b"x" * 10_000_000, headers=headers)
    assert (status, problem["code"]) == (413, "too_large")
    headers = {"Content-Type": "application/json; charset=none"}
    status, problem = await viewer.ask("POST", data=b"{}", headers=headers)
    assert (status, problem["code"]) == (415, "unsupported_media_type")
    assert (await viewer.ask("GET", "?after=x"))[0] == 400
    assert (await viewer.ask("GET", "?after=-5"))[1]["items"] == []
    assert (await viewer.ask("GET", "/mine?ids=../x"))[0] == 400
    assert (await viewer.ask("GET", "/mine?ids=" + ",".join(["m"] * 101)))[0] == 400
    assert (await viewer.ask("POST", "/m_none/like"))[1]["code"] == "not_found"
    await Consultations(server.process.database, SystemClock()).create(
        ConsultationDraft(title="内部", id="internal", is_public=False)
    )
    viewer.base = viewer.base.replace("/c/", "/internal/")
    for method, body in (("GET", None), ("POST", {"nickname": "x", "text": "好"})):
        status, problem = await viewer.ask(method, json=body)
        assert (status, problem["code"]) == (404, "consultation_not_found")


async def test_one_device_is_slowed_down_and_its_neighbours_are_not(server: Signalling) -> None:
    viewer, neighbour = Viewer(server), Viewer(server)
    answers = [await viewer.ask("POST", json={"text": f"第 {number} 个问题"}) for number in range(8)]
    assert [status for status, _ in answers] == [202] * 6 + [429] * 2
    assert answers[-1][1]["code"] == "rate_limited"
    assert answers[-1][1]["retry_after_s"] > 0
    await neighbour.post("我是第一次说")


async def test_thirty_a_second_from_this_machine(tmp_path: Path) -> None:
    async with signalling(tmp_path) as server:
        viewer = Viewer(server)
        viewer.headers = {}
        made = await asyncio.gather(*(viewer.post(f"第 {number} 个问题") for number in range(60)))
        assert len({each["id"] for each in made}) == 60
        _, listed = await ask(server, "GET", "/comments?limit=100")
        assert len(listed["items"]) == 60


async def test_the_cut_the_word_list_and_the_author(server: Signalling) -> None:
    viewer = Viewer(server)
    await ask(server, "POST", "/start", Role.CHAIR)
    words = {"items": [{"text": "互助会", "level": "block", "category": "fraud"}]}
    assert await ask(server, "PUT", "/comments/words", body=words) == (200, words)
    assert await ask(server, "GET", "/comments/words") == (200, words)
    assert (await viewer.post("加入互 助 会"))["status"] == "rejected"
    made = await viewer.post("护工工资太低")
    status, author = await ask(server, "GET", f"/comments/{made['id']}/author", Role.ADMINISTRATOR)
    assert (status, author["address"]) == (200, "198.51.100.7")
    rejected = {"reason": "与议题无关"}
    _, decided = await ask(server, "POST", f"/comments/{made['id']}/reject", body=rejected)
    assert decided["groups"][0]["representative"]["reject_reason"] == "与议题无关"
    assert (await ask(server, "POST", f"/comments/{made['id']}/hide"))[1]["code"] == "comment_changed"
    await ask(server, "POST", "/broadcast/cut", Role.SECRETARIAT, {})

    async def answer() -> Any:
        return (await viewer.ask("POST", json={"text": "还在吗？"}))[1].get("code")

    assert await eventually(answer, lambda code: code == "comments_paused")
    moderator = await server.join(Role.MODERATOR, "会里的审核员")
    assert (await moderator.ask("comments.list", {"states": ["rejected"]}))["total"] == 2


async def test_a_topic_is_decided_over_the_socket_and_over_rest(server: Signalling) -> None:
    desk = await server.desk(Role.MODERATOR, "陈审核")
    lamps = ("村口的路灯坏了", "路灯晚上不亮", "我们巷子没有路灯")
    buses = ("公交车一天只有两班", "能不能多开几班公交车", "公交车太少了等一个小时")
    for number, text in enumerate((*lamps, *buses)):
        await Viewer(server, f"198.51.100.{number}").post(text)
    found = await desk.ask("comments.topics")
    assert found["last_number"] == 6
    first, second = found["topics"]
    assert [(each["groups"], each["comments"], each["waiting"]) for each in (first, second)] == [
        (3, 3, 3)
    ] * 2
    page = await desk.ask("comments.list", {"topic": first["id"]})
    assert (page["total"], page["counts"]["last_number"]) == (3, 6)
    shown = {"topic": first["id"], "waiting": 3, "up_to": 6}
    for wrong in (
        {"topic": first["id"]},
        {"waiting": 3},
        {**shown, "ids": ["x"]},
        {**shown, "groups": ["x"]},
        {**shown, "waiting": -1},
    ):
        assert (await desk.call("comment.approve", wrong))["error"]["code"] == "bad_request"
    less = {**shown, "waiting": 2}
    assert (await desk.call("comment.reject", less))["error"]["code"] == "comment_changed"
    decided = await desk.ask("comment.approve", shown)
    assert (decided["changed"], len(decided["ids"]), len(decided["groups"])) == (3, 3, 3)
    undone = await desk.ask("comment.undo", {"id": decided["undo"]})
    assert (undone["changed"], undone["undo"]) == (3, None)
    assert (await desk.call("comment.undo", {"id": decided["undo"]}))["error"]["code"] == "not_found"

    status, listed = await ask(server, "GET", "/comments/topics")
    assert (status, [each["id"] for each in listed["topics"]]) == (200, [first["id"], second["id"]])
    status, page = await ask(server, "GET", f"/comments/groups?topic={second['id']}")
    groups = [each["id"] for each in page["items"]]
    assert (status, len(groups)) == (200, 3)
    assert (await ask(server, "GET", "/comments/groups?topic=none"))[0] == 404
    batch = {"decision": "reject", "groups": groups, "waiting": 3, "reason": "离题"}
    assert (await ask(server, "POST", "/comments/decide", body={**batch, "waiting": 2}))[0] == 409
    assert (await ask(server, "POST", "/comments/decide", body={**batch, "topic": "x"}))[0] == 400
    assert (await ask(server, "POST", "/comments/decide", body={**batch, "decision": "promote"}))[0] == 400
    assert (await ask(server, "POST", "/comments/decide", Role.MEMBER, batch))[0] == 403
    status, decided = await ask(server, "POST", "/comments/decide", body=batch)
    assert (status, decided["changed"]) == (200, 3)
    status, undone = await ask(server, "POST", "/comments/undo", body={"id": decided["undo"]})
    assert (status, undone["changed"]) == (200, 3)
    assert (await ask(server, "POST", "/comments/undo", body={"id": "u_none"}))[0] == 404
