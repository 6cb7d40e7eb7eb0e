"""The transcript after the sitting: terms, two editors at once, and search."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from tests.support.eventually import eventually
from tests.support.spoken_session import PATIENCE_S, Door, Json, Sitting
from tests.support.spoken_story.story import HALL, Story
from tests.unit.signaling.harness import Client


def organizer(story: Story) -> Door:
    return story.desk.of("organizer", "周干事")


async def terms_change_what_nobody_corrected(story: Story) -> None:
    before = await story.sitting.segment("夏天")
    assert before["speaker"] == {
        "name": "王建国",
        "role": "member",
        "venue": HALL,
        "title": "河口镇中学教师",
        "is_certain": True,
    }
    await story.desk.good("PUT", "/terms", {"items": [{"wrong": "水鸭", "right": "水压"}]})
    after = await eventually(
        lambda: story.sitting.segment("夏天"),
        lambda found: found["revision"] > before["revision"],
        timeout_s=PATIENCE_S,
        what="the term in the transcript",
    )
    assert (after["text"], after["raw"]) == ("夏天水压不稳定的问题比较多。", "夏天水鸭不稳定的问题比较多")
    assert not after["is_edited"]
    advice = await story.sitting.segment("管网")
    assert advice["raw"] == "我建议把老旧官网改造列入明年的重点项目"


async def two_correct_at_once(story: Story, one: Client, other: Client) -> None:
    """In different segments both go through; in the same one the later is shown what there is now."""
    ours, theirs = story.desk, organizer(story)
    report, complaint = [await story.sitting.segment(each) for each in ("80%", "夏天")]
    await one.ask("transcript.edit_at", {"segment_id": report["id"], "at": 4})
    told = await eventually(lambda: other.of("transcript.editing"), timeout_s=PATIENCE_S)
    assert (told[0]["segment_id"], told[0]["name"]) == (report["id"], "演示秘书")

    def patch(door: Door, segment: Json, **changes: Any) -> Any:
        body = {"revision": segment["revision"], **changes}
        return door.ask("PATCH", f"/transcript/{segment['id']}", body)

    answers = await asyncio.gather(
        patch(ours, report, text="目前，全县80%的村通了自来水。"),
        patch(theirs, complaint, text="夏天水压不稳定，这个问题比较多。"),
    )
    assert [status for status, _ in answers] == [200, 200]
    report, complaint = (body for _, body in answers)

    def is_told(events: list[Json]) -> bool:
        told = {each["id"]: each["text"] for body in events for each in body["segments"]}
        return all(told.get(each["id"]) == each["text"] for each in (report, complaint))

    for desk in (one, other):
        await eventually(partial(desk.of, "transcript.changed"), is_told, timeout_s=PATIENCE_S)
    await caption_becomes(story, report["id"], report["text"])

    texts = ("夏天水压不稳，这个问题比较多。", "夏天水压不稳定，反映的人比较多。")
    both = await asyncio.gather(
        *(patch(door, complaint, text=text) for door, text in zip((ours, theirs), texts, strict=True))
    )
    assert sorted(status for status, _ in both) == [200, 409]
    won = 0 if both[0][0] == 200 else 1
    problem = both[1 - won][1]
    assert (problem["code"], problem["segment"]["text"]) == ("edit_conflict", texts[won])
    status, after = await patch((ours, theirs)[1 - won], problem["segment"], text=texts[1])
    assert (status, after["text"]) == (200, texts[1])

    unsigned = await story.sitting.segment("水窖")
    assert unsigned["speaker"]["name"] == HALL
    speaker = {"invitee_id": story.invitees["王建国"]["id"]}
    status, signed = await patch(theirs, unsigned, speaker=speaker, is_unclear=True)
    assert (status, signed["speaker"]["name"], signed["is_unclear"]) == (200, "王建国", True)
    status, hidden = await patch(ours, await story.sitting.segment("病情"), is_confidential=True)
    assert (status, hidden["is_confidential"]) == (200, True)
    await caption_becomes(story, hidden["id"], "")


async def caption_becomes(story: Story, segment_id: str, text: str) -> None:
    """In the room."""
    chair = story.people["周正明"]
    await eventually(
        lambda: [
            each["text"] for each in chair.heard("caption.corrected") if each["segment_id"] == segment_id
        ],
        lambda texts: texts[-1:] == [text],
        timeout_s=PATIENCE_S,
        what=text,
    )


async def words_are_found(story: Story, other: Sitting) -> None:
    """Of two characters, here and in all consultations of the body; what is confidential by those who may read it."""
    desk = story.desk

    async def found(door: Door, path: str) -> list[tuple[str, str]]:
        items = (await door.good("GET", path))["items"]
        return [(each["consultation"]["id"], each["segment"]["speaker"]["name"]) for each in items]

    assert await found(desk, "/transcript/search?q=水压") == [(desk.cid, "王建国")]
    assert await found(desk, "/transcript/search?q=水鸭") == []
    assert await found(desk, "/transcript/search?q=病情") == [(desk.cid, "陈敏")]
    assert await found(desk.of("moderator", "审核员"), "/transcript/search?q=病情") == []
    everywhere = await found(story.sitting.staff, "/api/v1/transcripts/search?q=管网")
    assert sorted(everywhere) == sorted([(desk.cid, "陈敏"), (other.desk.cid, "何建国")])
