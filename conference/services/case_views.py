"""How a case is shown: to those who keep the ledger, to its department, and to everybody. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache
from typing import Final

from conference.model.comment import Comment
from conference.model.department import Department
from conference.model.due import is_due_soon, overdue_days
from conference.model.response import Answer, Extension, Rating, Response, ResponseState, Visibility
from conference.services.ledger import Ledger

_SIMILAR: Final = 0.3  # of the pairs of characters that two texts have together
_LOOKED_AT: Final = 60  # of the cases that a department was asked for, the newest
_PLACES: Final = "省市县区州旗乡镇"
_OFFICES: Final = "厅局委办部院站所"


@dataclass(frozen=True, slots=True)
class Named:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class FollowUpView:
    id: str
    text: str
    at_wall_ms: int


@dataclass(frozen=True, slots=True)
class CaseCard:
    """A case for those who work on it. `program_…`: when it was before the meeting; `at_wall_ms`: when the comment was
    written."""

    id: str
    number: int
    label: str
    comment_id: str
    group_id: str
    promotion_id: str | None
    text: str
    nickname: str
    region: str
    authors: int
    state: ResponseState
    department: Named | None
    suggested_department: Named | None
    assigned_wall_ms: int | None
    due_wall_ms: int | None
    overdue_days: int
    due_soon: bool
    reminded: int
    extended: int
    extension: Extension | None
    answer: Answer | None
    earlier: Answer | None
    returned_reason: str | None
    program_from_ms: int | None
    program_to_ms: int | None
    opened_wall_ms: int
    answered_wall_ms: int | None
    closed_wall_ms: int | None
    ratings: Mapping[str, int]
    follow_ups: tuple[FollowUpView, ...]
    at_wall_ms: int


@dataclass(frozen=True, slots=True)
class PublicAnswer:
    text: str
    at_wall_ms: int


@dataclass(frozen=True, slots=True)
class PublicCase:
    """A case as everybody may see it. `state`: pending, answered or closed. `is_private`: it was answered, but to those
    who asked alone. With `comment_id` and `group_id` a page finds the answer to a comment that it shows."""

    id: str
    label: str
    comment_id: str
    group_id: str
    nickname: str
    region: str | None
    authors: int
    text: str
    promoted: bool
    state: str
    department: str | None
    due_wall_ms: int | None
    overdue_days: int
    reminded: int
    answer: PublicAnswer | None
    is_private: bool
    program_from_ms: int | None
    ratings: Mapping[str, int]


def card(ledger: Ledger, response: Response, wall_ms: int, zone: tzinfo) -> CaseCard:
    comment, item = ledger.comment(response), ledger.items.get(response.promotion_id or "")
    department = ledger.department(response)
    return CaseCard(
        id=response.id,
        number=response.number,
        label=response.label(zone),
        comment_id=comment.id,
        group_id=comment.group_id,
        promotion_id=response.promotion_id,
        text=comment.text,
        nickname=comment.nickname,
        region=comment.region or "",
        authors=response.authors,
        state=response.state,
        department=_named(department),
        suggested_department=_named(suggested(ledger, response)),
        assigned_wall_ms=response.assigned_wall_ms,
        due_wall_ms=response.due_wall_ms,
        overdue_days=overdue_days(response, wall_ms, zone),
        due_soon=is_due_soon(response, wall_ms, zone),
        reminded=response.reminded,
        extended=response.extended,
        extension=response.extension,
        answer=response.answer,
        earlier=response.earlier,
        returned_reason=response.returned_reason,
        program_from_ms=None if item is None else item.started_at_ms,
        program_to_ms=None if item is None else item.ended_at_ms,
        opened_wall_ms=response.opened_wall_ms,
        answered_wall_ms=response.answered_wall_ms,
        closed_wall_ms=response.closed_wall_ms,
        ratings=_ratings(ledger, response),
        follow_ups=tuple(
            FollowUpView(each.id, each.text, each.at_wall_ms)
            for each in ledger.follow_ups.get(response.id, ())
        ),
        at_wall_ms=comment.at_wall_ms,
    )


def _named(department: Department | None) -> Named | None:
    return None if department is None else Named(department.id, department.name)


def _ratings(ledger: Ledger, response: Response) -> dict[str, int]:
    counted = ledger.ratings.get(response.id, Counter[Rating]())
    return {each.value: counted[each] for each in Rating}


def public_case(
    ledger: Ledger, response: Response, wall_ms: int, zone: tzinfo, shown_until_ms: int | None
) -> PublicCase:
    """`shown_until_ms`: of the program, how far the public has come; None: everything."""
    comment, department = ledger.comment(response), ledger.department(response)
    item = ledger.items.get(response.promotion_id or "")
    from_ms = None if item is None else item.started_at_ms
    if from_ms is not None and shown_until_ms is not None and from_ms > shown_until_ms:
        from_ms = None
    answer = response.shown_answer
    is_private = answer is not None and answer.visibility is Visibility.PRIVATE
    return PublicCase(
        id=response.id,
        label=response.label(zone),
        comment_id=response.comment_id,
        group_id=response.group_id,
        nickname=comment.nickname,
        region=comment.region,
        authors=response.authors,
        text=comment.text,
        promoted=response.promotion_id is not None,
        state=public_state(response),
        department=None if department is None else department.name,
        due_wall_ms=None if response.is_answered else response.due_wall_ms,
        overdue_days=0 if response.is_answered else overdue_days(response, wall_ms, zone),
        reminded=response.reminded,
        answer=None
        if answer is None or is_private
        else PublicAnswer(answer.text, answer.approved_wall_ms or answer.submitted_wall_ms),
        is_private=is_private,
        program_from_ms=from_ms,
        ratings=_ratings(ledger, response),
    )


def public_state(response: Response) -> str:
    """What everybody is told: an answer that was given once counts until there is another."""
    if not response.is_open:
        return "closed"
    return "answered" if response.is_answered else "pending"


def counts(responses: Sequence[Response], wall_ms: int, zone: tzinfo) -> dict[str, int]:
    """How many are in each state, are due soon or late, and all."""
    found = Counter(each.state.value for each in responses)
    return {
        **{state.value: found[state.value] for state in ResponseState},
        "due_soon": sum(is_due_soon(each, wall_ms, zone) for each in responses),
        "overdue": sum(each.is_overdue(wall_ms) for each in responses),
        "all": len(responses),
    }


_URGENCY: Final = {
    ResponseState.SUBMITTED: 0,
    ResponseState.UNASSIGNED: 1,
    ResponseState.ASSIGNED: 2,
    ResponseState.ANSWERED: 3,
    ResponseState.CLOSED: 4,
}


def urgency(response: Response) -> tuple[int, int, int]:
    """What the secretariat has to do comes first, then what is due soonest, then what was done last."""
    rank = _URGENCY[response.state]
    if response.extension is not None:
        rank = 1  # somebody waits for a word
    if response.state is ResponseState.ASSIGNED:
        return rank, response.due_wall_ms or 0, response.number
    if rank > _URGENCY[ResponseState.ASSIGNED]:
        return rank, -(response.answered_wall_ms or response.opened_wall_ms), -response.number
    return rank, response.opened_wall_ms, response.number


def suggested(ledger: Ledger, response: Response) -> Department | None:
    """Who might be asked: as somebody said, who is named in the text, or who had something alike before."""
    if response.state is not ResponseState.UNASSIGNED:
        return None
    said = ledger.departments.get(response.suggested_department_id or "")
    if said is not None:
        return said
    comment = ledger.comment(response)
    named = [each for each in ledger.departments.values() if _core(each.name) in comment.text]
    if named:
        return max(named, key=lambda each: len(each.name))
    return _asked_before(ledger, comment)


def _asked_before(ledger: Ledger, comment: Comment) -> Department | None:
    best, found, left = _SIMILAR, None, _LOOKED_AT
    pairs = _pairs(comment.text)
    for other in reversed(tuple(ledger.responses.values())):
        if other.department_id is None or other.comment_id == comment.id:
            continue
        if left == 0:
            break
        left -= 1
        theirs = _pairs(ledger.comment(other).text)
        common = len(pairs & theirs)
        alike = common / max(1, len(pairs) + len(theirs) - common)
        if alike > best:
            best, found = alike, ledger.department(other)
    return found


@lru_cache(maxsize=2_000)  # a page asks for the same texts again and again
def _pairs(text: str) -> frozenset[str]:
    return frozenset(text[place : place + 2] for place in range(len(text) - 1))


def _core(name: str) -> str:
    """民政 of 市民政局; the whole name where little would be left."""
    core = name
    while len(core) > 3 and core[0] in _PLACES:
        core = core[1:]
    while len(core) > 2 and core[-1] in _OFFICES:
        core = core[:-1]
    return core
