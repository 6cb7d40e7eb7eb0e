"""Minutes through their doors: from what was said to files that are approved, and templates of bodies."""

from __future__ import annotations

import io
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import aiohttp
import openpyxl
import pypdf
import pytest

from conference.model.audit import CLI, AuditEntry
from conference.model.permissions import Role
from conference.model.recording import FileState, Recording
from conference.services.rooms import RoomLimits
from tests.integration.test_permission_doors import session_of
from tests.integration.test_transcripts import Door, fill
from tests.support.docx_files import template, words
from tests.support.eventually import eventually
from tests.support.transcripts import HALL, said
from tests.unit.signaling.harness import signalling

CID = "/api/v1/consultations/c"


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with (
        signalling(tmp_path, RoomLimits(max_participants=20), time_zone="Asia/Shanghai") as server,
        aiohttp.ClientSession() as session,
    ):
        yield Door(session, server)


async def hold(door: Door) -> None:
    """A session with an agenda of one item, three speeches and a note in writing; it is over."""
    items = [{"title": "老旧小区改造", "kind": "discussion"}]
    assert (await door.ask("PUT", f"{CID}/agenda", {"items": items}))[0] == 200
    chair = await door.server.join(Role.CHAIR, "周正明")
    member = await door.server.join(name="王建国")
    assert (await door.of(Role.CHAIR).ask("POST", f"{CID}/start"))[0] == 200
    (item,) = (await door.ask("GET", f"{CID}/agenda"))[1]["items"]
    await chair.ask("agenda.start", {"item_id": item["id"]})
    await member.ask("statement.add", {"text": "建议加装电梯。", "key": "k" * 8})
    await fill(
        door,
        *(
            replace(each, item_id=item["id"])
            for each in (
                said(1, "老旧", "小区", ("改造", 500), "问题"),
                said(2, "建议", "加装", "电梯"),
                replace(said(3, "机密", "内容"), is_confidential=True),
                said(4, "同意", "由", "住建局", "牵头", participant_id="p2", speaker=HALL),
            )
        ),
    )
    assert (await door.of(Role.CHAIR).ask("POST", f"{CID}/end"))[0] == 200


async def good(door: Door, method: str, path: str, body: Any = None) -> Any:
    status, answer = await door.ask(method, f"{CID}{path}", body)
    assert status == 200, answer
    return answer


async def fetched(door: Door, path: str, role: Role = Role.SECRETARIAT) -> tuple[bytes, str, str]:
    """Content, media type and name of a file."""
    headers = {"Authorization": f"Bearer {door.server.token(role)}"}
    async with door.session.get(f"{door.server.url}{CID}{path}", headers=headers) as response:
        assert response.status == 200, await response.text()
        name = re.search(r"filename\*=UTF-8''(\S+)", response.headers["Content-Disposition"])
        assert name is not None
        return await response.read(), response.content_type, unquote(name[1])


async def gap(door: Door) -> None:
    """A microphone was recorded for a minute and never recognised."""
    row = Recording(
        "r",
        "c",
        "p1",
        "王建国",
        "microphone",
        "opus",
        "c/1/a.webm",
        0,
        60_000,
        9,
        "a" * 64,
        FileState.DONE,
        1,
    )
    async with door.server.process.database.transaction() as unit:
        await unit.recordings.save([row])
        await unit.audit.append(AuditEntry("c", 1, 0, CLI, "recording.file_opened"))


