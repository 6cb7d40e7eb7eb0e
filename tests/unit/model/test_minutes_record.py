"""The record made of a sitting: each heading with what belongs below it, nothing confidential, no gap hidden."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conference.model.agenda import AgendaItem, AgendaKind
from conference.model.gap_reasons import GAP_WORDS, GapReason
from conference.model.minutes import Section
from conference.model.minutes_record import SIGNATURES, record_sections, summary_sections
from conference.model.minutes_speech import CONFIDENTIAL, UNCLEAR
from conference.model.minutes_words import numeral, quoted, span, titled
from conference.model.permissions import Role
from conference.model.sitting import GivenAnswer, Promoted
from conference.model.timeline import Stretch
from conference.model.transcript import Gap, GapState, SpeakerLabel
from tests.support.sittings import (
    CONSULTATION,
    END,
    MAIN,
    POINT,
    QUESTION,
    STARTED,
    ZONE,
    at,
    segment,
    sitting,
)


def record(**changes: Any) -> dict[str, Section]:
    return {each.key: each for each in record_sections(sitting(**changes), "钱文")}


def lines(section: Section) -> list[str]:
    return section.text.split("\n")


def test_who_where_and_when() -> None:
    said = {key: each.text for key, each in record().items()}
    assert said["name"] == "澄江市政协“推进县域养老服务高质量发展”远程协商会"
    assert said["topic"] == "推进县域养老服务高质量发展"
    assert said["time"] == "2026年11月20日（星期五）14:30—17:01（15:30—15:38休会）"
    assert said["place"] == (
        "远程视频协商；主会场：市政协议事厅；分会场：青禾县分会场（青禾县政协三楼会议室）；"
        "连线点：石桥村连线点（石桥村便民服务中心）；5人通过手机或电脑参会"
    )
    assert said["chair"] == "周正明（市政协副主席）"
    assert said["present"].split("\n") == [
        "委员5人\u3000林晓梅、何建国、吴志强、欧阳秀兰、马伟",
        "部门代表2人\u3000市民政局（副局长 王海涛）、市财政局（社保科科长 赵敏）",
        "专家1人\u3000刘思远（省社科院研究员）",
        "群众代表1人\u3000陈大伯（石桥村村民代表）",
    ]
    assert said["attending"] == "孙莉（市人大社会委）"
    assert said["excused"] == "李静"
    assert said["unseen"] == "黄立新（青禾县分会场）"
    assert said["recorder"] == "钱文"


def test_headings_follow_the_meeting_and_are_numbered() -> None:
    body = [each.heading for each in record_sections(sitting(), "钱文") if "、" in each.heading]
    assert body == [
        "一、议程",
        "二、开幕致辞",
        "三、市民政局通报全市养老服务工作情况",
        "四、委员发言",
        "五、互动讨论",
        "六、网友留言上会",
        "七、主持人总结",
        "八、书面发言",
        "九、议定事项",
    ]
    assert [each.key for each in record_sections(sitting(), "钱文")][-2:] == list(SIGNATURES)


def test_the_agenda_tells_real_times_and_what_never_had_its_turn() -> None:
    assert lines(record()["agenda"]) == [
        "1. 开幕致辞（周正明），14:30—14:39",
        "2. 市民政局通报全市养老服务工作情况，14:39—14:54",
        "3. 委员发言，14:54—15:30",
        "4. 互动讨论，15:38—15:39、15:42—16:40",
        "5. 委员提问（未进行）",
        "6. 主持人总结（周正明），16:40—17:01",
    ]


def test_a_speech_is_one_paragraph_with_who_spoke() -> None:
    first, *_ = lines(record()["item:a_talk"])
    assert first == (
        "林晓梅（市人民医院护理部主任）：村里的互助养老点，最缺的不是房子，是能上门、懂护理的人。"
        "我们走访的32个村，持证护理员平均每村不到1名。"
        "建议由市人民医院牵头，与县职教中心合办护理员培训班，三年内为每个村培养两名本地护理员。"
    )
    assert record()["item:a_talk"].source == "a_talk"


def test_a_name_is_introduced_once_below_a_heading() -> None:
    talk = [
        segment(1, "周正明", at(70), at(70.1), "请民政局。", item_id="a_discuss"),
        segment(2, "市民政局", at(70.2), at(70.3), "好的。", item_id="a_discuss"),
        segment(3, "周正明", at(70.4), at(70.5), "谢谢。", item_id="a_discuss"),
    ]
    assert lines(record(segments=talk, gaps=())["item:a_discuss"]) == [
        f"周正明（市政协副主席，{MAIN}）：请民政局。",
        f"市民政局（副局长 王海涛，{MAIN}）：好的。",
        "周正明：谢谢。",
    ]


def test_a_long_speech_gets_paragraphs() -> None:
    talk = [
        segment(n, "林晓梅", at(25) + n * 5000, at(25) + n * 5000 + 4500, "字" * 99 + "。", item_id="a_talk")
        for n in range(9)
    ]
    found = [each for each in lines(record(segments=talk)["item:a_talk"]) if "字字" in each]
    assert [each.count("。") for each in found] == [4, 4, 1]
    assert [each.startswith("林晓梅") for each in found] == [True, False, False]


def test_nothing_confidential_and_nothing_unclear_passes_for_certain() -> None:
    said = record()["item:a_discuss"].text
    assert "病情" not in said
    assert f"〔费用测算在后面的附表里。〕{UNCLEAR}{CONFIDENTIAL}" in said
    assert "青禾县分会场（发言人待确认）：我补充一句" in said


def test_confidential_passages_in_a_row_are_one_remark() -> None:
    talk = [
        segment(n, "林晓梅", at(25 + n), at(25.5 + n), "病情。", item_id="a_talk", is_confidential=True)
        for n in range(3)
    ]
    (found,) = [each for each in lines(record(segments=talk)["item:a_talk"]) if each.startswith("林晓梅")]
    assert found == f"林晓梅（市人民医院护理部主任）：{CONFIDENTIAL}"


def test_what_the_public_asked_stands_with_what_was_said_and_answered() -> None:
    question, chair, answer, gap, written = lines(record()["item:a_promo"])
    assert question == f"网友“晨光”（青禾县）留言，同类留言共126人：“{QUESTION}”"
    assert chair.startswith("周正明（市政协副主席，市政协议事厅）：刚才有一百二十六位网友")
    assert answer.startswith("市民政局（副局长 王海涛，市政协议事厅）：助餐点可以用现金")
    assert gap == f"（15:40:40至15:40:58，{POINT}：连线中断）"
    assert written == (
        "市民政局（2026年11月25日书面答复）：所有助餐点保留现金付款，已发文要求12月10日前整改到位。"
    )


def test_an_answer_for_the_askers_alone_is_not_told() -> None:
    promoted = Promoted("a_promo", 1, (GivenAnswer("市民政局", None, STARTED),))
    question, *_, answer = lines(record(promotions=[promoted])["item:a_promo"])
    assert "同类留言" not in question
    assert answer == "市民政局（2026年11月20日书面答复）：已答复提问人，内容不公开。"


def test_written_statements_are_part_of_it_and_private_notes_are_not() -> None:
    assert lines(record()["statements"]) == [
        "欧阳秀兰（委员，15:11）：建议把村级互助养老点的运营经费列入县级财政预算，按服务人次补助。",
        "市财政局（部门代表，市政协议事厅，15:14，回复欧阳秀兰）：将在编制明年预算时研究。",
    ]


def test_a_turn_without_text_is_told_with_its_time() -> None:
    assert "马伟（委员）：（15:20:00至15:23:00发言，没有文字）" in lines(record()["item:a_talk"])


def test_without_any_text_the_floor_tells_who_spoke() -> None:
    said = record(segments=(), gaps=())["item:a_talk"].text
    assert said.split("\n") == [
        "林晓梅（委员）：（14:54:18至15:01:36发言，没有文字）",
        "马伟（委员）：（15:20:00至15:23:00发言，没有文字）",
    ]


def test_a_gap_nobody_noted_says_that_nothing_was_caught() -> None:
    gap = Gap("c", "p_1", "林晓梅", at(25), at(26), GapState.FAILED)
    assert "（14:55:00至14:56:00，林晓梅：没有录到文字）" in lines(record(gaps=[gap])["item:a_talk"])


@pytest.mark.parametrize("reason", GapReason)
def test_a_gap_nobody_noted_says_what_the_server_knows(reason: GapReason) -> None:
    gap = Gap("c", "p_1", "林晓梅", at(25), at(26), GapState.LOST, reason)
    assert f"（14:55:00至14:56:00，林晓梅：{GAP_WORDS[reason]}）" in lines(record(gaps=[gap])["item:a_talk"])
    noted = replace(gap, state=GapState.WAIVED, note="休会")
    assert "（14:55:00至14:56:00，林晓梅：休会）" in lines(record(gaps=[noted])["item:a_talk"])


def test_without_an_agenda_all_speeches_stand_below_one_heading() -> None:
    talk = [segment(1, "林晓梅", at(1), at(2), "大家好。")]
    found = record(agenda=(), stretches=(), segments=talk, promotions=(), gaps=())
    assert found["item:"].heading == "一、发言"
    assert "agenda" not in found


def test_what_was_said_before_the_first_item_is_not_lost() -> None:
    early = segment(1, "林晓梅", at(1), at(2), "听得到吗？")
    found = record(stretches=[Stretch("a_talk", "", at(24), at(60))], segments=[early])
    assert found["item:"].heading == "二、议程以外的发言"
    assert "听得到吗" in found["item:"].text


def test_a_hundred_items_have_their_speeches_too() -> None:
    items = [AgendaItem(f"a_{n}", f"议题{n}", AgendaKind.SPEECH) for n in range(120)]
    found = record(
        agenda=items,
        stretches=[Stretch(each.id, "", at(n), at(n + 1)) for n, each in enumerate(items)],
        segments=[
            segment(n, "林晓梅", at(n), at(n + 0.5), f"第{n}句。", item_id=f"a_{n}") for n in range(120)
        ],
        gaps=(),
    )
    said = "\n".join(each.text for each in found.values())
    assert all(f"第{n}句。" in said for n in range(120))
    assert found["item:rest"].heading.startswith("九十七、")


def test_who_came_by_several_doors_is_counted_once() -> None:
    base = sitting()
    twin = replace(base.record.participants[1], id="p_77")
    people = [*base.people, replace(base.people[1], participant=twin)]
    assert record(people=people)["present"].text.startswith("委员5人")


def test_a_meeting_that_goes_on_has_no_end() -> None:
    base = sitting()
    live = replace(base.record, consultation=replace(CONSULTATION, ended_at_ms=None), now_ms=END)
    assert record(record=live)["time"].text.startswith("2026年11月20日（星期五）14:30（")


def test_the_summary_is_to_be_written_and_its_facts_are_there() -> None:
    found = {each.key: each for each in summary_sections(sitting(), "钱文")}
    assert [each.heading for each in found.values() if "、" in each.heading] == [
        "一、会议认为",
        "二、意见和建议",
        "三、议定事项",
    ]
    assert found["findings"].text == found["proposals"].text == found["decisions"].text == ""
    assert found["opening"].text == (
        "2026年11月20日下午，澄江市政协以远程协商方式召开“推进县域养老服务高质量发展”协商会。"
        "周正明（市政协副主席）主持会议。委员5人、部门代表2人、专家1人、群众代表1人参加。"
        "现将会议主要情况纪要如下："
    )
    assert "unseen" not in found
    said = "".join(each.text for each in found.values())
    assert all(each.text not in said for each in sitting().segments)


@pytest.mark.parametrize(
    ("value", "said"), [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (42, "四十二"), (99, "九十九")]
)
def test_numerals(value: int, said: str) -> None:
    assert numeral(value) == said


def test_words() -> None:
    assert titled("市民政局", "市民政局", None, "", "副局长") == "市民政局（副局长）"
    assert titled("张三", "") == "张三"
    assert quoted("关于“三农”的协商") == "“关于‘三农’的协商”"
    assert (
        span(STARTED, STARTED + 10 * 3_600_000, ZONE) == "2026年11月20日（星期五）14:30—2026年11月21日00:30"
    )


def test_a_speaker_without_a_title_is_named_by_role() -> None:
    speaker = SpeakerLabel("李四", Role.EXPERT)
    talk = [segment(1, "李四", at(25), at(26), "我同意。", item_id="a_talk", speaker=speaker)]
    assert "李四（专家）：我同意。" in record(segments=talk)["item:a_talk"].text
