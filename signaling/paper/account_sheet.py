"""The words of the account (问效表) as they stand on paper."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from conference.model.account import Account, DepartmentAccount, OpenCase
from conference.model.folding import tidied
from signaling.tables.messages import Code

MOST_OPEN: Final = 4
MOST_DEPARTMENTS: Final = 10
_ROOMY: Final = 6  # departments that leave room for two lines of what is open
_TITLE_LINE: Final = 20  # characters of the largest title
_RATINGS: Final = ("satisfied", "fairly", "unsatisfied")


def account_sheet(account: Account, time_zone: str, code: Code | None) -> dict[str, Any]:
    """The data of account.typ. `code` leads to the public list of answers."""
    zone = ZoneInfo(time_zone)
    title = _shortened(account.consultation.title, 3 * _TITLE_LINE)
    body = _shortened(account.consultation.organization or "", 24)
    return {
        "document_title": f"问效表 {title}",
        "author": body,
        "kicker": f"{body}远程协商会　问效表" if body else "远程协商会　问效表",
        "title": title,
        "title_pt": 21 if len(title) <= _TITLE_LINE else 16 if len(title) <= 2 * _TITLE_LINE else 12,
        "when": [each for each in (_when(account, zone), _venues(account)) if each],
        "say": say(account),
        "say_more": say_more(account),
        "flow": _flow(account),
        "comments": _comments(account),
        "topics": _topics(account),
        "departments": _departments(account),
        "open": _open(account, zone),
        "sign": ["制表", "审核"],
        "foot": _foot(account, zone, code),
        "qr": None if code is None else {"size": code.size, "runs": _runs(code)},
    }


def number(value: int) -> str:
    """41,208"""
    return f"{value:,}"


def percent(part: int, whole: int) -> str:
    """占 90%, nothing of nothing; never 100 % or 0 % of what is nearly so."""
    if not whole:
        return ""
    share = round(100 * part / whole)
    if part and part < whole:
        share = min(99, max(1, share))
    return f"占 {share}%"


def say(account: Account) -> str:
    """The sentence that can be read aloud."""
    cases = account.responses
    if not cases.total:
        received = account.comments.received
        return f"收到网友留言 {number(received)} 条，还没有交办的事项" if received else "没有收到网友留言"
    late = f"，{cases.overdue} 件逾期" if cases.overdue else ""
    return f"{cases.total} 件意见交办，{cases.answered} 件已答复{late}"


def say_more(account: Account) -> str:
    """How long it took, and what those who asked say."""
    said = []
    if account.median_days is not None:
        soon = account.median_days < 1
        said.append(
            "一半的事项不到一天就有答复。" if soon else f"一半的事项在 {days(account.median_days)} 天内答复。"
        )
    rated = sum(account.ratings.values())
    if rated:
        content = account.ratings["satisfied"] + account.ratings["fairly"]
        said.append(f"{number(rated)} 位提问人作了评价，{number(content)} 位满意或基本满意。")
    return "".join(said)


def days(value: float | None) -> str:
    """For a cell; what took less than a day says so."""
    if value is None:
        return ""
    return "< 1" if value < 1 else f"{value:.1f}"


def _flow(account: Account) -> list[dict[str, str]]:
    viewers, comments, cases = account.viewers, account.comments, account.responses
    peak = f"，最高同时 {number(viewers.peak)}" if viewers.peak else ""
    departments = f"，{len(account.departments)} 个部门" if account.departments else ""
    share = percent(comments.shown, comments.received)
    answered = percent(cases.answered, cases.total)
    return [
        _step("看过", "—" if viewers.total is None else number(viewers.total), f"人次{peak}"),
        _step("收到留言", number(comments.received), f"条，合并为 {number(comments.groups)} 组"),
        _step("公开", number(comments.shown), f"条，{share}" if share else "条"),
        _step("上会", number(account.promoted.comments), _promoted(account), "gold"),
        _step("交办", number(cases.total), f"件{departments}"),
        _step("已答复", number(cases.answered), f"件，{answered}" if answered else "件", "key"),
    ]


def _promoted(account: Account) -> str:
    authors = account.promoted.authors
    return f"条，代表 {number(authors)} 人" if authors else "条"


def _step(name: str, value: str, note: str, mark: str = "") -> dict[str, str]:
    return {"name": name, "value": value, "note": note, "mark": mark}


def _comments(account: Account) -> dict[str, Any]:
    found = account.comments
    rows = [
        ("公开", found.shown),
        ("未通过，附理由", found.rejected),
        ("暂缓，待核实", found.held),
        ("还没有审核", found.waiting),
        ("网友自己撤回", found.withdrawn),
    ]
    shown = [[name, number(count)] for name, count in rows if count or name != "还没有审核"]
    return {"title": "留言去向", "rows": shown, "total": ["合计", number(found.received)]}


def _topics(account: Account) -> dict[str, Any]:
    found = [(_shortened(each.name, 10), each.comments, False) for each in account.topics]
    if found and account.other_topics:
        found.append(("其他", account.other_topics, True))
    most = max((count for _, count, _ in found), default=1)
    rows = [
        {"name": name, "value": number(count), "share": count / most, "other": other}
        for name, count, other in found
    ]
    return {"title": "大家在说什么", "empty": "留言还不够归类。", "rows": rows}


def _departments(account: Account) -> dict[str, Any]:
    rows = [_department(each) for each in account.departments[:MOST_DEPARTMENTS]]
    rest = account.departments[MOST_DEPARTMENTS:]
    if rest:
        rows.append(_together(f"另外 {len(rest)} 个部门", rest))
    cases = account.responses
    if cases.unassigned:
        cells = ["待分派", number(cases.unassigned), "0", number(cases.unassigned), "0", "", ""]
        rows.append({"cells": cells, "late": False})
    total = [
        "合计",
        *map(number, (cases.total, cases.answered, cases.in_hand, cases.overdue)),
        days(account.median_days),
        _rated(account.ratings),
    ]
    return {
        "title": "各部门办理",
        "empty": "还没有交办的事项。",
        "row_mm": 1.9 if len(account.departments) <= _ROOMY else 1.25,
        "head": ["部门", "交办", "已答复", "办理中", "逾期", "一半在几天内答复", "满意 / 基本 / 不满意"],
        "rows": rows,
        "total": total,
    }


def _department(each: DepartmentAccount) -> dict[str, Any]:
    counts = map(number, (each.total, each.answered, each.in_hand, each.overdue))
    cells = [_shortened(each.name, 18), *counts, days(each.median_days), _rated(each.ratings)]
    return {"cells": cells, "late": each.overdue > 0}


def _together(name: str, rest: tuple[DepartmentAccount, ...]) -> dict[str, Any]:
    ratings = {kind: sum(each.ratings[kind] for each in rest) for kind in _RATINGS}
    summed = (
        sum(each.total for each in rest),
        sum(each.answered for each in rest),
        sum(each.in_hand for each in rest),
        sum(each.overdue for each in rest),
    )
    return {"cells": [name, *map(number, summed), "", _rated(ratings)], "late": summed[3] > 0}


def _rated(ratings: Mapping[str, int]) -> str:
    return " / ".join(number(ratings[kind]) for kind in _RATINGS)


def _open(account: Account, zone: ZoneInfo) -> dict[str, Any]:
    shown, total = account.open[:MOST_OPEN], len(account.open)
    title = "还没有答复的"
    if total > len(shown):
        title = f"还没有答复的（{number(total)} 件中最急的 {len(shown)} 件）"
    elif total:
        title = f"还没有答复的（{total} 件）"
    is_tight = len(account.departments) > _ROOMY
    most_text, most_name = (22, 9) if is_tight else (46, 18)
    return {
        "title": title,
        "empty": "都已答复。" if account.responses.total else "还没有交办的事项。",
        "rows": [
            {
                "text": _shortened(each.text, most_text),
                "who": f"{number(each.authors)} 人，{_shortened(each.department or '', most_name) or '待分派'}",
                "due": due(each, zone),
                "late": each.overdue_days > 0,
            }
            for each in shown
        ],
    }


def due(case: OpenCase, zone: ZoneInfo) -> str:
    """逾期 2 个工作日 · 12 月 4 日到期"""
    if case.overdue_days:
        return f"逾期 {case.overdue_days} 个工作日"
    if case.due_wall_ms is None:
        return "未定期限"
    day = _local(case.due_wall_ms, zone)
    return f"{day.month} 月 {day.day} 日到期"


def _foot(account: Account, zone: ZoneInfo, code: Code | None) -> list[str]:
    at = _local(account.as_of_wall_ms, zone)
    as_of = f"统计截至 {at.year} 年 {at.month} 月 {at.day} 日 {at:%H:%M}。数字由系统从留痕中生成，可以复核。"
    lines = [as_of]
    if account.trace is not None:
        digest = account.trace.hash
        sign = f"{digest[:4]} {digest[4:8]} … {digest[-8:-4]} {digest[-4:]}"
        lines.append(f"留痕第 {number(account.trace.number)} 条，校验 {sign}")
    if code is not None:
        lines.append("扫码看全部留言和答复")
    return lines


def _when(account: Account, zone: ZoneInfo) -> str:
    began_ms, ended_ms = account.consultation.started_wall_ms, account.consultation.ended_wall_ms
    if began_ms is None:
        return ""
    began = _local(began_ms, zone)
    said = f"{began.year} 年 {began.month} 月 {began.day} 日 {began:%H:%M}"
    if ended_ms is None:
        return f"{said} 开始"
    ended = _local(ended_ms, zone)
    day = "" if ended.date() == began.date() else f"{ended.month} 月 {ended.day} 日 "
    return f"{said} 至 {day}{ended:%H:%M}"


def _venues(account: Account) -> str:
    found = account.venues
    named = (("主会场", found.main), ("分会场", found.branch), ("连线点", found.point))
    return "，".join(f"{name} {count} 个" for name, count in named if count)


def _local(wall_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone(zone)


def _shortened(text: str, most: int) -> str:
    plain = tidied(text)
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def _runs(code: Code) -> list[list[int]]:
    """Rows of black modules, from the path of the code: `Mx yhNv1h-Nz`."""
    runs = []
    for part in code.path.split("M")[1:]:
        place, _, rest = part.partition("h")
        x, y = place.split(" ")
        runs.append([int(x), int(y), int(rest.partition("v")[0])])
    return runs
