"""One sitting in Chinese from the first word to frozen minutes: real sound, a scripted engine, and every door between.

What is said becomes captions; two editors correct it at once; terms and search; a stretch that cannot be recognised
stands in the way of approval; the record is made, approved, printed, reopened, and archived with everything else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from tests.support.docx_files import opened, words
from tests.support.eventually import eventually
from tests.support.media import ROOT
from tests.support.read_minutes import paragraphs, printed, unblanked
from tests.support.scripted_recognizer import FACTORY
from tests.support.server import Server
from tests.support.spoken_session import PATIENCE_S, Door, Json, Sitting, Speaker, script
from tests.unit.signaling.harness import Client

ZONE: Final = ZoneInfo("Asia/Shanghai")
WELCOME: Final = ("各位 委员 大家 上午 好", 900)
REPORT: Final = ("目前 全县 百分之八十 的 村 通 了 自来水", 1_200)
ADVICE: Final = ("我 建议 把 老旧 官网 改造 列入 明年 的 重点 项目", 1_500)
COMPLAINT: Final = ("夏天 水鸭 不 稳定 的 问题 比较 多", 1_800)
UNSIGNED: Final = ("我们 镇 还有 三个 村 靠 水窖", 2_100)
SECRET: Final = ("个别 老人 的 病情 我 就 不 点名 了", 2_400)
REPLY: Final = ("泵站 月底 以前 换 好", 2_700)
CAUGHT: Final = ("录音 里 补上 的 这 句 话", 3_000)
MISSED: Final = ("水费 怎么 收 也 要 听 群众 的", 3_300)
UNHEARD: Final = ("停电 以后 说 的 话", 3_600)
SENTENCES: Final = (
    *(WELCOME, REPORT, ADVICE, COMPLAINT, UNSIGNED),
    *(SECRET, REPLY, CAUGHT, MISSED, UNHEARD),
)
TITLE: Final = "推进城乡供水一体化"
HALL: Final = "河口镇分会场"
MAIN: Final = "县政协议事厅"
AGENDA: Final = (
    {"title": "县水利局通报供水情况", "kind": "report", "speaker": "赵志强"},
    {"title": "委员协商", "kind": "discussion"},
    {"title": "总结", "kind": "summary"},
)
QUESTION: Final = "三楼以上没有水，泵站什么时候修？"
ANSWER: Final = "泵站已列入本月检修，12月10日前完工。"
STATEMENT: Final = "附上河口镇中学的用水记录。"
NOTE: Final = "这一条只给秘书处看。"
BROKEN: Final = "现场停电，设备断开"
REASON: Final = "录音正在修复，先行批准"
BLANK: Final = "\u3000"
FONTS: Final[dict[str, set[tuple[str, ...]]]] = {
    "Title": {("方正小标宋简体",)},
    "公文事项": {("黑体", "仿宋_GB2312"), ("仿宋_GB2312",)},
    "Heading 1": {("黑体",)},
    "公文发言": {("黑体", "仿宋_GB2312")},
    "Normal": {("仿宋_GB2312",), ("楷体_GB2312", "仿宋_GB2312")},
    "公文签署": {("黑体", "仿宋_GB2312")},
    "公文附注": {("仿宋_GB2312",)},
}
DECISION: Final = "（一）改造老旧管网。由县水利局牵头，明年6月底前完成。"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = script(tmp_path_factory.mktemp("model") / "zh-script", SENTENCES)
    arguments = ["--demo", "--time-zone", "Asia/Shanghai"]
    arguments += ["--speech-model", str(folder), "--speech-engine", FACTORY]
    with Server(arguments=arguments, environment={"PYTHONPATH": str(ROOT)}) as running:
        yield running


@dataclass
class Story:
    """Who is there, and what the parts of the test tell each other."""

    sitting: Sitting
    people: dict[str, Speaker] = field(default_factory=dict)
    invitees: dict[str, Json] = field(default_factory=dict)
    taken_away: list[Path] = field(default_factory=list)

    @property
    def desk(self) -> Door:
        return self.sitting.desk

    async def say(self, who: str, sentence: tuple[str, int], text: str, name: str = "") -> Json:
        """Spoken into that microphone; its row. Of a machine with too much to do it may come from the recording."""
        self.people[who].voice.say(sentence)
        row = await eventually(
            partial(self.sitting.segment, text), timeout_s=PATIENCE_S, every_s=0.2, what=text
        )
        assert row["participant_id"] == self.people[who].participant_id
        assert row["speaker"]["name"] == (name or who)
        return row


@pytest.fixture
async def story(server: Server) -> AsyncIterator[Story]:
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http,
        AsyncExitStack() as stack,
    ):
        yield Story(Sitting(http, server, stack))


@pytest.mark.timeout(300)
async def test_from_the_first_word_to_frozen_minutes(story: Story, server: Server, tmp_path: Path) -> None:
    await prepare(story)
    async with AsyncExitStack() as stack:
        other = Sitting(story.sitting.http, server, stack)
        async with asyncio.TaskGroup() as group:
            group.create_task(speak_elsewhere(other))
            group.create_task(hold(story))
        await interrupt(story)
        await go_on(story)
        editors = [await story.sitting.sit_down(each) for each in (story.desk, organizer(story))]
        await terms_change_what_nobody_corrected(story)
        await two_correct_at_once(story, *editors)
        await words_are_found(story, other)
    approved = await approve_despite_gaps(story)
    first = await read_first_version(story, approved)
    await archive_is_intact(story, approved, tmp_path)
    await approve_second_version(story, first)


# ── the sitting ─────────────────────────────────────────────────────────────────────────────────


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


# ── the transcript ──────────────────────────────────────────────────────────────────────────────


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


# ── minutes ─────────────────────────────────────────────────────────────────────────────────────


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


async def read_first_version(story: Story, approved: Json) -> list[str]:
    """Every field of the DOCX, and the PDF beside it; the words of the DOCX."""
    files = ("/minutes.docx?kind=record", "/minutes.pdf?kind=record")
    data, paper = await asyncio.gather(*(story.desk.file(each) for each in files))
    document, found = opened(data), paragraphs(data)
    section = document.sections[0]
    margins = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    assert [round(each.mm) for each in margins] == [37, 35, 28, 26]
    assert [round(each.mm) for each in (section.page_width, section.page_height)] == [210, 297]
    assert document.core_properties.title == f"“{TITLE}”远程协商会会议记录"
    for style, fonts in FONTS.items():
        assert {each.fonts for each in found if each.style == style} <= fonts, style
    consultation = await story.desk.good("GET", "")
    began, ended = (_local(consultation[key]) for key in ("started_at_ms", "ended_at_ms"))
    gaps = approved["approval"]["gaps"]
    shown = {"陈敏": "录音读不出来", HALL: BROKEN}
    noted = "；".join(f"{_elapsed(each)} {each['name']}，{shown[each['name']]}" for each in gaps)
    assert [(each.style, each.text) for each in found] == [
        ("Title", f"“{TITLE}”"),
        ("Title", "远程协商会会议记录"),
        ("公文事项", f"会议名称：澄川市政协“{TITLE}”远程协商会"),
        ("公文事项", f"议题：{TITLE}"),
        (
            "公文事项",
            f"时间：{_day(began)}（星期{'一二三四五六日'[began.weekday()]}）{began:%H:%M}—{ended:%H:%M}",
        ),
        (
            "公文事项",
            f"地点与方式：远程视频协商；主会场：{MAIN}（县城）；分会场：{HALL}（河口镇）；2人通过手机或电脑参会",
        ),
        ("公文事项", "主持人：周正明（县政协副主席）"),
        ("公文事项", "出席：委员2人\u3000陈敏、王建国"),
        ("公文事项", "部门代表1人\u3000赵志强（县水利局局长）"),
        ("公文事项", "请假：李倩"),
        ("公文事项", "未签到：孙立"),
        ("公文事项", "记录人：演示秘书"),
        ("Heading 1", "一、议程"),
        *[("Normal", line) for line in await agenda_lines(story, began)],
        ("Heading 1", "二、议程以外的发言"),
        ("公文发言", f"周正明（县政协副主席，{MAIN}）：各位委员大家上午好。"),
        ("Heading 1", "三、县水利局通报供水情况"),
        ("公文发言", "赵志强（县水利局局长）：目前，全县80%的村通了自来水。"),
        ("Heading 1", "四、委员协商"),
        ("公文发言", "陈敏（县医院主任医师）：我建议把老旧管网改造列入明年的重点项目。"),
        (
            "公文发言",
            f"王建国（河口镇中学教师，{HALL}）：夏天水压不稳定，反映的人比较多。〔我们镇还有三个村靠水窖。〕（此处不清）",
        ),
        *[("Normal", _missing(began, each, shown[each["name"]])) for each in gaps],
        ("公文发言", f"周正明（县政协副主席，{MAIN}）：录音里补上的这句话。"),
        ("公文发言", "陈敏：（此处内容不公开，略）"),
        ("Heading 1", "五、网友留言上会"),
        ("公文发言", f"网友“老李”（柳塘街道）留言：“{QUESTION}”"),
        ("公文发言", "赵志强（县水利局局长）：泵站月底以前换好。"),
        ("公文发言", f"县水利局（{_day(ended)}书面答复）：{ANSWER}"),
        ("Heading 1", "六、书面发言"),
        ("公文发言", f"王建国（委员，{HALL}，{await stated(story)}，已在会上说明）：{STATEMENT}"),
        ("Heading 1", "七、议定事项"),
        ("Normal", DECISION),
        ("公文签署", f"审核：演示秘书{BLANK * 6}年{BLANK * 2}月{BLANK * 2}日"),
        ("公文签署", f"签字：{BLANK * 10}年{BLANK * 2}月{BLANK * 2}日"),
        *[("公文附注", line) for line in sign(approved["approval"], version=1)],
        ("公文附注", f"转写稿有2处缺口（会议时间）：{noted}。"),
        ("公文附注", f"有缺口仍批准的理由：{REASON}"),
    ]
    assert printed(paper) == unblanked("".join(each.text for each in found))
    assert_nothing_secret("".join(words(data)))
    return words(data)


async def agenda_lines(story: Story, began: datetime) -> list[str]:
    """Each item with its times, to minutes; what a comment interrupted has two."""
    report, discussion, comment, _ = (await story.desk.good("GET", "/agenda"))["items"]

    def span(from_ms: int, to_ms: int) -> str:
        return f"{_at(began, from_ms):%H:%M}—{_at(began, to_ms):%H:%M}"

    parts = dict.fromkeys(
        (
            span(discussion["started_at_ms"], comment["started_at_ms"]),
            span(comment["ended_at_ms"], discussion["ended_at_ms"]),
        )
    )
    return [
        f"1. 县水利局通报供水情况（赵志强），{span(report['started_at_ms'], report['ended_at_ms'])}",
        f"2. 委员协商，{'、'.join(parts)}",
        "3. 总结（未进行）",
    ]


async def stated(story: Story) -> str:
    """When the statement was made, by the clock on the wall."""
    statements = (await story.desk.good("GET", "/statements"))["items"]
    return f"{_local(next(each['at_wall_ms'] for each in statements if each['text'] == STATEMENT)):%H:%M}"


def sign(approval: Json, *, version: int) -> list[str]:
    """The line about the trace."""
    at, digest = _local(approval["at_wall_ms"]), approval["head_hash"]
    grouped = " ".join(digest[place : place + 8] for place in range(0, len(digest), 8))
    return [
        f"周正明于{_day(at)}{at:%H:%M}批准，第{version}版。留痕第{approval['head_number']:,}条，校验值{grouped}"
    ]


def assert_nothing_secret(text: str) -> None:
    for secret in ("病情", "点名", NOTE, "官网", "水鸭", "停电以后"):
        assert secret not in text


def _missing(began: datetime, gap: Json, note: str) -> str:
    from_at, to_at = (_at(began, gap[key]) for key in ("from_ms", "to_ms"))
    return f"（{from_at:%H:%M:%S}至{to_at:%H:%M:%S}，{gap['name']}：{note}）"


def _elapsed(gap: Json) -> str:
    return "至".join(
        f"{gap[key] // 3_600_000:02}:{gap[key] // 60_000 % 60:02}:{gap[key] // 1000 % 60:02}"
        for key in ("from_ms", "to_ms")
    )


def _local(wall_ms: int) -> datetime:
    return datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone(ZONE)


def _at(began: datetime, program_ms: int) -> datetime:
    return began + timedelta(milliseconds=program_ms)


def _day(at: datetime) -> str:
    return f"{at.year}年{at.month}月{at.day}日"


# ── afterwards ──────────────────────────────────────────────────────────────────────────────────


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
        f"转写稿有1处缺口（会议时间）：{_elapsed(second['approval']['gaps'][0])} {HALL}，{BROKEN}。",
    ]
    assert_nothing_secret("".join(newest))
    versions = (await desk.good("GET", "/minutes"))["versions"]
    assert [(each["version"], each["state"]) for each in versions] == [(1, "approved"), (2, "approved")]
