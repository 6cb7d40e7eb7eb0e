"""Minutes as a document: which section looks how, what is printed below them, and the words of a body's template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Any, Final

from conference.model.consultation import Consultation
from conference.model.gap_reasons import GAP_WORDS, GapReason
from conference.model.minutes import Approval, Minutes, MinutesKind, MinutesState, PrintedGap, Section
from conference.model.minutes_record import FIELDS, ITEM, SIGNATURES
from conference.model.minutes_words import clock, day, local
from conference.model.transcript import GapState
from signaling.documents.messages import Block, Document, Style
from signaling.documents.titles import title_of

_SPEAKER: Final = re.compile(r"([^：。！？；\n]{1,60})：(?=.)")
_POINT: Final = re.compile(r"（[一二三四五六七八九十]{1,3}）[^。\n]*。?")
_KINDS: Final = {MinutesKind.RECORD: "会议记录", MinutesKind.SUMMARY: "会议纪要"}
_STATES: Final = {MinutesState.DRAFT: "草稿", MinutesState.REVIEWED: "送审稿", MinutesState.APPROVED: ""}
_GAPS: Final = {
    GapState.WAITING: "尚未识别",
    GapState.RUNNING: "正在识别",
    GapState.FAILED: "未能识别",
    GapState.LOST: "没有录到",
    GapState.WAIVED: "已注明",
}
_SILENT: Final = GAP_WORDS[GapReason.NOT_TRANSCRIBED]
_MOST_GAPS: Final = 40
# The names by which a body's own template asks for what is printed.
TEMPLATE_FIELDS: Final = {
    "name": "会议名称",
    "topic": "议题",
    "time": "时间",
    "place": "地点与方式",
    "chair": "主持人",
    "present": "出席",
    "attending": "列席",
    "excused": "请假",
    "unseen": "未签到",
    "recorder": "记录人",
    "opening": "导语",
    "decisions": "议定事项",
}


def minutes_document(minutes: Minutes, consultation: Consultation, zone: tzinfo) -> Document:
    """The whole document, with signatures and the sign of the trace."""
    blocks = [block for section in minutes.sections for block in _blocks(minutes, section)]
    blocks += [Block(Style.NOTE, line) for line in notes(minutes, zone)]
    return Document(
        title_of(consultation.title, _KINDS[minutes.kind]),
        state_line(minutes, zone),
        _author(consultation),
        tuple(blocks),
    )


def document_name(minutes: Minutes, consultation: Consultation) -> str:
    """What the file is called, without its ending."""
    version = "" if minutes.version == 1 else f" 第{minutes.version}版"
    state = _STATES[minutes.state]
    return f"{consultation.title} {_KINDS[minutes.kind]}{version}{f'（{state}）' if state else ''}"


def state_line(minutes: Minutes, zone: tzinfo) -> str:
    """草稿 with its time; which version it is from the second on."""
    version = "" if minutes.version == 1 else f"第{minutes.version}版"
    state = _STATES[minutes.state]
    if not state:
        return f"（{version}）" if version else ""
    at = local(minutes.updated_wall_ms, zone)
    return f"（{version}{state}，{day(at)}{at:%H:%M}）"


def notes(minutes: Minutes, zone: tzinfo) -> Iterator[str]:
    """What is printed small below: the sign of the trace and the gaps."""
    approval = minutes.approval
    if approval is None:
        yield "本稿未经批准。"
        return
    at = local(approval.at_wall_ms, zone)
    yield (
        f"{approval.by}于{day(at)}{at:%H:%M}批准，第{minutes.version}版。"
        f"留痕第{approval.head_number:,}条，校验值{_grouped(approval.head_hash)}"
    )
    yield from _gap_notes(approval)
    if approval.despite_outdated_reason:
        yield f"生成后有改动仍批准的理由：{approval.despite_outdated_reason}"


def _gap_notes(approval: Approval) -> Iterator[str]:
    gaps = approval.gaps
    if not gaps:
        yield "转写稿没有缺口。"
        return
    if all(each.note == _SILENT for each in gaps):
        yield f"{_SILENT}。"
    else:
        yield _printed(gaps)
    if approval.despite_gaps_reason:
        yield f"有缺口仍批准的理由：{approval.despite_gaps_reason}"


def _printed(gaps: Sequence[PrintedGap]) -> str:
    return f"转写稿有{len(gaps)}处缺口（会议时间）：{'；'.join(_gap(each) for each in gaps[:_MOST_GAPS])}" + (
        f"；另有{len(gaps) - _MOST_GAPS}处。" if len(gaps) > _MOST_GAPS else "。"
    )


def _gap(gap: PrintedGap) -> str:
    return f"{_elapsed(gap.from_ms)}至{_elapsed(gap.to_ms)} {gap.name}，{gap.note or _GAPS[gap.state]}"


def _elapsed(at_ms: int) -> str:
    minutes, seconds = divmod(at_ms // 1000, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


def _grouped(digest: str) -> str:
    return " ".join(digest[place : place + 8] for place in range(0, len(digest), 8))


def _author(consultation: Consultation) -> str:
    return consultation.organization or ""


# ── sections ────────────────────────────────────────────────────────────────────────────────────


def _blocks(minutes: Minutes, section: Section) -> Iterator[Block]:
    if section.key in SIGNATURES:
        yield Block(Style.SIGNATURE, _signed(minutes, section), section.heading)
        return
    is_draft = minutes.state is MinutesState.DRAFT
    if section.key in FIELDS:
        if section.text or is_draft:
            yield Block(Style.FIELD, section.text, section.heading)
        return
    if not section.text and not is_draft:
        return  # a heading over nothing
    if section.heading:
        yield Block(Style.HEADING, section.heading)
    for line in section.text.split("\n") if section.text else ["（待填写）"] if section.heading else []:
        yield _paragraph(section, line)


def _paragraph(section: Section, line: str) -> Block:
    point = _POINT.match(line)
    if point is not None:
        return Block(Style.POINT, line[point.end() :], point[0])
    if line.startswith("（") and line.endswith("）"):
        return Block(Style.REMARK, line)
    if section.key.startswith(ITEM) or section.key == "statements":
        speaker = _SPEAKER.match(line)
        if speaker is not None:
            return Block(Style.SPEECH, line[speaker.end() :], speaker[1])
    return Block(Style.TEXT, line)


def _signed(minutes: Minutes, section: Section) -> str:
    if section.text:
        return section.text
    return (minutes.reviewed_by or "") if section.key == "review" else ""


# ── a body's own template ───────────────────────────────────────────────────────────────────────


def template_words(minutes: Minutes, consultation: Consultation, zone: tzinfo) -> dict[str, Any]:
    """What a template may name, see docs/minutes.md."""
    texts = {section.key: section.text for section in minutes.sections}
    body = [
        {
            "标题": section.heading,
            "段落": [{"发言人": b.label, "内容": b.text, "全文": _whole(b)} for b in _body(minutes, section)],
        }
        for section in minutes.sections
        if section.key not in (*FIELDS, *SIGNATURES, "opening") and (section.text or minutes.approval is None)
    ]
    approval = minutes.approval
    return {
        **{name: texts.get(key, "") for key, name in TEMPLATE_FIELDS.items()},
        "标题": "".join(title_of(consultation.title, _KINDS[minutes.kind])),
        "文种": _KINDS[minutes.kind],
        "组织": _author(consultation),
        "版本": minutes.version,
        "状态": _STATES[minutes.state],
        "正文": body,
        "审核人": minutes.reviewed_by or "",
        "批准人": "" if approval is None else approval.by,
        "批准日期": "" if approval is None else day(local(approval.at_wall_ms, zone)),
        "批准时间": "" if approval is None else clock(approval.at_wall_ms, zone),
        "留痕序号": "" if approval is None else str(approval.head_number),
        "留痕校验": "" if approval is None else approval.head_hash,
        "说明": list(notes(minutes, zone)),
    }


def _body(minutes: Minutes, section: Section) -> list[Block]:
    return [each for each in _blocks(minutes, section) if each.style is not Style.HEADING]


def _whole(block: Block) -> str:
    return f"{block.label}：{block.text}" if block.style is Style.SPEECH else f"{block.label}{block.text}"
