"""The judgement on a list of invitees: what is wrong with its rows, and the likely mending.

Nothing here writes: rows are judged anew against the venues and the invitees of the moment, so that adding a venue
mends the rows that name it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz, process

from conference.model.folding import (
    MOBILE_DIGITS,
    Phone,
    PhoneFault,
    folded,
    folded_name,
    masked,
    phone_of,
)
from conference.model.invitee import Invitee
from conference.model.invitee_columns import LABELS, Column
from conference.model.invitee_list import ImportRow
from conference.model.permissions import Role
from conference.model.venue import Venue, VenueKind

MAX_CHARS: Final[Mapping[Column, int]] = {
    Column.NAME: 100,
    Column.TITLE: 200,
    Column.SECTOR: 100,
    Column.PHONE: 32,
}
ROLE_LABELS: Final[Mapping[Role, str]] = {
    Role.CHAIR: "主持人",
    Role.MEMBER: "委员",
    Role.DEPARTMENT: "部门代表",
    Role.EXPERT: "专家",
    Role.CITIZEN: "群众代表",
    Role.OBSERVER: "列席",
    Role.SECRETARIAT: "秘书处",
    Role.MODERATOR: "审核员",
}
_ROLE_WORDS: Final[Mapping[Role, str]] = {
    Role.CHAIR: "主持人 主持 会议主持 会议主持人 chair",
    Role.MEMBER: "委员 政协委员 省政协委员 市政协委员 县政协委员 区政协委员 常委 政协常委 member",
    Role.DEPARTMENT: "部门代表 部门 职能部门 部门负责人 部门同志 单位代表 department",
    Role.EXPERT: "专家 专家学者 学者 特邀专家 智库专家 expert",
    Role.CITIZEN: "群众代表 群众 居民代表 村民代表 基层代表 市民代表 citizen",
    Role.OBSERVER: "列席 列席人员 列席代表 旁听 旁听人员 observer",
    Role.SECRETARIAT: "秘书处 工作人员 会务 会务组 会务人员 secretariat",
    Role.MODERATOR: "审核员 留言审核员 审核 moderator",
}
_ROLE_OF: Final = {word: role for role, words in _ROLE_WORDS.items() for word in words.split()}
_REMOTE_WORDS: Final = (
    "手机参会 手机 线上 线上参会 网上 网上参会 网络参会 视频参会 远程 远程参会 在线 在线参会 居家 电脑 电脑参会 "
    "手机和电脑 不在会场 无 remote online"
)
_REMOTE: Final = frozenset(_REMOTE_WORDS.split())
_VENUE_SUFFIX: Final = re.compile(r"(?:远程连线点|连线点|分会场|会场)$")
_NEAR: Final = 50.0  # of 100: two words of four characters that differ in one have 75


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the column should likely say, and the words for the button."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Problem:
    code: str
    column: Column
    message: str
    suggestion: Suggestion | None = None
    other_row: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row with the judgement on it. `phone` is what can be dialled."""

    source: ImportRow
    venue_id: str | None
    role: Role | None
    phone: str
    problems: tuple[Problem, ...]
    notes: tuple[Note, ...]

    @property
    def ok(self) -> bool:
        """Can be taken over."""
        return not self.problems and not self.source.dropped


def check(
    rows: Iterable[ImportRow], venues: Sequence[Venue], invitees: Iterable[Invitee]
) -> tuple[CheckedRow, ...]:
    """Judge all rows together."""
    places, people = _Venues(venues), _People(invitees)
    return tuple(_checked(row, places, people) for row in rows)


def _checked(row: ImportRow, venues: _Venues, people: _People) -> CheckedRow:
    values, problems, notes = row.values, [], []
    if not values.name:
        problems.append(Problem("name_missing", Column.NAME, "没有姓名，请补上"))
    for column, most in MAX_CHARS.items():
        if len(getattr(values, column.value)) > most:
            problems.append(Problem("too_long", column, f"{LABELS[column]}太长，最多 {most} 个字"))
    role = _ROLE_OF.get(folded(values.role)) if values.role else Role.MEMBER
    if role is None:
        problems.append(_unknown_role(values.role))
    elif not values.role:
        notes.append(Note("role_assumed", "没有写身份，按委员导入"))
    venue_id, unknown = venues.find(values.venue)
    if unknown is not None:
        problems.append(unknown)
    phone = phone_of(values.phone)
    if phone.fault is not None and len(values.phone) <= MAX_CHARS[Column.PHONE]:
        problems.append(_bad_phone(phone))
    if values.name and not row.dropped:
        same = people.meet(row, phone.digits)
        if same is not None and not row.separate:
            problems.append(same)
    notes += [Note("formula_as_text", f"公式“{_short(each.text)}”已按文字处理") for each in row.formulas]
    return CheckedRow(row, venue_id, role, phone.digits, tuple(problems), tuple(notes))


