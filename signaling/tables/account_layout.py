"""The account (问效表) as sheets: the sums, the departments, the topics, and everything that is open."""

from __future__ import annotations

from typing import Final

from conference.model.account import Account
from signaling.tables.messages import Heading, Kind, Sheet, Value

_RATINGS: Final = (("satisfied", "满意"), ("fairly", "基本满意"), ("unsatisfied", "不满意"))


def account_sheets(account: Account) -> tuple[Sheet, ...]:
    """Four sheets; numbers are numbers, so that they can be added up."""
    return (_sums(account), _departments(account), _topics(account), _open(account))


def _sums(account: Account) -> Sheet:
    comments, cases, viewers = account.comments, account.responses, account.viewers
    rows: list[tuple[Value, ...]] = [
        ("观看", "看过（人次）", viewers.total),
        ("观看", "最高同时", viewers.peak),
        ("留言", "收到", comments.received),
        ("留言", "合并为（组）", comments.groups),
        ("留言", "公开", comments.shown),
        ("留言", "未通过", comments.rejected),
        ("留言", "暂缓", comments.held),
        ("留言", "还没有审核", comments.waiting),
        ("留言", "网友自己撤回", comments.withdrawn),
        ("上会", "上会（条）", account.promoted.comments),
        ("上会", "代表（人）", account.promoted.authors),
        ("办理", "交办（件）", cases.total),
        ("办理", "已答复", cases.answered),
        ("办理", "办理中", cases.in_hand),
        ("办理", "待分派", cases.unassigned),
        ("办理", "逾期", cases.overdue),
        ("办理", "一半在几天内答复", account.median_days),
        *(("评价", name, account.ratings[kind]) for kind, name in _RATINGS),
    ]
    if account.trace is not None:
        rows += [
            ("留痕", "条数", account.trace.number),
            ("留痕", "校验", account.trace.hash),
        ]
    headings = (Heading("类别", width=10), Heading("项目", width=22), Heading("数值", Kind.NUMBER, 18))
    return Sheet("问效表", headings, rows)


def _departments(account: Account) -> Sheet:
    headings = (
        Heading("部门", width=24),
        *(Heading(name, Kind.NUMBER, 10) for name in ("交办", "已答复", "办理中", "逾期")),
        Heading("一半在几天内答复", Kind.NUMBER, 18),
        *(Heading(name, Kind.NUMBER, 10) for _, name in _RATINGS),
    )
    rows: list[tuple[Value, ...]] = [
        (
            each.name,
            each.total,
            each.answered,
            each.in_hand,
            each.overdue,
            each.median_days,
            *(each.ratings[kind] for kind, _ in _RATINGS),
        )
        for each in account.departments
    ]
    return Sheet("各部门办理", headings, rows)


def _topics(account: Account) -> Sheet:
    rows: list[tuple[Value, ...]] = [(each.name, each.comments) for each in account.topics]
    if account.other_topics:
        rows.append(("其他", account.other_topics))
    return Sheet("大家在说什么", (Heading("话题", width=40), Heading("留言（条）", Kind.NUMBER, 14)), rows)


def _open(account: Account) -> Sheet:
    headings = (
        Heading("编号", width=24),
        Heading("内容", width=60),
        Heading("代表（人）", Kind.NUMBER, 12),
        Heading("部门", width=24),
        Heading("期限", Kind.MOMENT, 20),
        Heading("逾期（工作日）", Kind.NUMBER, 16),
    )
    rows: list[tuple[Value, ...]] = [
        (each.label, each.text, each.authors, each.department, each.due_wall_ms, each.overdue_days)
        for each in account.open
    ]
    return Sheet("还没有答复的", headings, rows)
