"""Minutes and transcripts as DOCX and PDF: the layout of GB/T 9704-2012, every field, nothing of the data as markup."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any, Final

import msgspec
import pypdf
import pytest

from conference.model.errors import ConferenceError
from conference.model.minutes import Approval, Minutes, MinutesKind, MinutesState, PrintedGap, Section
from conference.model.minutes_record import record_sections, summary_sections
from conference.model.transcript import GapState
from signaling.documents import docx_styles as styles
from signaling.documents.client import DocumentWorkers
from signaling.documents.docx_writer import write
from signaling.documents.messages import Block, Document, Style
from signaling.documents.minutes_sheet import document_name, minutes_document
from signaling.documents.titles import title_of
from signaling.documents.transcript_sheet import NOTICE, transcript_document
from signaling.paper.client import PaperWorkers
from signaling.tables.messages import Kind
from signaling.tables.transcript_layouts import transcript_sheets
from tests.support.docx_files import W, opened, part, words
from tests.support.sittings import CONSULTATION, END, POINT, STARTED, ZONE, agenda, at, segments, sitting

RECORD: Final = Minutes(
    "m",
    "c",
    MinutesKind.RECORD,
    1,
    MinutesState.DRAFT,
    1,
    record_sections(sitting(), "钱文"),
    "钱文",
    STARTED + END,
)
APPROVAL: Final = Approval(
    "周正明",
    STARTED + END + 3_600_000,
    1_234,
    "ab12cd34" * 8,
    (PrintedGap(POINT, at(70.68), at(70.98), GapState.LOST, "连线中断"),),
    "没有录音",
)
APPROVED: Final = replace(RECORD, state=MinutesState.APPROVED, reviewed_by="钱文", approval=APPROVAL)


def made(minutes: Minutes) -> bytes:
    return write(minutes_document(minutes, CONSULTATION, ZONE))


def fonts(style: Any) -> tuple[str, float]:
    """East Asian font and size of a style."""
    return style.element.rPr.rFonts.get(f"{W}eastAsia"), style.font.size.pt


# ── layout ──────────────────────────────────────────────────────────────────────────────────────


def test_the_page_is_that_of_official_documents() -> None:
    section = opened(made(RECORD)).sections[0]
    page = (section.page_width.mm, section.page_height.mm)
    assert [round(each) for each in page] == [210, 297]
    assert [round(each.mm) for each in (section.top_margin, section.left_margin)] == [37, 28]
    width = section.page_width.mm - section.left_margin.mm - section.right_margin.mm
    height = section.page_height.mm - section.top_margin.mm - section.bottom_margin.mm
    assert (round(width), round(height)) == (156, 225)


@pytest.mark.parametrize(
    ("style", "font", "size_pt", "line_pt"),
    [
        ("Title", "方正小标宋简体", 22, 36),
        ("Normal", "仿宋_GB2312", 16, 28),
        ("Heading 1", "黑体", 16, 28),
        ("Heading 2", "楷体_GB2312", 16, 28),
        ("公文事项", "仿宋_GB2312", 16, 28),
        ("公文发言", "仿宋_GB2312", 16, 28),
    ],
)
def test_styles_name_fonts_for_chinese(style: str, font: str, size_pt: int, line_pt: int) -> None:
    found = opened(made(RECORD)).styles[style]
    assert fonts(found) == (font, size_pt)
    assert found.paragraph_format.line_spacing.pt == line_pt
    assert found.element.rPr.rFonts.get(f"{W}asciiTheme") is None
    assert found.font.color.rgb is None


def test_a_full_page_has_22_lines_of_28_characters() -> None:
    assert 22 * styles.LINE_PT <= 225 / 25.4 * 72
    closer_pt = int(opened(made(RECORD)).styles["Normal"].element.rPr.find(f"{W}spacing").get(f"{W}val")) / 20
    assert 28 * (styles.BODY_PT + closer_pt) <= 156 / 25.4 * 72 < 29 * (styles.BODY_PT + closer_pt)


def test_page_numbers_stand_between_dashes_at_the_outer_edge() -> None:
    document = opened(made(RECORD))
    section = document.sections[0]
    assert document.settings.odd_and_even_pages_header_footer
    for footer, side in ((section.footer, 2), (section.even_page_footer, 0)):
        (paragraph,) = footer.paragraphs
        assert (paragraph.alignment, paragraph.text) == (side, "—  —")
        assert "PAGE" in paragraph._p.xml
        assert {run.font.size.pt for run in paragraph.runs} == {14}


def test_quotation_marks_are_chinese_ones_and_fonts_have_substitutes() -> None:
    data = made(RECORD)
    runs = [run for paragraph in opened(data).paragraphs for run in paragraph.runs]
    assert {run._r.rPr.rFonts.get(f"{W}hint") for run in runs} == {"eastAsia"}
    assert (
        '<w:font w:name="仿宋_GB2312"><w:altName w:val="仿宋"/>' in part(data, "word/fontTable.xml").decode()
    )


def test_headings_are_headings_for_readers_and_programs() -> None:
    document = opened(made(RECORD))
    assert [each.text for each in document.paragraphs if each.style.name == "Heading 1"][:3] == [
        "一、议程",
        "二、开幕致辞",
        "三、市民政局通报全市养老服务工作情况",
    ]
    assert [each.text for each in document.paragraphs if each.style.name == "Title"] == [
        "“推进县域养老服务高质量发展”",
        "远程协商会会议记录",
    ]
    assert document.core_properties.title == "“推进县域养老服务高质量发展”远程协商会会议记录"
    assert document.core_properties.author == "澄江市政协"


# ── what stands in it ───────────────────────────────────────────────────────────────────────────


def test_every_field_and_speech_of_the_record_stands_in_it() -> None:
    said = "\n".join(words(made(RECORD)))
    for line in (
        "会议名称：澄江市政协“推进县域养老服务高质量发展”远程协商会",
        "时间：2026年11月20日（星期五）14:30—17:01（15:30—15:38休会）",
        "主持人：周正明（市政协副主席）",
        "出席：委员5人\u3000林晓梅、何建国、吴志强、欧阳秀兰、马伟",
        "请假：李静",
        "记录人：钱文",
        "（15:40:40至15:40:58，石桥村连线点：连线中断）",
        "九、议定事项",
        "（待填写）",
    ):
        assert line in said
    for section in RECORD.sections:
        assert all(line in said for line in section.text.split("\n"))
    assert "病情" not in said


def test_a_draft_says_that_it_is_one_and_approved_minutes_bear_the_trace() -> None:
    draft, final = words(made(RECORD)), words(made(APPROVED))
    assert draft[2] == "（草稿，2026年11月20日17:01）"
    assert draft[-1] == "本稿未经批准。"
    assert final[2].startswith("会议名称")
    assert final[-3:] == [
        f"周正明于2026年11月20日18:01批准，第1版。留痕第1,234条，校验值{' '.join(['ab12cd34'] * 8)}",
        "转写稿有1处缺口（会议时间）：01:10:40至01:10:58 石桥村连线点，连线中断。",
        "有缺口仍批准的理由：没有录音",
    ]
    assert "九、议定事项" not in final, "an empty heading is not printed"
    assert any(each.startswith("审核：钱文") for each in final)
    complete = replace(APPROVED, version=2, approval=replace(APPROVAL, gaps=(), despite_gaps_reason=""))
    assert words(made(complete))[-1] == "转写稿没有缺口。"
    assert words(made(complete))[2] == "（第2版）"
    silent = PrintedGap("全场", 0, 60_000, GapState.LOST, "本次会议没有转写")
    untold = replace(APPROVED, approval=replace(APPROVAL, gaps=(silent,)))
    assert words(made(untold))[-2:] == ["本次会议没有转写。", "有缺口仍批准的理由：没有录音"]


def test_points_of_the_summary_are_second_headings() -> None:
    sections = summary_sections(sitting(), "钱文")
    text = "（一）增加班车。由交通局负责。\n（二）保留现金付款\n一般的话。"
    minutes = replace(
        RECORD,
        kind=MinutesKind.SUMMARY,
        sections=tuple(replace(each, text=text) if each.key == "decisions" else each for each in sections),
    )
    found = [each for each in opened(made(minutes)).paragraphs if each.text in text.split("\n")]
    labels = [[(run.style.name, run.text) for run in each.runs] for each in found]
    assert labels == [
        [("公文二级", "（一）增加班车。"), ("Default Paragraph Font", "由交通局负责。")],
        [("公文二级", "（二）保留现金付款")],
        [("Default Paragraph Font", "一般的话。")],
    ]


def test_names_of_speakers_stand_out() -> None:
    minutes = replace(
        RECORD, sections=(Section("item:a", "一、发言", "张三（委员）：时间：两点。\n接着说：好。"),)
    )
    document = opened(made(minutes))
    labels = [run.text for each in document.paragraphs for run in each.runs if run.style.name == "公文标识"]
    assert labels == ["张三（委员）：", "接着说："]


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("养老", ("“养老”远程协商会会议纪要",)),
        ("推进县域养老服务高质量发展", ("“推进县域养老服务高质量发展”", "远程协商会会议纪要")),
        ("全市一季度专题协商会", ("全市一季度专题协商会会议纪要",)),
        ("长" * 30, ("“" + "长" * 15, "长" * 15 + "”", "远程协商会会议纪要")),
    ],
)
def test_titles_break_where_a_person_would(title: str, lines: tuple[str, ...]) -> None:
    assert title_of(title, "会议纪要") == lines


def test_files_are_called_what_they_are() -> None:
    assert document_name(RECORD, CONSULTATION) == "推进县域养老服务高质量发展 会议记录（草稿）"
    assert (
        document_name(replace(APPROVED, version=2), CONSULTATION)
        == "推进县域养老服务高质量发展 会议记录 第2版"
    )


def test_nothing_in_the_words_is_markup() -> None:
    nasty = "<w:p/>&amp; ]]> {{ 7*7 }} \x00\x0b\ufffe\ud800 #strong[x]"
    document = Document((nasty,), nasty, nasty[:8], tuple(Block(style, nasty, nasty) for style in Style))
    said = words(write(document))
    assert said[0] == "<w:p/>&amp; ]]> {{ 7*7 }}  #strong[x]"
    assert len(said) >= len(Style)


# ── paper ───────────────────────────────────────────────────────────────────────────────────────


async def typeset(document: Document) -> pypdf.PdfReader:
    data = await PaperWorkers().typeset("document", msgspec.to_builtins(document))
    return pypdf.PdfReader(io.BytesIO(data))


def plain(text: str) -> str:
    return re.sub(r"\s", "", text)


async def test_the_paper_says_the_same() -> None:
    document = minutes_document(APPROVED, CONSULTATION, ZONE)
    paper = await typeset(document)
    said = plain("".join(page.extract_text() for page in paper.pages))
    for block in document.blocks:
        for line in f"{block.label}\n{block.text}".split("\n"):
            assert plain(line) in re.sub(r"—\d+—", "", said), line
    first = paper.pages[0].mediabox
    assert (round(float(first.width)), round(float(first.height))) == (595, 842)
    assert "—1—" in plain(paper.pages[0].extract_text())
    names = {font for page in paper.pages for font in page["/Resources"]["/Font"]}  # type: ignore[index]
    assert names


async def test_nothing_in_the_words_is_markup_on_paper() -> None:
    nasty = '#sys.inputs $x$ *b* [c] "q" \\ <a> {{ 1 }} // x'
    document = Document((nasty,), nasty, nasty, tuple(Block(style, nasty, nasty) for style in Style))
    said = plain("".join(page.extract_text() for page in (await typeset(document)).pages))
    assert said.count(plain("#sys.inputs$x$*b*[c]")) >= len(Style)


# ── the transcript ──────────────────────────────────────────────────────────────────────────────


def test_the_transcript_has_who_said_what_when() -> None:
    titles = {each.id: each.title for each in agenda()}
    said = words(write(transcript_document(CONSULTATION, segments(), titles, ZONE)))
    assert said[:2] == ["“推进县域养老服务高质量发展”", "远程协商会转写稿"]
    assert f"说明：{NOTICE}" in said
    assert said.index("一、开幕致辞") < said.index("周正明（主持人，市政协议事厅）\u300014:30:12")
    assert "青禾县分会场（发言人待确认）\u300015:58:00" in said
    assert "费用测算在后面的附表里。（此处不清）" in said
    assert said[said.index("个别老人的病情我就不点名了。") - 1].endswith("\u3000（不公开）")
    assert sum("（不公开）" in each for each in said) == 1
    assert "纪要" not in "".join(each for each in said if NOTICE not in each)


def test_speaking_times_are_summed_and_ordered() -> None:
    talk = [each for each in segments() if not each.is_confidential]
    titles = {each.id: each.title for each in agenda()}
    times, by_item, texts = transcript_sheets(talk, titles, {"p_1": 438_000}, STARTED)
    headings = [each.title for each in times.headings]
    rows = [dict(zip(headings, row, strict=True)) for row in times.rows]
    assert [row["发言人"] for row in rows][:3] == ["市民政局", "周正明", "林晓梅"]
    spoken = [row["发言时长"] for row in rows]
    assert spoken == sorted(spoken, key=lambda value: -int(value or 0))
    lin = next(row for row in rows if row["发言人"] == "林晓梅")
    assert (lin["身份"], lin["单位职务"], lin["会场"]) == ("委员", "市人民医院护理部主任", "手机参会")
    assert (lin["发言次数"], lin["持有发言权时长"]) == (1, 438_000)
    assert sum(float(row["占比（%）"] or 0) for row in rows) == pytest.approx(100, abs=1)
    assert next(row for row in rows if row["发言人"] == "青禾县分会场")["说明"] == "发言人待确认"
    assert ("委员发言", "林晓梅", lin["发言时长"]) in by_item.rows
    assert texts.headings[0].kind is Kind.MOMENT
    assert texts.rows[0][0] == STARTED + talk[0].start_ms
    assert {row[-1] for row in texts.rows} == {"", "不清", "发言人待确认"}


# ── the process ─────────────────────────────────────────────────────────────────────────────────


async def test_a_document_is_made_in_a_process_of_its_own() -> None:
    document = minutes_document(RECORD, CONSULTATION, ZONE)
    assert words(await DocumentWorkers().write(document)) == words(write(document))


async def test_a_worker_that_fails_or_takes_too_long_is_told_in_words() -> None:
    document = minutes_document(RECORD, CONSULTATION, ZONE)
    for workers in (DocumentWorkers(worker="tests.no_such_module"), DocumentWorkers(patience_s=0.0)):
        with pytest.raises(ConferenceError, check=lambda error: error.code == "document_failed"):
            await workers.write(document)
