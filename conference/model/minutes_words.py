"""How dates, numbers and people are written in Chinese minutes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Final

from conference.model.permissions import Role

ROLE_WORDS: Final = {
    Role.CHAIR: "主持人",
    Role.MEMBER: "委员",
    Role.DEPARTMENT: "部门代表",
    Role.EXPERT: "专家",
    Role.CITIZEN: "群众代表",
    Role.VENUE_OPERATOR: "会场",
    Role.MODERATOR: "审核员",
    Role.SECRETARIAT: "秘书处",
    Role.OBSERVER: "列席",
    Role.ORGANIZER: "会务",
    Role.ADMINISTRATOR: "管理员",
}
_DIGITS: Final = "零一二三四五六七八九"
_DAYS: Final = "一二三四五六日"


def numeral(value: int) -> str:
    """1 to 99 as headings are numbered: 一, 十, 二十一."""
    if not 0 < value < 100:
        raise ValueError(f"{value} is no number of a heading")
    tens, ones = divmod(value, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return head + (_DIGITS[ones] if ones else "")


def local(wall_ms: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone(zone)


def day(moment: datetime) -> str:
    """2026年11月20日"""
    return f"{moment.year}年{moment.month}月{moment.day}日"


def span(began_wall_ms: int, ended_wall_ms: int | None, zone: tzinfo) -> str:
    """2026年11月20日（星期五）14:30—17:01, with the day of its end where that is another one."""
    began = local(began_wall_ms, zone)
    said = f"{day(began)}（星期{_DAYS[began.weekday()]}）{began:%H:%M}"
    if ended_wall_ms is None:
        return said
    ended = local(ended_wall_ms, zone)
    return f"{said}—{'' if ended.date() == began.date() else day(ended)}{ended:%H:%M}"


def clock(wall_ms: int, zone: tzinfo) -> str:
    """14:30"""
    return f"{local(wall_ms, zone):%H:%M}"


def clock_s(wall_ms: int, zone: tzinfo) -> str:
    """14:30:08"""
    return f"{local(wall_ms, zone):%H:%M:%S}"


def half_day(moment: datetime) -> str:
    """上午, 下午 or 晚上"""
    return "上午" if moment.hour < 12 else "下午" if moment.hour < 18 else "晚上"


def enumerated(names: Iterable[str]) -> str:
    """With Chinese commas."""
    return "、".join(names)


def titled(name: str, *notes: str | None) -> str:
    """The name, and behind it in brackets what there is to say of it that the name does not say itself."""
    said = [each for each in dict.fromkeys(notes) if each and each != name]
    return f"{name}（{'，'.join(said)}）" if said else name


def quoted(title: str) -> str:
    """In quotation marks, those in it made inner ones."""
    return f"“{title.replace('“', '‘').replace('”', '’')}”"
