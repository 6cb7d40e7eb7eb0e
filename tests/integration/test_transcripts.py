"""The transcript through its doors: reading, looking for words, and several who correct it at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.model.permissions import Role
from conference.model.transcript import TranscriptSegment
from conference.services.rooms import RoomLimits
from tests.support.eventually import eventually
from tests.support.transcripts import HALL, keep, said
from tests.unit.signaling.harness import Signalling, signalling

PATH = "/api/v1/consultations/c/transcript"
SECRETARIAT = Role.SECRETARIAT


@dataclass
class Door:
    """Somebody at the HTTP door."""

    session: aiohttp.ClientSession
    server: Signalling
    role: Role = SECRETARIAT
    name: str = "李秘书"

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        token = self.server.token(self.role, self.name)
        async with self.session.request(
            method, self.server.url + path, json=body, headers={"Authorization": f"Bearer {token}"}
        ) as response:
            return response.status, await response.json()

    async def get(self, path: str = "") -> Any:
        status, body = await self.ask("GET", PATH + path)
        assert status == 200, body
        return body

    async def patch(self, number: int, **body: Any) -> tuple[int, Any]:
        return await self.ask("PATCH", f"{PATH}/seg_{number:04}", body)

    async def post(self, path: str, **body: Any) -> tuple[int, Any]:
        return await self.ask("POST", f"{PATH}/{path}", body)

    def of(self, role: Role, name: str = "某") -> Door:
        return Door(self.session, self.server, role, name)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with signalling(tmp_path, RoomLimits()) as server, aiohttp.ClientSession() as session:
        yield Door(session, server)


SEGMENTS: list[TranscriptSegment] = [
    said(1, "老旧", "小区", ("改造", 500), "问题"),
    said(2, "资金", "从", "哪里", "来"),
    said(3, "水费", "上调", participant_id="p2", speaker=HALL),
]


async def fill(door: Door, *segments: TranscriptSegment) -> None:
    await keep(door.server.process.database, segments or SEGMENTS)


async def lines(door: Door) -> list[dict[str, Any]]:
    status, body = await door.ask("GET", "/api/v1/consultations/c/audit?limit=500")
    assert status == 200
    return [each for each in body["items"] if each["action"].startswith("transcript.")]


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_page_goes_on_behind_a_segment_that_is_gone(door: Door) -> None:
    await fill(door)
    first = await door.get("?limit=2")
    assert (await door.post("seg_0001/join", revision=1, next_revision=1))[0] == 200
    assert [each["id"] for each in (await door.get(f"?after={first['next']}"))["items"]] == ["seg_0003"]
    status, answer = await door.ask("GET", f"{PATH}?after=seg_0002")
    assert (status, answer["code"]) == (404, "not_found"), "nobody takes it for the end"


async def test_what_is_found_goes_on_behind_a_segment_that_is_found_no_more(door: Door) -> None:
    await fill(door, *(said(number, "水费", "上调") for number in range(1, 5)))
    first = await door.get("/search?q=水费&limit=2")
    after = f"/search?q=水费&limit=2&after={first['next']}"
    expected = ["seg_0003", "seg_0004"]
    assert [each["segment"]["id"] for each in (await door.get(after))["items"]] == expected
    await door.patch(2, revision=1, text="电费上调。")
    assert [each["segment"]["id"] for each in (await door.get(after))["items"]] == expected
    rest = (await door.get("/search?q=水费&after=seg_0001"))["items"]
    assert len(rest) == 2, "as pages were named before"
    for gone in ("seg_0002", "%00", "水.seg_0002", "9" * 5_000 + ".seg_0002"):
        status, answer = await door.ask("GET", f"{PATH}/search?q=水费&after={gone}")
        assert (status, answer["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "after", ["%00", "seg_0001%00", "1.", "x.seg_0001", "9999999999999999.seg_0001", "水"]
)
async def test_what_is_no_place_in_a_transcript(door: Door, after: str) -> None:
    status, answer = await door.ask("GET", f"{PATH}?after={after}")
    assert (status, answer["code"]) == (400, "bad_request")


async def test_pages_of_segments(door: Door) -> None:
    await fill(door)
    first = await door.get("?limit=2")
    assert [each["id"] for each in first["items"]] == ["seg_0001", "seg_0002"]
    last = {"items": [(await door.get())["items"][2]], "next": None}
    assert await door.get(f"?limit=2&after={first['next']}") == last
    assert await door.get("?limit=2&after=seg_0002") == last, "as pages were named before"
    assert (
        first["items"][0]
        == await door.get("/seg_0001")
        == {
            "id": "seg_0001",
            "participant_id": "p1",
            "speaker": {
                "name": "王建国",
                "role": "member",
                "venue": "主会场",
                "title": "教授",
                "is_certain": True,
            },
            "start_ms": 10_000,
            "end_ms": 12_100,
            "text": "老旧小区，改造问题。",
            "raw": "老旧小区改造问题",
            "words": [
                ["老旧", 10_000, 10_400, 0.9],
                ["小区", 10_400, 10_800, 0.9],
                ["改造", 11_300, 11_700, 0.9],
                ["问题", 11_700, 12_100, 0.9],
            ],
            "engine": "scripted",
            "item_id": None,
            "turn_id": None,
            "automatic": [4, 9],
            "revision": 1,
            "is_edited": False,
            "is_unclear": False,
            "is_confidential": False,
            "proposal": None,
        }
    )
    brief = await door.get("?brief=1")
    assert brief["next"] is None
    assert [set(each) for each in brief["items"]] == [set(first["items"][0]) - {"raw", "words"}] * 3


async def test_four_thousand_segments_are_one_brief_page(door: Door) -> None:
    await fill(door, *(said(number, *["协商"] * 30) for number in range(4_000)))
    page = await door.get("?brief=1&limit=5000")
    assert len(page["items"]) == 4_000
    assert page["next"] is None
    assert len((await door.get("?limit=5000"))["items"]) == 500


async def test_what_is_confidential_is_for_some(door: Door) -> None:
    await fill(door, replace(SEGMENTS[0], is_confidential=True), *SEGMENTS[1:])
    moderator = door.of(Role.MODERATOR)
    for other in (door, door.of(Role.CHAIR), door.of(Role.ORGANIZER), door.of(Role.ADMINISTRATOR)):
        assert len((await other.get())["items"]) == 3
        assert len((await other.get("/search?q=小区"))["items"]) == 1
        assert len((await other.get("/find?q=小区"))["items"]) == 1
        assert (await other.get("/seg_0001"))["is_confidential"]
    assert [each["id"] for each in (await moderator.get())["items"]] == ["seg_0002", "seg_0003"]
    assert (await moderator.get("/search?q=小区"))["items"] == []
    assert (await moderator.get("/find?q=小区"))["items"] == []
    for path in ("", "/revisions"):
        status, body = await moderator.ask("GET", f"{PATH}/seg_0001{path}")
        assert (status, body["code"]) == (404, "not_found")
    # What was parted from an open one may be confidential now.
    assert (await moderator.ask("GET", f"{PATH}/seg_0002/revisions"))[0] == 403
    # A page may be short, but it leads on.
    page = await moderator.get("?limit=1")
    assert (page["items"], page["next"]) == ([], "10000.seg_0001")


async def test_words_and_places_are_found(door: Door) -> None:
    await fill(door)
    found = (await door.get("/search?q=小区 问题"))["items"]
    assert [(each["consultation"]["id"], each["segment"]["id"]) for each in found] == [("c", "seg_0001")]
    assert await door.get("/find?q=小区，改") == {"items": [{"id": "seg_0001", "at": [2]}]}
    assert await door.get("/find?q=小区改") == {"items": []}
    assert (await door.get("/search?q=，"))["items"] == []


async def test_only_their_own_consultation(door: Door) -> None:
    await fill(door, said(1, "小区", consultation_id="other"))
    for method, path, body in (
        ("GET", "/seg_0001", None),
        ("PATCH", "/seg_0001", {"revision": 1, "text": "x"}),
        ("POST", "/seg_0001/split", {"revision": 1, "at": 1}),
        ("POST", "/seg_0001/restore", {"revision": 1, "to": 1}),
    ):
        status, answer = await door.ask(method, PATH + path, body)
        assert (status, answer["code"]) == (404, "not_found")
    assert (await door.get("/search?q=小区"))["items"] == []


# ── correcting ──────────────────────────────────────────────────────────────────────────────────


async def test_a_correction_is_a_revision_and_a_line(door: Door) -> None:
    await fill(door)
    status, after = await door.patch(1, revision=1, text="老旧小区，改造难题。", reason="听错")
    assert status == 200
    assert (after["text"], after["revision"], after["is_edited"], after["automatic"]) == (
        "老旧小区，改造难题。",
        2,
        True,
        [4, 9],
    )
    assert (after["raw"], len(after["words"])) == ("老旧小区改造问题", 4)
    (revision,) = (await door.get("/seg_0001/revisions"))["items"]
    assert revision.pop("at_wall_ms") > 0
    assert revision == {
        "segment_id": "seg_0001",
        "revision": 2,
        "kind": "edited",
        "before": "老旧小区，改造问题。",
        "after": "老旧小区，改造难题。",
        "speaker_before": "王建国",
        "speaker_after": "王建国",
        "by_name": "李秘书",
        "reason": "听错",
    }
    line = (await lines(door))[-1]
    assert (line["action"], line["subject"]) == ("transcript.edited", "seg_0001")
    assert set(line["content"]) >= {"before", "after", "reason", "revision"}
    assert "难题" not in str(line)  # what was said stands in the transcript alone
    assert (await door.get("/search?q=难题"))["items"]
    assert not (await door.get("/search?q=问题"))["items"]


async def test_nothing_changed_leaves_nothing(door: Door) -> None:
    await fill(door)
    before = len(await lines(door))
    status, after = await door.patch(1, revision=1, text=SEGMENTS[0].text, is_unclear=False)
    assert (status, after["revision"]) == (200, 1)
    assert (await door.get("/seg_0001/revisions"))["items"] == []
    assert len(await lines(door)) == before


async def test_of_two_at_once_the_later_one_sees_what_there_is_now(door: Door) -> None:
    await fill(door)
    other = door.of(Role.ORGANIZER, "周干事")
    answers = await asyncio.gather(
        door.patch(1, revision=1, text="甲"), other.patch(1, revision=1, text="乙")
    )
    (good,) = [body for status, body in answers if status == 200]
    (problem,) = [body for status, body in answers if status == 409]
    assert problem["code"] == "edit_conflict"
    assert problem["segment"] == good == await door.get("/seg_0001")
    status, after = await other.patch(1, revision=problem["segment"]["revision"], text="丙")
    assert (status, after["text"]) == (200, "丙")


@pytest.mark.parametrize(
    "body",
    [
        {"text": "x"},
        {"revision": 1, "text": ""},
        {"revision": 1, "text": "水" * 4_001},
        {"revision": 1, "text": "\0"},
        {"revision": 1, "text": "\ud800"},
        {"revision": 0},
        {"revision": 1, "speaker": {}},
        {"revision": 1, "speaker": {"name": " "}},
        {"revision": 1, "speaker": {"name": "x", "participant_id": "p"}},
        {"revision": 1, "raw": "x"},
    ],
)
async def test_bad_corrections(door: Door, body: dict[str, Any]) -> None:
    await fill(door)
    status, answer = await door.patch(1, **body)
    assert (status, answer["code"]) == (400, "bad_request")
    assert (await door.get("/seg_0001"))["revision"] == 1


async def test_somebody_says_who_spoke(door: Door) -> None:
    await fill(door)
    member = await door.server.join(Role.MEMBER, "张三")
    status, after = await door.patch(3, revision=1, speaker={"participant_id": member.me}, is_unclear=True)
    assert status == 200
    assert after["speaker"] == {
        "name": "张三",
        "role": "member",
        "venue": None,
        "title": None,
        "is_certain": True,
    }
    assert (after["revision"], after["participant_id"], after["is_unclear"]) == (3, "p2", True)
    kinds = [each["kind"] for each in (await door.get("/seg_0003/revisions"))["items"]]
    assert kinds == ["speaker", "marked"]
    status, after = await door.patch(
        3, revision=3, speaker={"name": "赵 工", "role": "expert", "title": "高工"}
    )
    assert (after["speaker"]["name"], after["speaker"]["role"], after["speaker"]["title"]) == (
        "赵 工",
        "expert",
        "高工",
    )
    for speaker in ({"participant_id": "p_none"}, {"invitee_id": "i_none"}):
        status, after = await door.patch(3, revision=4, speaker=speaker)
        assert (status, after["code"]) == (404, "not_found")


async def test_an_invitee_has_name_title_and_hall(door: Door) -> None:
    await fill(door)
    path = "/api/v1/consultations/c"
    _, venue = await door.ask("POST", f"{path}/venues", {"name": "李渡镇", "kind": "branch"})
    invitee = {"name": "陈敏", "role": "member", "venue_id": venue["id"], "title": "镇长", "sector": "妇联"}
    status, invited = await door.ask("POST", f"{path}/invitees", invitee)
    assert status == 201, invited
    _, after = await door.patch(3, revision=1, speaker={"invitee_id": invited["id"]})
    assert after["speaker"] == {
        "name": "陈敏",
        "role": "member",
        "venue": "李渡镇",
        "title": "镇长",
        "is_certain": True,
    }


async def test_a_segment_is_split_and_joined_again(door: Door) -> None:
    await fill(door)
    status, parts = await door.post("seg_0001/split", revision=1, at=5)
    assert status == 200
    first, second = parts["items"]
    assert (first["text"], second["text"]) == ("老旧小区，", "改造问题。")
    assert (first["end_ms"], second["start_ms"]) == (10_800, 11_300)
    assert [each["id"] for each in (await door.get())["items"]] == [
        "seg_0001",
        second["id"],
        "seg_0002",
        "seg_0003",
    ]
    assert [e["segment"]["id"] for e in (await door.get("/search?q=改造"))["items"]] == [second["id"]]
    status, problem = await door.post("seg_0001/join", revision=2, next_revision=7)
    assert (status, problem["code"], problem["segment"]["id"]) == (409, "edit_conflict", second["id"])
    status, joined = await door.post("seg_0001/join", revision=2, next_revision=1)
    assert (status, joined["text"], joined["revision"]) == (200, "老旧小区，改造问题。", 3)
    assert joined["words"] == (await door.get("/seg_0001"))["words"]
    assert len((await door.get())["items"]) == 3
    status, gone = await door.ask("GET", f"{PATH}/{second['id']}")
    assert (status, gone["code"]) == (404, "not_found")
    status, answer = await door.post("seg_0003/join", revision=1, next_revision=1)
    assert (status, answer["code"]) == (404, "not_found")  # nothing follows on that microphone
    status, answer = await door.post("seg_0001/split", revision=3, at=0)
    assert (status, answer["code"]) == (400, "bad_request")
    assert [each["action"] for each in (await lines(door))[-2:]] == ["transcript.split", "transcript.joined"]


async def test_only_one_speaker_is_joined(door: Door) -> None:
    await fill(door)
    await door.patch(2, revision=1, speaker={"name": "别人"})
    status, answer = await door.post("seg_0001/join", revision=1, next_revision=2)
    assert (status, answer["code"]) == (409, "invalid_state")


async def test_an_earlier_text_is_taken_back(door: Door) -> None:
    await fill(door)
    await door.patch(1, revision=1, text="甲")
    await door.patch(1, revision=2, is_unclear=True)
    await door.patch(1, revision=3, text="乙")
    status, after = await door.post("seg_0001/restore", revision=4, to=3)
    assert (status, after["text"], after["revision"], after["is_unclear"]) == (200, "甲", 5, True)
    status, after = await door.post("seg_0001/restore", revision=5, to=1)
    assert (status, after["text"]) == (200, SEGMENTS[0].text)
    for to in (7, 99):
        status, answer = await door.post("seg_0001/restore", revision=6, to=to)
        assert (status, answer["code"]) == (404, "not_found")
    kinds = [each["kind"] for each in (await door.get("/seg_0001/revisions"))["items"]]
    assert kinds == ["edited", "marked", "edited", "restored", "restored"]


async def test_a_proposal_is_decided(door: Door) -> None:
    await fill(door, *(replace(each, proposal="资金从哪儿来？") for each in SEGMENTS[:2]), SEGMENTS[2])
    status, taken = await door.post("seg_0002/proposal", revision=1, accept=True)
    assert (status, taken["text"], taken["proposal"]) == (200, "资金从哪儿来？", None)
    status, refused = await door.post("seg_0001/proposal", revision=1, accept=False)
    assert (status, refused["text"], refused["proposal"]) == (200, SEGMENTS[0].text, None)
    status, same = await door.post("seg_0003/proposal", revision=1, accept=True)
    assert (status, same["revision"]) == (200, 1)


async def test_replacing_leaves_alone_what_somebody_changed(door: Door) -> None:
    await fill(door)
    await door.of(Role.ORGANIZER).patch(2, revision=1, text="改造资金从哪里来？")
    seen = [{"id": f"seg_{number:04}", "revision": 1} for number in (1, 2, 3, 9)]
    status, done = await door.post("replace", find="改造", replace="提升", segments=seen)
    assert status == 200
    assert [(each["id"], each["text"]) for each in done["items"]] == [("seg_0001", "老旧小区，提升问题。")]
    assert done["conflicts"] == ["seg_0002", "seg_0009"]
    (revision,) = (await door.get("/seg_0001/revisions"))["items"]
    assert revision["kind"] == "replaced"
    status, done = await door.post(
        "replace", find=".", replace="x", segments=[{"id": "seg_0001", "revision": 2}]
    )
    assert done == {"items": [], "conflicts": []}


async def test_many_are_replaced_at_once(door: Door) -> None:
    await fill(door, *(said(number, "协商", "民主") for number in range(450)))
    seen = [{"id": f"seg_{number:04}", "revision": 1} for number in range(450)]
    status, done = await door.post("replace", find="民主", replace="议政", segments=seen)
    assert (status, len(done["items"])) == (200, 450)
    assert {each["text"] for each in (await door.get("?brief=1&limit=5000"))["items"]} == {"协商议政。"}
    assert len((await door.get("/search?q=议政&limit=500"))["items"]) == 450


async def test_a_sealed_transcript_is_not_corrected(door: Door) -> None:
    await fill(door)
    path = "/api/v1/consultations/c"
    for step in ("start", "end", "seal"):
        status, answer = await door.ask("POST", f"{path}/{step}")
        assert status in (200, 204), answer
    status, answer = await door.patch(1, revision=1, text="x")
    assert (status, answer["code"]) == (409, "invalid_state")
    assert len((await door.get())["items"]) == 3


# ── several who look at it ──────────────────────────────────────────────────────────────────────


async def test_desks_see_what_others_correct(door: Door) -> None:
    await fill(door)
    secretary = await door.server.desk(Role.SECRETARIAT, "李秘书")
    moderator = await door.server.desk(Role.MODERATOR, "审核员")
    member = await door.server.join(Role.MEMBER, "张三")
    _, after = await door.of(Role.ORGANIZER, "周干事").patch(1, revision=1, text="甲")
    await eventually(lambda: secretary.of("transcript.changed") and moderator.of("transcript.changed"))
    assert secretary.of("transcript.changed") == [{"segments": [after], "removed": [], "by": "周干事"}]
    await eventually(lambda: member.of("caption.corrected"))
    assert member.of("caption.corrected") == [{"segment_id": "seg_0001", "text": "甲"}]
    assert not member.of("transcript.changed")
    await door.patch(1, revision=2, is_confidential=True)
    await eventually(lambda: len(moderator.of("transcript.changed")) == 2)
    assert moderator.of("transcript.changed")[1] == {
        "segments": [],
        "removed": ["seg_0001"],
        "by": "李秘书",
    }
    await eventually(lambda: len(member.of("caption.corrected")) == 2)
    assert member.of("caption.corrected")[1] == {"segment_id": "seg_0001", "text": ""}
    await door.patch(1, revision=3, text="乙")
    await eventually(lambda: len(secretary.of("transcript.changed")) == 3)
    assert len(member.of("caption.corrected")) == 2


async def test_desks_learn_of_splits_and_joins(door: Door) -> None:
    await fill(door)
    desk = await door.server.desk(Role.CHAIR, "主席")
    _, parts = await door.post("seg_0001/split", revision=1, at=5)
    await eventually(lambda: desk.of("transcript.changed"))
    assert desk.of("transcript.changed")[0]["segments"] == parts["items"]
    _, joined = await door.post("seg_0001/join", revision=2, next_revision=1)
    await eventually(lambda: len(desk.of("transcript.changed")) == 2)
    told = desk.of("transcript.changed")[1]
    assert (told["segments"], told["removed"]) == ([joined], [parts["items"][1]["id"]])


async def test_desks_see_where_others_write(door: Door) -> None:
    await fill(door)
    writer = await door.server.desk(Role.SECRETARIAT, "李秘书")
    reader = await door.server.desk(Role.MODERATOR, "审核员")
    member = await door.server.join(Role.MEMBER, "张三")
    await writer.ask("transcript.edit_at", {"segment_id": "seg_0001", "at": 3})
    await eventually(lambda: reader.of("transcript.editing"))
    (told,) = reader.of("transcript.editing")
    session = told.pop("session")
    assert told == {"segment_id": "seg_0001", "at": 3, "name": "李秘书"}
    await writer.ask("transcript.edit_at", {"segment_id": None, "at": None})
    await writer.ask("transcript.edit_at", {"segment_id": "seg_0002"})
    await writer.close()
    await eventually(lambda: len(reader.of("transcript.editing")) == 4)
    assert [(each["segment_id"], each["session"]) for each in reader.of("transcript.editing")[1:]] == [
        (None, session),
        ("seg_0002", session),
        (None, session),
    ]
    assert not writer.of("transcript.editing")
    assert not member.of("transcript.editing")
    assert await reader.refused("transcript.edit_at", {"segment_id": "seg_0001"}) == "forbidden"
    await reader.close()


async def test_a_desk_that_wrote_nowhere_leaves_without_a_word(door: Door) -> None:
    reader = await door.server.desk(Role.SECRETARIAT, "李秘书")
    silent, writing = await door.server.desk(), await door.server.desk(Role.ORGANIZER)
    await silent.close()
    await writing.ask("transcript.edit_at", {"segment_id": "seg_0001", "at": 0})
    await eventually(lambda: reader.of("transcript.editing"))
    assert [each["segment_id"] for each in reader.of("transcript.editing")] == ["seg_0001"]


# ── files ───────────────────────────────────────────────────────────────────────────────────────


async def file_of(door: Door, kind: str) -> tuple[str, str]:
    """Media type and content."""
    headers = {"Authorization": f"Bearer {door.server.token(door.role)}"}
    async with door.session.get(f"{door.server.url}{PATH}.{kind}", headers=headers) as response:
        assert response.status == 200
        assert "attachment" in response.headers["Content-Disposition"]
        return response.content_type, await response.text()


async def test_files_of_the_transcript(door: Door) -> None:
    await fill(door, *SEGMENTS[:2], replace(SEGMENTS[2], is_confidential=True, is_unclear=True))
    kind, text = await file_of(door, "json")
    assert kind == "application/json"
    body = json.loads(text)
    assert body["consultation"]["title"] == "协商会"
    assert body["segments"] == (await door.get())["items"]
    kind, text = await file_of(door, "txt?unclear=mark")
    assert kind == "text/plain"
    assert "［听不清］水费上调。" in text
    moderator = door.of(Role.MODERATOR)
    kind, text = await file_of(moderator, "txt")
    assert "另有 1 段标记为不公开" in text
    assert "水费" not in text
    kind, text = await file_of(door, "vtt")
    assert (kind, text.splitlines()[:4]) == (
        "text/vtt",
        ["WEBVTT", "", "00:00:10.000 --> 00:00:12.100", "<v 王建国>老旧小区，改造问题。</v>"],
    )
    kind, text = await file_of(moderator, "srt")
    assert text.count("-->") == 2
    exported = [each for each in await lines(door) if each["action"] == "transcript.exported"]
    assert [(each["content"]["format"], each["content"]["left_out"]) for each in exported] == [
        ("json", 0),
        ("txt", 0),
        ("txt", 1),
        ("vtt", 0),
        ("srt", 1),
    ]
    status, body = await door.ask("GET", f"{PATH}.exe")
    assert status == 404
