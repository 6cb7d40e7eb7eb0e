"""The sitting itself: who comes, what is said, written and asked, and a stretch in which nothing is recognised."""

from __future__ import annotations

import asyncio

from tests.support.eventually import eventually
from tests.support.spoken_session import PATIENCE_S, Door, Sitting
from tests.support.spoken_story.story import (
    ADVICE,
    AGENDA,
    ANSWER,
    CAUGHT,
    COMPLAINT,
    HALL,
    MAIN,
    MISSED,
    NOTE,
    QUESTION,
    REPLY,
    REPORT,
    SECRET,
    STATEMENT,
    TITLE,
    UNHEARD,
    UNSIGNED,
    WELCOME,
    Story,
)


async def prepare(story: Story) -> None:
    """Halls, people who come, one who is excused and one who is not, and the body's own terms."""
    sitting = story.sitting
    await sitting.prepare(TITLE, [], AGENDA)
    main = await story.desk.good("POST", "/venues", {"name": MAIN, "kind": "main", "place": "县城"})
    hall = await story.desk.good("POST", "/venues", {"name": HALL, "kind": "branch", "place": "河口镇"})
    story.invitees[HALL] = hall
    for name, role, title, more in (
        ("周正明", "chair", "县政协副主席", {"venue_id": main["id"]}),
        ("陈敏", "member", "县医院主任医师", {"sector": "医药卫生界"}),
        ("王建国", "member", "河口镇中学教师", {"venue_id": hall["id"]}),
        ("赵志强", "department", "县水利局局长", {}),
        ("李倩", "member", "", {"excused": True}),
        ("孙立", "member", "", {}),
    ):
        story.invitees[name] = await sitting.invite(name=name, role=role, title=title, **more)
    owner = (await sitting.staff.good("GET", "/api/v1/sessions/current"))["organization"]["id"]
    body_terms = {"items": [{"wrong": "官网", "right": "管网"}]}
    await sitting.staff.good("PUT", f"/api/v1/organizations/{owner}/terms", body_terms)


async def speak_elsewhere(sitting: Sitting) -> None:
    """Another consultation of the same body."""
    await sitting.prepare("农村饮水安全", [{"name": "何建国", "role": "chair"}], AGENDA[:1])
    await sitting.open()
    link = (await sitting.desk.good("GET", "/invitees"))["items"][0]["link"]
    speaker = await sitting.enter(link)
    await speaker.open_microphone()
    await speaker.captions_are("on")
    speaker.voice.say(ADVICE)
    await speaker.sees("我建议把老旧管网改造列入明年的重点项目。")
    await sitting.desk.good("POST", "/end")


async def hold(story: Story) -> None:
    """Everything that is said is seen at once, under the right name."""
    await story.sitting.open()
    people = story.people
    for name in ("周正明", "陈敏", "王建国", "赵志强", HALL):
        people[name] = await story.sitting.enter(story.invitees[name]["link"])
    chair = people["周正明"]
    await asyncio.gather(*(people[name].open_microphone() for name in ("周正明", "陈敏", "赵志强", HALL)))
    await chair.captions_are("on")
    await story.say("周正明", WELCOME, "各位委员大家上午好。")
    report, discussion, _ = (await story.desk.good("GET", "/agenda"))["items"]

    await chair.request("agenda.start", {"item_id": report["id"]})
    await with_floor(story, "赵志强", "赵志强", REPORT, "目前全县80%的村通了自来水。")
    await chair.request("agenda.start", {"item_id": discussion["id"]})
    await with_floor(story, "陈敏", "陈敏", ADVICE, "我建议把老旧管网改造列入明年的重点项目。")
    # He sits in the hall and speaks into its microphone; without the floor nobody knows who speaks there.
    await with_floor(story, "王建国", HALL, COMPLAINT, "夏天水鸭不稳定的问题比较多。")
    await story.say(HALL, UNSIGNED, "我们镇还有三个村靠水窖。")
    rows = {each["id"]: each for each in await story.sitting.segments()}
    assert [each["speaker"]["is_certain"] for each in rows.values()] == [True, True, True, True, False]
    finals = chair.heard("caption.final")
    assert finals
    for each in finals:
        row = rows[each["segment_id"]]
        assert all(row[key] == each[key] for key in ("participant_id", "text", "start_ms", "end_ms"))
        assert row["speaker"]["name"] == each["speaker"]["name"]
    assert any(each["text"] for each in chair.heard("caption.partial")), "it is shown while it is being said"


