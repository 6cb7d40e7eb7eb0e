"""The minutes: approved despite gaps, archived, and a second version when the sound is back."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.docx_files import words
from tests.support.eventually import eventually
from tests.support.spoken_session import PATIENCE_S, Json
from tests.support.spoken_story.papers import assert_nothing_secret, elapsed, sign
from tests.support.spoken_story.story import BROKEN, DECISION, HALL, REASON, Story


async def approve_despite_gaps(story: Story) -> Json:
    """One stretch is waived, the other confirmed with a reason; what is approved is frozen."""
    desk, chair = story.desk, story.desk.of("chair", "周正明")
    await eventually(
        story.sitting.segments,
        lambda found: any(each["text"] == "录音里补上的这句话。" for each in found),
        timeout_s=PATIENCE_S,
        every_s=0.2,
        what="what was caught up with",
    )
    gaps = await story.sitting.gaps_are(**{"陈敏": "failed", HALL: "failed"})
    assert {each["reason"] for each in gaps} == {"unreadable"}
    record = await desk.good("POST", "/minutes/record")
    view = await desk.good("GET", "/minutes")
    assert view["blockers"] == [
        {"code": "gaps", "count": 2, "kind": None},
        {"code": "unclear", "count": 1, "kind": None},
    ]
    path, revision = f"/minutes/{record['id']}", record["revision"]
    status, refused = await desk.ask("POST", f"{path}/review", {"revision": revision})
    assert (status, refused["code"], refused["gaps"]) == (409, "gaps_open", 2)
    hall = next(each for each in gaps if each["name"] == HALL)
    waived = {key: hall[key] for key in ("participant_id", "from_ms", "to_ms")}
    await desk.good("POST", "/transcript/gaps", {**waived, "action": "waive", "note": BROKEN})
    status, refused = await desk.ask("POST", f"{path}/review", {"revision": revision})
    assert (status, refused["code"], refused["gaps"]) == (409, "gaps_open", 1)

    # With the note that stands there now.
    record = await desk.good("POST", "/minutes/record", {"revision": revision})
    written = {"revision": record["revision"], "sections": [{"key": "decisions", "text": DECISION}]}
    record = await desk.good("PATCH", path, written)
    record = await desk.good(
        "POST", f"{path}/review", {"revision": record["revision"], "despite_gaps_reason": REASON}
    )
    approved = await chair.good("POST", f"{path}/approve", {"revision": record["revision"]})
    assert (approved["state"], approved["reviewed_by"], approved["approval"]["by"]) == (
        "approved",
        "演示秘书",
        "周正明",
    )
    assert approved["approval"]["despite_gaps_reason"] == REASON
    for method, where, body in (
        (
            "PATCH",
            path,
            {"revision": approved["revision"], "sections": [{"key": "decisions", "text": "别的"}]},
        ),
        ("POST", "/minutes/record", None),
        ("POST", f"{path}/approve", {"revision": approved["revision"]}),
    ):
        status, refused = await desk.ask(method, where, body)
        assert (status, refused["code"]) == (409, "invalid_state"), (method, where)
    return approved


async def approve_second_version(story: Story, first: list[str]) -> None:
    """The files are back: what was missing is recognised, and another version says so. The first stays as it was."""
    desk, chair = story.desk, story.desk.of("chair", "周正明")
    story.sitting.bring_back(story.taken_away)
    gap = next(each for each in await story.sitting.gaps() if each["name"] == "陈敏")
    wanted = {key: gap[key] for key in ("participant_id", "from_ms", "to_ms")}
    await desk.good("POST", "/transcript/gaps", {**wanted, "action": "recognise"})
    await story.sitting.gaps_are(**{HALL: "waived"})
    # What was told and is not a row yet is no gap any more.
    missed = await eventually(lambda: story.sitting.segment("水费"), timeout_s=PATIENCE_S, every_s=0.2)
    assert (missed["speaker"]["name"], missed["text"]) == ("陈敏", "水费怎么收也要听群众的。")
    assert gap["from_ms"] <= missed["start_ms"] <= missed["end_ms"] <= gap["to_ms"]
    view = await desk.good("GET", "/minutes")
    assert view["blockers"] == [{"code": "unclear", "count": 1, "kind": None}]

    approved = view["record"]
    second = await desk.good("POST", f"/minutes/{approved['id']}/reopen", {"revision": approved["revision"]})
    assert (second["version"], second["state"], second["sections"]) == (2, "draft", approved["sections"])
    second = await desk.good("POST", "/minutes/record", {"revision": second["revision"]})
    written = {"revision": second["revision"], "sections": [{"key": "decisions", "text": DECISION}]}
    second = await desk.good("PATCH", f"/minutes/{second['id']}", written)
    for door, step in ((desk, "review"), (chair, "approve")):
        second = await door.good("POST", f"/minutes/{second['id']}/{step}", {"revision": second["revision"]})
    files = ("/minutes.docx?kind=record", "/minutes.docx?kind=record&version=1")
    newest, oldest = [words(each) for each in await asyncio.gather(*(desk.file(each) for each in files))]
    assert oldest == first, "approved minutes are frozen"
    assert newest[2] == "（第2版）"
    assert any(each.startswith("陈敏：水费怎么收也要听群众的。") for each in newest)
    assert newest[-2:] == [
        *sign(second["approval"], version=2),
        f"转写稿有1处缺口（会议时间）：{elapsed(second['approval']['gaps'][0])} {HALL}，{BROKEN}。",
    ]
    assert_nothing_secret("".join(newest))
    versions = (await desk.good("GET", "/minutes"))["versions"]
    assert [(each["version"], each["state"]) for each in versions] == [(1, "approved"), (2, "approved")]


async def archive_is_intact(story: Story, approved: Json, tmp_path: Path) -> None:
    """`yuanshang archive verify` says so, with the sign that is printed on the minutes."""
    path = tmp_path / "archive.zip"
    path.write_bytes(await story.desk.file("/archive"))
    said = await asyncio.to_thread(
        story.sitting.server.run, "archive", "verify", str(path), "--head", approved["approval"]["head_hash"]
    )
    assert "完好 intact   transcript_segments.jsonl  (8)" in said, said
    assert "完好 intact   minutes.jsonl  (1)" in said
    assert "BROKEN" not in said
