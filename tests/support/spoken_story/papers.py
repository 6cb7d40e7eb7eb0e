"""The record on paper: every field of it, and what must not stand in it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tests.support.docx_files import opened, words
from tests.support.read_minutes import paragraphs, printed, unblanked
from tests.support.spoken_session import Json
from tests.support.spoken_story.story import (
    ANSWER,
    BROKEN,
    DECISION,
    HALL,
    MAIN,
    NOTE,
    QUESTION,
    REASON,
    STATEMENT,
    TITLE,
    Story,
)

ZONE: Final = ZoneInfo("Asia/Shanghai")
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
    noted = "；".join(f"{elapsed(each)} {each['name']}，{shown[each['name']]}" for each in gaps)
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


def elapsed(gap: Json) -> str:
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
