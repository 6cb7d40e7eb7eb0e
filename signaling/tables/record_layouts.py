"""The tables of what took place: attendance (签到表) and duty records (履职档案)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from conference.model.attendance import AttendanceNote, NoteCode
from conference.model.participant import EntryMeans
from conference.model.record import Person, Record
from signaling.tables.layouts import REMOTE, ROLE_NAMES
from signaling.tables.messages import Heading, Kind, Sheet, Value

_MEANS: Final = {
    EntryMeans.TOKEN: "入会链接",
    EntryMeans.INVITE: "个人链接",
    EntryMeans.OPERATOR: "会场链接",
    EntryMeans.CODE: "会议码",
    EntryMeans.STAFF: "工作人员账号",
    EntryMeans.SCREEN: "大屏链接",
}
_ENDS: Final = {
    "left": "离开",
    "lost": "断线",
    "disconnected": "断线",
    "removed": "移出",
    "outage": "服务器中断",
    "revoked": "链接撤销",
}
_WHO: Final = (Heading("姓名"), Heading("界别", width=16), Heading("单位职务", width=28), Heading("身份"))


def attendance(people: Iterable[Person]) -> Sheet:
    """A row for each person, encoders left out."""
    headings = (
        *_WHO,
        Heading("会场", width=20),
        Heading("进入方式", width=14),
        Heading("进入", Kind.MOMENT, 20),
        Heading("离开", Kind.MOMENT, 20),
        Heading("在会时长", Kind.DURATION),
        Heading("发言时长", Kind.DURATION),
        Heading("说明", width=30),
    )
    rows = []
    for each in _persons(people):
        means = "" if each.entered_by is None else _MEANS[each.entered_by]
        rows.append((*_who(each), _place(each), means, *_times(each), each.spoken_ms, said(each.notes)))
    return Sheet("签到", headings, [tuple(row) for row in rows])


def duty_records(record: Record, people: Sequence[Person]) -> tuple[Sheet, ...]:
    """A row for each person; behind it the stays, turns and statements that it sums up."""
    headings = (
        *_WHO,
        Heading("会场", width=20),
        Heading("出席"),
        Heading("进入", Kind.MOMENT, 20),
        Heading("离开", Kind.MOMENT, 20),
        Heading("在会时长", Kind.DURATION),
        Heading("申请发言", Kind.NUMBER),
        Heading("请到发言", Kind.NUMBER),
        Heading("发言时长", Kind.DURATION),
        Heading("书面发言", Kind.NUMBER),
        Heading("说明", width=30),
    )
    persons = _persons(people)
    rows: list[tuple[Value, ...]] = [
        (
            *_who(each),
            _place(each),
            _presence(each),
            *_times(each),
            len(each.requests),
            len(each.turns),
            each.spoken_ms,
            len(each.statements),
            said(each.notes),
        )
        for each in persons
    ]
    return (Sheet("履职档案", headings, rows), _stays(persons), _turns(record, persons), _statements(persons))


def _stays(people: Iterable[Person]) -> Sheet:
    headings = (
        Heading("姓名"),
        Heading("进入", Kind.MOMENT, 20),
        Heading("离开", Kind.MOMENT, 20),
        Heading("结束原因", width=14),
    )
    rows: list[tuple[Value, ...]] = [
        (each.name, stay.from_wall_ms, stay.to_wall_ms, _ENDS.get(stay.reason or "", stay.reason or ""))
        for each in people
        for stay in each.stays
    ]
    return Sheet("在会", headings, rows)


def _turns(record: Record, people: Iterable[Person]) -> Sheet:
    headings = (
        Heading("姓名"),
        Heading("请到发言", Kind.MOMENT, 20),
        Heading("议程", width=30),
        Heading("发言时长", Kind.DURATION),
    )
    titles = record.agenda_titles
    rows: list[tuple[Value, ...]] = [
        (each.name, turn.granted_wall_ms, titles.get(turn.item_id or "", ""), turn.elapsed_ms(record.now_ms))
        for each in people
        for turn in each.turns
    ]
    return Sheet("发言", headings, rows)


def _statements(people: Iterable[Person]) -> Sheet:
    headings = (Heading("姓名"), Heading("时间", Kind.MOMENT, 20), Heading("内容", width=80))
    rows: list[tuple[Value, ...]] = [
        (each.name, statement.at_wall_ms, statement.text) for each in people for statement in each.statements
    ]
    return Sheet("书面发言", headings, rows)


# ── cells ───────────────────────────────────────────────────────────────────────────────────────


def said(notes: Iterable[AttendanceNote]) -> str:
    """Notes in words."""
    return "；".join(_said(note) for note in notes)


def _said(note: AttendanceNote) -> str:
    long = _long(note.ms or 0)
    match note.code:
        case NoteCode.THROUGHOUT:
            return "全程"
        case NoteCode.LATE:
            return f"迟到 {long}"
        case NoteCode.LEFT_EARLY:
            return f"早退 {long}"
        case NoteCode.DROPPED:
            return f"断线 {long}" + (f"（{note.count} 次）" if (note.count or 0) > 1 else "")
        case NoteCode.AWAY:
            return f"中途离开 {long}"
        case NoteCode.ABSENT:
            return "未到"
        case NoteCode.EXCUSED:
            return "未到，已请假"


def _long(ms: int) -> str:
    return f"{round(ms / 60_000)} 分钟" if ms >= 60_000 else f"{round(ms / 1000)} 秒"


def _persons(people: Iterable[Person]) -> list[Person]:
    return [each for each in people if each.participant is None or not each.participant.kind.is_encoder]


def _who(person: Person) -> tuple[Value, ...]:
    return person.name, person.sector, person.title, ROLE_NAMES[person.role]


def _place(person: Person) -> str:
    return person.venue or REMOTE


def _presence(person: Person) -> str:
    if person.present:
        return "出席"
    return "请假" if person.excused else "未到"


def _times(person: Person) -> tuple[Value, ...]:
    """When somebody came and went; nothing where nobody came."""
    if not person.stays:
        return None, None, None
    return person.stays[0].from_wall_ms, person.stays[-1].to_wall_ms, person.marks.present_ms
