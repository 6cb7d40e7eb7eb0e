"""The sections of both documents: the full record made of a sitting, and the summary that is to be written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conference.model.agenda import AgendaItem, AgendaKind
from conference.model.minutes import Section
from conference.model.minutes_speech import speeches
from conference.model.minutes_words import (
    ROLE_WORDS,
    clock,
    day,
    enumerated,
    half_day,
    local,
    numeral,
    quoted,
    span,
    titled,
)
from conference.model.sitting import Promoted, Sitting
from conference.model.statement import Statement

ITEM: Final = "item:"  # begins the key of a section about an item of the agenda; alone: what was under none
FIELDS: Final = (
    "name",
    "topic",
    "time",
    "place",
    "chair",
    "present",
    "attending",
    "excused",
    "unseen",
    "recorder",
)  # a word and what it is, not a heading with paragraphs below it
SIGNATURES: Final = ("review", "signature")
_HEADINGS: Final = {
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
    "review": "审核",
    "signature": "签字",
}
_MOST_HEADINGS: Final = 95  # of those numbered in Chinese; more items stand below one heading


def record_sections(sitting: Sitting, recorder: str) -> tuple[Section, ...]:
    """会议记录: who, where and when, then what was said. `recorder`: who has it made."""
    body = [("agenda", "议程", agenda_lines(sitting), None), *_items(sitting)]
    body.append(("statements", "书面发言", _statements(sitting), None))
    body.append(("decisions", "议定事项", "", None))
    kept = [each for each in body if each[2] or each[0] == "decisions" or each[0].startswith(ITEM)]
    numbered = (
        Section(key, f"{numeral(number)}、{heading}", text, source)
        for number, (key, heading, text, source) in enumerate(kept, 1)
    )
    return (*_fields(sitting, recorder), *numbered, *_signatures())


def summary_sections(sitting: Sitting, recorder: str) -> tuple[Section, ...]:
    """会议纪要: facts are filled in, what was found and settled is for people to write."""
    headings = (("findings", "会议认为"), ("proposals", "意见和建议"), ("decisions", "议定事项"))
    written = (
        Section(key, f"{numeral(number)}、{heading}") for number, (key, heading) in enumerate(headings, 1)
    )
    facts = [each for each in _fields(sitting, recorder) if each.key not in ("topic", "unseen")]
    return (*facts, Section("opening", "", _opening(sitting)), *written, *_signatures())


def name_of(sitting: Sitting) -> str:
    """What the meeting is called."""
    body = sitting.record.consultation.organization or ""
    title = sitting.title
    return f"{body}{title}" if title.endswith("会") else f"{body}{quoted(title)}远程协商会"


def agenda_lines(sitting: Sitting) -> str:
    """Each item with its times; those that never had their turn are named as such."""
    shown = [each for each in sitting.agenda if each.kind not in (AgendaKind.BREAK, AgendaKind.PROMOTION)]
    return "\n".join(f"{number}. {_item_line(sitting, each)}" for number, each in enumerate(shown, 1))


def _fields(sitting: Sitting, recorder: str) -> Iterator[Section]:
    consultation = sitting.record.consultation
    began = consultation.started_at_ms or consultation.scheduled_at_ms
    texts = {
        "name": name_of(sitting),
        "topic": sitting.title,
        "time": "" if began is None else _time(sitting, began),
        "place": sitting.places(),
        "chair": sitting.chairs(),
        "present": sitting.present(),
        "attending": sitting.attending(),
        "excused": sitting.excused(),
        "unseen": sitting.unseen(),
        "recorder": recorder,
    }
    for key in FIELDS:
        if texts[key] or key != "unseen":
            yield Section(key, _HEADINGS[key], texts[key])


def _signatures() -> tuple[Section, ...]:
    return tuple(Section(key, _HEADINGS[key]) for key in SIGNATURES)


def _time(sitting: Sitting, began_wall_ms: int) -> str:
    said = span(began_wall_ms, sitting.record.consultation.ended_at_ms, sitting.zone)
    breaks = [
        f"{clock(sitting.wall_ms(each.from_ms), sitting.zone)}—{clock(sitting.wall_ms(each.to_ms), sitting.zone)}"
        for each in sitting.breaks()
        if each.to_ms is not None
    ]
    return f"{said}（{enumerated(breaks)}休会）" if breaks else said


def _items(sitting: Sitting) -> list[tuple[str, str, str, str | None]]:
    promoted = {each.item_id: each for each in sitting.promotions}
    found: list[tuple[str, str, str, str | None]] = []
    said = speeches(sitting)
    before = said.get(None)
    if before:
        heading = "议程以外的发言" if sitting.items() else "发言"
        found.append((ITEM, heading, "\n".join(before), None))
    for item in sitting.items()[:_MOST_HEADINGS]:
        lines = said.get(item.id, [])
        if item.kind is AgendaKind.PROMOTION:
            lines = _promotion(sitting, item, promoted.get(item.id), lines)
            heading = "网友留言上会"
        else:
            heading = item.title
        found.append((f"{ITEM}{item.id}", heading, "\n".join(lines), item.id))
    rest = [
        line
        for item in sitting.items()[_MOST_HEADINGS:]
        for line in (f"（{item.title}）", *said.get(item.id, []))
    ]
    if rest:
        found.append((f"{ITEM}rest", "其他议程", "\n".join(rest), None))
    return found


def _promotion(sitting: Sitting, item: AgendaItem, promoted: Promoted | None, lines: list[str]) -> list[str]:
    """The words that were read, what was said to them, and what was answered in writing since."""
    authors = f"，同类留言共{promoted.authors}人" if promoted is not None and promoted.authors > 1 else ""
    who = titled(f"网友“{item.nickname}”" if item.nickname else "网友", item.place)
    said = f"{who}留言{authors}：{quoted(' '.join((item.words or item.title).split()))}"
    answers = []
    for each in () if promoted is None else promoted.answers:
        on = day(local(each.at_wall_ms, sitting.zone))
        text = each.text if each.text is not None else "已答复提问人，内容不公开。"
        answers.append(f"{each.department}（{on}书面答复）：{' '.join(text.split())}")
    return [said, *lines, *answers]


def _item_line(sitting: Sitting, item: AgendaItem) -> str:
    own = [each for each in sitting.stretches if each.item_id == item.id]
    title = item.title if (item.speaker or "") in item.title else titled(item.title, item.speaker)
    if not own:
        return f"{title}（未进行）"
    times = []
    for each in own:
        end_ms = each.to_ms if each.to_ms is not None else sitting.record.now_ms
        until = "" if end_ms is None else clock(sitting.wall_ms(end_ms), sitting.zone)
        times.append(f"{clock(sitting.wall_ms(each.from_ms), sitting.zone)}—{until}")
    return f"{title}，{enumerated(dict.fromkeys(times))}"


def _statements(sitting: Sitting) -> str:
    shown = [each for each in sitting.record.statements if not each.private]
    names = {each.id: each.name for each in shown}
    return "\n".join(_statement(sitting, each, names) for each in shown)


def _statement(sitting: Sitting, statement: Statement, names: dict[str, str]) -> str:
    answered = names.get(statement.reply_to or "")
    notes = [ROLE_WORDS[statement.role], statement.venue, clock(statement.at_wall_ms, sitting.zone)]
    if answered is not None:
        notes.append(f"回复{answered}")
    if statement.taken:
        notes.append("已在会上说明")
    return f"{titled(statement.name, *notes)}：{' '.join(statement.text.split())}"


def _opening(sitting: Sitting) -> str:
    consultation = sitting.record.consultation
    began = consultation.started_at_ms or consultation.scheduled_at_ms
    when = ""
    if began is not None:
        moment = local(began, sitting.zone)
        when = f"{day(moment)}{half_day(moment)}，"
    who = consultation.organization or ""
    counts = sitting.counts()
    chairs = sitting.chairs()
    said = f"{when}{who}以远程协商方式召开{quoted(sitting.title)}协商会。"
    if sitting.title.endswith("会"):
        said = f"{when}{who}以远程协商方式召开{quoted(sitting.title)}。"
    if chairs:
        said += f"{chairs}主持会议。"
    if counts:
        said += f"{counts}参加。"
    return f"{said}现将会议主要情况纪要如下："