async def test_from_what_was_said_to_approved_minutes(door: Door) -> None:
    await hold(door)
    empty = await good(door, "GET", "/minutes")
    assert (empty["record"], empty["summary"], empty["versions"]) == (None, None, [])
    assert empty["blockers"] == [{"code": "uncertain_speakers", "count": 1, "kind": None}]
    record = await good(door, "POST", "/minutes/record")
    sections = {each["key"]: each for each in record["sections"]}
    (item,) = [each for key, each in sections.items() if key.startswith("item:")]
    assert item["text"].split("\n") == [
        "王建国（教授，主会场）：老旧小区，改造问题。建议加装电梯。（此处内容不公开，略）",
        "分会场（发言人待确认）：同意由住建局牵头。",
    ]
    assert "建议加装电梯。" in sections["statements"]["text"]
    summary = await good(door, "POST", "/minutes/summary")
    passages = await good(door, "GET", "/minutes/passages?section=decisions")
    assert [(each["segment"]["id"], each["item_title"]) for each in passages["items"]] == [
        ("seg_0004", "老旧小区改造")
    ]
    mid = summary["id"]
    texts = [{"key": "decisions", "text": "（一）加装电梯。由住建局牵头。"}]
    written = await good(door, "PATCH", f"/minutes/{mid}", {"revision": 1, "sections": texts})
    assert (written["revision"], written["state"], written["updated_by"]) == (2, "draft", "李秘书")
    status, late = await door.ask("PATCH", f"{CID}/minutes/{mid}", {"revision": 1, "sections": texts})
    assert (status, late["code"]) == (409, "edit_conflict")
    await good(door, "POST", f"/minutes/{mid}/review", {"revision": 2})
    approved = await good(door.of(Role.CHAIR, "周正明"), "POST", f"/minutes/{mid}/approve", {"revision": 3})
    trace = await good(door, "GET", "/audit?limit=500")
    line = trace["items"][approved["approval"]["head_number"] - 1]
    assert (line["action"], line["hash"]) == ("minutes.approved", approved["approval"]["head_hash"])

    data, media_type, name = await fetched(door, "/minutes.docx")
    assert media_type.endswith("wordprocessingml.document")
    assert name == "协商会 会议纪要.docx"
    printed = words(data)
    assert printed[0] == "协商会会议纪要"
    assert "（一）加装电梯。由住建局牵头。" in printed
    assert re.sub(r"\s", "", approved["approval"]["head_hash"]) in re.sub(r"\s", "", "".join(printed))
    data, media_type, _ = await fetched(door, "/minutes.pdf?kind=record&version=1")
    assert media_type == "application/pdf"
    pages = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)
    assert "同意由住建局牵头" in re.sub(r"\s", "", pages)
    assert "机密" not in pages
    trace = await good(door, "GET", "/audit?limit=500")
    exported = [each["content"] for each in trace["items"] if each["action"] == "minutes.exported"]
    exported = [json.loads(each) if isinstance(each, str) else each for each in exported]
    assert [(each["kind"], each["format"]) for each in exported] == [("summary", "docx"), ("record", "pdf")]

    later = await good(door, "POST", f"/minutes/{mid}/reopen", {"revision": approved["revision"]})
    assert (later["version"], later["state"]) == (2, "draft")
    view = await good(door, "GET", "/minutes")
    assert [(each["kind"], each["version"], each["state"]) for each in view["versions"]] == [
        ("record", 1, "draft"),
        ("summary", 1, "approved"),
        ("summary", 2, "draft"),
    ]
    assert await good(door, "GET", "/minutes/summary/1") == approved


async def test_making_it_anew_takes_the_place_of_what_was_seen_and_keeps_it(door: Door) -> None:
    await hold(door)
    summary = await good(door, "POST", "/minutes/summary")
    path, texts = f"/minutes/{summary['id']}", [{"key": "decisions", "text": "（一）手写。"}]
    await good(door, "PATCH", path, {"revision": 1, "sections": texts})
    for body in (None, {}, {"revision": 1}):
        status, refused = await door.ask("POST", f"{CID}/minutes/summary", body)
        assert (status, refused["code"]) == (409, "edit_conflict"), body
    assert (await door.ask("POST", f"{CID}/minutes/summary", {"revision": "x"}))[0] == 400
    made = await good(door, "POST", "/minutes/summary", {"revision": 2})
    assert made["sections"] == summary["sections"]
    (kept,) = (await good(door, "GET", f"{path}/earlier"))["items"]
    assert (kept["revision"], kept["written_by"], kept["replaced_by"]) == (2, "李秘书", "李秘书")
    assert [(each["key"], each["text"]) for each in kept["sections"]] == [("decisions", "（一）手写。")]


