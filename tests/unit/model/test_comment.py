"""Comments: every state × decision, where one begins, when the public may write, what it can have been watching."""

from dataclasses import replace

import pytest

from conference.model.comment import (
    SLACK_MS,
    Comment,
    CommentState,
    Decision,
    Level,
    Reason,
    Verdict,
    first_state,
    require_commentable,
    watched_ms,
)
from conference.model.comment_group import CLAIM_MS, CommentGroup
from conference.model.consultation import Consultation, Mode, Moderation, Status
from conference.model.errors import ConferenceError

COMMENT = Comment(
    "m", "c", 1, "老李", None, "助餐点", 0, 1, CommentState.PENDING, Level.PASS, (), "m", "d", "k" * 8
)
# decision: states that take it, and the one that it leads to
TABLE = {
    "approve": ("pending held rejected hidden", "approved"),
    "reject": ("pending held", "rejected"),
    "hold": ("pending rejected", "held"),
    "hide": ("approved promoted answered", "hidden"),
    "reopen": ("held approved rejected hidden", "pending"),
    "withdraw": ("pending held approved", "withdrawn"),
    "promote": ("pending held approved answered", "promoted"),
    "answer": ("approved promoted", "answered"),
    "unanswer": ("answered", "approved"),
}


def code_of(call: object, *arguments: object, **named: object) -> str:
    with pytest.raises(ConferenceError) as caught:
        call(*arguments, **named)  # type: ignore[operator]
    return caught.value.code


def test_the_table_names_every_decision() -> None:
    assert set(TABLE) == set(Decision)


@pytest.mark.parametrize("state", CommentState)
@pytest.mark.parametrize("decision", Decision)
def test_every_state_and_decision(decision: Decision, state: CommentState) -> None:
    takes, leads = TABLE[decision]
    comment = replace(COMMENT, state=state)
    assert comment.may(decision) is (state in takes.split())
    if state == leads:
        assert comment.decided(decision, "王审核", 9) is comment
    elif state in takes.split():
        after = comment.decided(decision, "王审核", 9, "广告")
        assert (after.state, after.decided_by, after.decided_wall_ms) == (leads, "王审核", 9)
        assert after.reject_reason == "广告"
    else:
        assert code_of(comment.decided, decision, "王审核", 9) == "comment_changed"


def test_nothing_leads_out_of_a_withdrawal() -> None:
    gone = replace(COMMENT, state=CommentState.WITHDRAWN)
    assert [each for each in Decision if gone.may(each)] == []


@pytest.mark.parametrize(
    ("level", "pre", "post"),
    [
        (Level.PASS, "pending", "approved"),
        (Level.MARK, "pending", "approved"),
        (Level.HOLD, "held", "held"),
        (Level.BLOCK, "rejected", "rejected"),
    ],
)
def test_where_a_comment_begins(level: Level, pre: str, post: str) -> None:
    assert first_state(Verdict(level), Moderation.PRE) == pre
    assert first_state(Verdict(level), Moderation.POST) == post


def test_the_graver_level_counts() -> None:
    found = Verdict().with_reason(Level.HOLD, Reason("contact")).with_reason(Level.MARK, Reason("word"))
    assert (found.level, [each.code for each in found.reasons]) == (Level.HOLD, ["contact", "word"])


def consultation(status: Status, *, public: bool, closing_at_ms: int | None) -> Consultation:
    made = Consultation("c", "x", status, Mode.FREE, public, False, True, 1)
    return replace(made, closing_at_ms=closing_at_ms)


@pytest.mark.parametrize(
    ("status", "public", "closing", "cut", "code"),
    [
        ("draft", True, None, False, "consultation_not_found"),
        ("live", False, None, False, "consultation_not_found"),
        ("scheduled", True, None, False, None),
        ("live", True, None, False, None),
        ("live", True, None, True, "comments_paused"),
        ("ended", True, None, True, None),
        ("ended", True, 101, False, None),
        ("ended", True, 100, False, "comments_closed"),
        ("archived", True, None, False, "comments_closed"),
        ("postponed", True, None, False, "comments_closed"),
        ("cancelled", True, None, False, "comments_closed"),
    ],
)
def test_when_the_public_may_write(
    status: str, public: bool, closing: int | None, cut: bool, code: str | None
) -> None:
    about = consultation(Status(status), public=public, closing_at_ms=closing)
    if code is None:
        require_commentable(about, 100, is_cut=cut)
    else:
        assert code_of(require_commentable, about, 100, is_cut=cut) == code


@pytest.mark.parametrize(
    ("said", "now", "delay", "watched", "honest"),
    [
        (None, 50_000, 0, None, True),
        (10_000, None, 0, None, True),
        (10_000, 50_000, 0, 10_000, True),
        (40_000, 50_000, 20_000, 30_000, True),  # within the slack, and never of what is held back
        (30_000 + SLACK_MS, 50_000, 20_000, 30_000, True),
        (30_001 + SLACK_MS, 50_000, 20_000, 30_000, False),
        (10**13, 50_000, 0, 50_000, False),
        (-1, 50_000, 0, 0, False),
        (5, 10_000, 20_000, 0, True),
    ],
)
def test_what_its_author_can_have_been_watching(
    said: int | None, now: int | None, delay: int, watched: int | None, honest: bool
) -> None:
    assert watched_ms(said, now, delay) == (watched, honest)


def test_one_moderator_at_a_time() -> None:
    group = CommentGroup("g", "c")
    group.require_free("a", 0)
    claimed = group.claimed("a", "陈", 0)
    claimed.require_free("a", 1)
    with pytest.raises(ConferenceError) as caught:
        claimed.require_free("b", CLAIM_MS - 1)
    assert caught.value.code == "comment_claimed"
    assert "陈" in caught.value.text
    claimed.require_free("b", CLAIM_MS)
    claimed.released().require_free("b", 1)