async def with_floor(story: Story, who: str, microphone: str, sentence: tuple[str, int], text: str) -> None:
    chair = story.people["周正明"]
    await chair.request("floor.grant", {"participant_id": story.people[who].participant_id})
    await story.say(microphone, sentence, text, who)
    await chair.request("floor.end")


async def has_line(story: Story, action: str) -> bool:
    return bool((await story.desk.good("GET", f"/audit?action={action}"))["items"])


async def go_on(story: Story) -> None:
    """Who left comes back; what is written is as much part of it as what is said."""
    people = story.people
    people["陈敏"] = await story.sitting.enter(story.invitees["陈敏"]["link"])
    await people["陈敏"].open_microphone()
    await story.say("陈敏", SECRET, "个别老人的病情我就不点名了。")
    said = await people["王建国"].request("statement.add", {"text": STATEMENT, "key": "s" * 8})
    await people["王建国"].request("statement.add", {"text": NOTE, "key": "p" * 8, "private": True})
    await people["周正明"].request("statement.take", {"id": said["statement"]["id"], "taken": True})
    await answer_the_public(story)
    assert people["周正明"].version_holes == 0
    await story.desk.good("POST", "/end")


async def answer_the_public(story: Story) -> None:
    """A comment is put to the session, answered by word of mouth, and later in writing."""
    desk, server = story.desk, story.sitting.server
    comments = f"/api/v1/public/consultations/{desk.cid}/comments"
    comment = {"nickname": "老李", "text": QUESTION, "region": "柳塘街道", "program_time_ms": 0}
    made = await desk.good("POST", comments, comment)
    await desk.good("POST", f"/comments/{made['id']}/approve")
    department = await desk.good("POST", "/departments", {"name": "县水利局"})
    promoted = await desk.of("chair", "周正明").good("POST", f"/comments/{made['id']}/promote")
    await story.say("赵志强", REPLY, "泵站月底以前换好。")
    await desk.good("POST", f"/promotions/{promoted['promotion']['id']}/end")
    (case,) = (await desk.good("GET", "/responses"))["items"]
    await desk.good("POST", f"/responses/{case['id']}/assign", {"department_id": department["id"]})
    link = (await desk.good("GET", f"/departments/{department['id']}/link"))["url"]
    door = Door(desk.http, server, desk.cid, f"dept.{link.rpartition('/')[2]}")
    await door.good("POST", f"/api/v1/department/cases/{case['id']}/answer", {"text": ANSWER})
    await desk.good("POST", f"/responses/{case['id']}/approve")


async def interrupt(story: Story) -> None:
    """For a while nothing is recognised. What was recorded is caught up with, but two files are out of reach."""
    sitting, people = story.sitting, story.people
    await sitting.switch_captions(on=False)
    chair, member, hall = people["周正明"], people["陈敏"], people[HALL]
    await chair.captions_are("off")
    await eventually(lambda: has_line(story, "captions.ended"), timeout_s=PATIENCE_S, every_s=0.2)
    sent = chair.voice.packets
    await eventually(
        lambda: chair.voice.packets > sent + 50, timeout_s=PATIENCE_S, what="a second of silence"
    )
    chair.voice.say(CAUGHT)
    member.voice.say(MISSED)
    hall.voice.say(UNHEARD)
    speaking = (chair.voice, member.voice, hall.voice)
    await eventually(lambda: all(each.silent_ms > 600 for each in speaking), timeout_s=PATIENCE_S)
    for each in (member, hall):
        await each.leave()
    story.taken_away = await sitting.take_away(member, hall)
    await sitting.switch_captions(on=True)
    await chair.captions_are("on")