async def test_earlier_texts_come_page_by_page(door: Door) -> None:
    await hold(door)
    made = await good(door, "POST", "/minutes/summary")
    path = f"/minutes/{made['id']}"
    for revision in range(1, 7):
        texts = [{"key": "decisions", "text": f"（一）第{revision}稿。"}]
        await good(door, "PATCH", path, {"revision": revision, "sections": texts})
    whole = await good(door, "GET", f"{path}/earlier")
    revisions = [each["revision"] for each in whole["items"]]
    assert (len(revisions), revisions, whole["next"]) == (5, sorted(revisions, reverse=True), None)
    found, query = list[int](), "limit=2"
    for _ in range(3):
        page = await good(door, "GET", f"{path}/earlier?{query}")
        assert len(page["items"]) <= 2
        found += [each["revision"] for each in page["items"]]
        query = f"limit=2&after={page['next']}"
    assert (found, page["next"]) == (revisions, None)
    for odd, expected in (("limit=0", 200), ("after=-1", 200), (f"after={1 << 70}", 200), ("after=x", 400)):
        assert (await door.ask("GET", f"{CID}{path}/earlier?{odd}"))[0] == expected, odd


async def test_a_record_that_is_outdated_or_confidential_waits(door: Door) -> None:
    await hold(door)
    record = await good(door, "POST", "/minutes/record")
    path, step = f"{CID}/minutes/{record['id']}", {"revision": 1}
    await good(door, "PATCH", "/transcript/seg_0002", {"revision": 1, "is_confidential": True})
    blockers = (await good(door, "GET", "/minutes"))["blockers"]
    assert {"code": "outdated", "count": 1, "kind": "record"} in blockers
    assert {"code": "confidential", "count": 1, "kind": "record"} in blockers
    status, refused = await door.ask("POST", f"{path}/review", step)
    assert (status, refused["code"], refused["sentences"]) == (409, "confidential_text", 1)
    (item,) = [each for each in record["sections"] if each["key"].startswith("item:")]
    texts = [{"key": key, "text": "（略）"} for key in (item["key"], "statements")]
    await good(door, "PATCH", f"/minutes/{record['id']}", {"revision": 1, "sections": texts})
    status, refused = await door.ask("POST", f"{path}/review", {"revision": 2})
    assert (status, refused["code"], refused["changes"]) == (409, "minutes_outdated", 1)
    reviewed = {"revision": 2, "despite_outdated_reason": "已手工删去"}
    assert (await door.ask("POST", f"{path}/review", reviewed))[0] == 200


async def test_who_looks_again_is_told_whether_anything_changed(door: Door) -> None:
    await hold(door)
    await good(door, "POST", "/minutes/summary")
    headers = {"Authorization": f"Bearer {door.server.token(Role.SECRETARIAT)}"}
    tag = ""

    async def look() -> int:
        nonlocal tag
        again = {**headers, "If-None-Match": tag} if tag else headers
        async with door.session.get(f"{door.server.url}{CID}/minutes", headers=again) as response:
            tag = response.headers["ETag"]
            return response.status

    assert await look() == 200
    # Whoever leaves at the end of a session is a line of the trace yet, and so a change.
    await eventually(look, lambda status: status == 304, what="nothing new")
    await good(door, "POST", "/minutes/record")
    assert await look() == 200


async def test_open_gaps_stand_in_the_way_until_somebody_says_why(door: Door) -> None:
    await hold(door)
    await gap(door)
    summary = await good(door, "POST", "/minutes/summary")
    view = await good(door, "GET", "/minutes")
    assert {"code": "gaps", "count": 1, "kind": None} in view["blockers"]
    path = f"{CID}/minutes/{summary['id']}"
    status, refused = await door.ask("POST", f"{path}/review", {"revision": 1})
    assert (status, refused["code"], refused["gaps"]) == (409, "gaps_open", 1)
    step = {"revision": 1, "despite_gaps_reason": "线路中断"}
    assert (await door.ask("POST", f"{path}/review", step))[0] == 200
    approved = await good(door, "POST", f"/minutes/{summary['id']}/approve", {"revision": 2})
    assert approved["approval"]["despite_gaps_reason"] == "线路中断"
    assert [(each["name"], each["to_ms"]) for each in approved["approval"]["gaps"]] == [("王建国", 60_000)]
    printed = "".join(words((await fetched(door, "/minutes.docx"))[0]))
    assert "转写稿有1处缺口" in printed
    assert "有缺口仍批准的理由：线路中断" in printed