def _unknown_role(text: str) -> Problem:
    if "操作员" in text:
        return Problem("role_unknown", Column.ROLE, "会场操作员不用导入，每个会场有自己的操作员链接")
    near = process.extractOne(folded(text), _ROLE_OF.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR)
    if near is None:
        return Problem("role_unknown", Column.ROLE, f"没有“{_short(text)}”这种身份，请选一种")
    label = ROLE_LABELS[_ROLE_OF[near[0]]]
    message = f"没有“{_short(text)}”这种身份，是不是“{label}”？"
    return Problem("role_unknown", Column.ROLE, message, Suggestion(label, label))


def _bad_phone(phone: Phone) -> Problem:
    message, suggestion = "", None
    match phone.fault:
        case PhoneFault.SHORT:
            message = f"手机号少 {phone.off_by} 位，收不到链接短信"
        case PhoneFault.LONG:
            message = f"手机号多 {phone.off_by} 位，收不到链接短信"
        case PhoneFault.LETTERS:
            message = "手机号里有不是数字的字，收不到链接短信"
        case PhoneFault.SEVERAL:
            message = "一格里有几个号码，请只留一个"
            if len(phone.digits) == MOBILE_DIGITS:
                suggestion = Suggestion(phone.digits, masked(phone.digits))
        case _:
            message = "不是手机号，收不到链接短信"
    return Problem("phone_bad", Column.PHONE, message, suggestion)


def _short(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


class _Venues:
    """Finds a venue by what people call it."""

    def __init__(self, venues: Sequence[Venue]) -> None:
        self._by_name = {folded(each.name): each for each in venues}
        stems = Counter(_stem(each.name) for each in venues)
        self._by_stem = {_stem(each.name): each for each in venues if stems[_stem(each.name)] == 1}
        main = [each for each in venues if each.kind is VenueKind.MAIN]
        if len(main) == 1:
            self._by_name.setdefault("主会场", main[0])
        self._known: dict[str, tuple[str | None, Problem | None]] = {}

    def find(self, text: str) -> tuple[str | None, Problem | None]:
        """The id; None for those who take part from afar; a problem when there is no such venue."""
        if text not in self._known:
            self._known[text] = self._find(text)
        return self._known[text]

    def _find(self, text: str) -> tuple[str | None, Problem | None]:
        name = folded(text)
        venue = self._by_name.get(name)
        if venue is None and (not name or name in _REMOTE):
            return None, None
        venue = venue or self._by_stem.get(_stem(text))
        if venue is not None:
            return venue.id, None
        near = process.extractOne(name, self._by_name.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR)
        if near is None:
            return None, Problem(
                "venue_unknown", Column.VENUE, f"没有“{_short(text)}”这个会场，请选一个，或先添加会场"
            )
        label = self._by_name[near[0]].name
        message = f"没有“{_short(text)}”，是不是“{label}”？"
        return None, Problem("venue_unknown", Column.VENUE, message, Suggestion(label, label))


def _stem(name: str) -> str:
    """What is left of a venue's name without the kind of venue; the whole when nothing is."""
    plain = folded(name)
    return _VENUE_SUFFIX.sub("", plain) or plain


@dataclass(frozen=True, slots=True)
class _Known:
    phone: str
    row: int | None  # None: an invitee who is in the list already


class _People:
    """Who was met before. Two of one name are two people only when their numbers differ."""

    def __init__(self, invitees: Iterable[Invitee]) -> None:
        self._met: dict[str, list[_Known]] = {}
        for each in invitees:
            known = _Known(phone_of(each.phone).digits, None)
            self._met.setdefault(folded_name(each.name), []).append(known)

    def meet(self, row: ImportRow, phone: str) -> Problem | None:
        """Remember the person; a problem when it was met before."""
        met = self._met.setdefault(folded_name(row.values.name), [])
        same = next((each for each in met if not (each.phone and phone) or each.phone == phone), None)
        met.append(_Known(phone, row.row))
        if same is None:
            return None
        why = "姓名、手机都相同" if phone and same.phone else "姓名相同"
        if same.row is None:
            message = f"名单里已有“{_short(row.values.name)}”（{why}）"
            return Problem("duplicate_existing", Column.NAME, message)
        message = f"和第 {same.row} 行是同一人（{why}）"
        return Problem("duplicate_in_file", Column.NAME, message, other_row=same.row)