async def test_the_transcript_as_files(door: Door) -> None:
    await hold(door)
    data, _, name = await fetched(door, "/transcript.docx")
    assert name == "协商会 转写稿.docx"
    assert "机密内容。" in words(data)
    shown = words((await fetched(door, "/transcript.docx", Role.MODERATOR))[0])
    assert "机密内容。" not in shown
    assert "另有1段内容不公开，没有列入。" in shown
    data, _, _ = await fetched(door, "/transcript.pdf")
    pages = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)
    assert "老旧小区，改造问题" in re.sub(r"\s", "", pages)
    book = openpyxl.load_workbook(io.BytesIO((await fetched(door, "/transcript.xlsx"))[0]))
    rows = list(book["发言时长"].iter_rows(values_only=True))
    assert [row[0] for row in rows] == ["发言人", "王建国", "分会场"]
    assert book["转写稿"].max_row == 5
    trace = await good(door, "GET", "/audit?limit=500")
    assert [each["action"] for each in trace["items"]].count("transcript.exported") == 4


async def test_a_body_prints_by_its_own_template(door: Door) -> None:
    await hold(door)
    session = await session_of(door.server, Role.SECRETARIAT)
    process = door.server.process
    async with process.database.transaction() as unit:
        (organization,) = await unit.organizations.all()
        consultation = await unit.consultations.get("c")
        assert consultation is not None
        await unit.consultations.save(replace(consultation, organization_id=organization.id))
        await unit.audit.append(AuditEntry("c", 1, 0, CLI, "consultation.edited"))
    url = f"{door.server.url}/api/v1/organizations/{organization.id}/minutes-template"
    headers = {"Authorization": f"Bearer {session}"}

    async def put(data: bytes) -> tuple[int, Any]:
        async with door.session.put(
            url, params={"name": "我会模板.docx"}, data=data, headers=headers
        ) as response:
            return response.status, await response.json()

    async with door.session.get(url, headers=headers) as response:
        assert response.status == 204
    status, refused = await put(template("{{ 会议名 }}"))
    assert (status, refused["code"]) == (422, "template_refused")
    assert (refused["reason"], refused["said"]) == ("wrong_words", "没有这个名称：会议名")
    assert (await put(b"x" * (3 << 20)))[0] == 413
    status, kept = await put(template("我会专用", "{{ 标题 }}", "{{ 议定事项 }}"))
    assert (status, kept["name"], kept["added_by"]) == (200, "我会模板.docx", "某")
    await good(door, "POST", "/minutes/summary")
    assert words((await fetched(door, "/minutes.docx"))[0]) == ["我会专用", "协商会会议纪要"]
    async with door.session.get(f"{url}/file", headers=headers) as response:
        assert words(await response.read())[0] == "我会专用"
    async with door.session.get(f"{url}/sample", headers=headers) as response:
        status, _ = await put(await response.read())
    assert status == 200
    assert words((await fetched(door, "/minutes.docx"))[0])[0] == "协商会会议纪要"
    async with door.session.delete(url, headers=headers) as response:
        assert response.status == 204
    assert words((await fetched(door, "/minutes.docx"))[0])[0] == "协商会会议纪要"
    other = await session_of(door.server, Role.MODERATOR)
    async with door.session.get(url, headers={"Authorization": f"Bearer {other}"}) as response:
        assert response.status == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"revision": 0, "sections": []},
        {"revision": 1, "sections": [{"key": "decisions"}]},
        {"revision": 1, "sections": [{"key": "decisions", "text": "a\x00"}]},
        {"revision": 1, "sections": [{"key": "decisions", "text": "字" * 1_000_001}]},
        {"revision": 1, "sections": [], "state": "approved"},
        [],
    ],
)
async def test_what_is_no_request_is_refused(door: Door, body: Any) -> None:
    await hold(door)
    summary = await good(door, "POST", "/minutes/summary")
    status, refused = await door.ask("PATCH", f"{CID}/minutes/{summary['id']}", body)
    assert (status, refused["code"]) == (400, "bad_request")
    assert (await good(door, "GET", "/minutes"))["summary"] == summary


async def test_long_minutes_are_written_whole(door: Door) -> None:
    await hold(door)
    summary = await good(door, "POST", "/minutes/summary")
    text = "\n".join(["会议认为，县域养老服务的短板在人不在房。" * 40] * 200)
    texts = [{"key": "findings", "text": text}]
    written = await good(door, "PATCH", f"/minutes/{summary['id']}", {"revision": 1, "sections": texts})
    assert next(each["text"] for each in written["sections"] if each["key"] == "findings") == text
    data, _, _ = await fetched(door, "/minutes.docx")
    assert sum(each.startswith("会议认为，县域") for each in words(data)) == 200
