"""Minutes: their states and versions, and what may be written into them when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from conference.model.audit import AuditHead
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.minutes import (
    MAX_SECTION,
    Approval,
    Letterhead,
    Minutes,
    MinutesKind,
    MinutesState,
    Section,
    approval_of,
    tidied,
)

SECTIONS: Final = (Section("name", "会议名称", "协商会"), Section("decisions", "一、议定事项"))
DRAFT: Final = Minutes("m", "c", MinutesKind.SUMMARY, 1, MinutesState.DRAFT, 3, SECTIONS, "钱文", 100)
HEAD: Final = Letterhead("协商会", "市政协")
APPROVAL: Final = Approval("周正明", 900, 12, "ab" * 32)


def test_a_draft_is_written_in_by_revision() -> None:
    written = DRAFT.edited(3, {"decisions": "（一）增加班车。"}, "李四", 200)
    assert (written.revision, written.updated_by, written.updated_wall_ms) == (4, "李四", 200)
    assert written.section("decisions") == Section("decisions", "一、议定事项", "（一）增加班车。")
    assert written.section("name") == SECTIONS[0]
    with pytest.raises(ConferenceError, check=lambda error: error.code == "edit_conflict"):
        written.edited(3, {"decisions": "别的"}, "王五", 300)
    with pytest.raises(NotFoundError):
        DRAFT.edited(3, {"other": "x"}, "李四", 200)


def test_writing_the_same_again_changes_nothing() -> None:
    assert DRAFT.edited(3, {"name": "  协商会 \n\n"}, "李四", 200) is DRAFT


def test_a_section_has_a_bound() -> None:
    with pytest.raises(ConferenceError, check=lambda error: error.code == "too_large"):
        DRAFT.edited(3, {"decisions": "字" * (MAX_SECTION + 1)}, "李四", 200)


def test_from_draft_to_approved() -> None:
    reviewed = DRAFT.reviewed(3, "钱文", 300, "机器坏了")
    assert (reviewed.state, reviewed.reviewed_by, reviewed.gaps_reason) == (
        MinutesState.REVIEWED,
        "钱文",
        "机器坏了",
    )
    approved = reviewed.approved(4, HEAD).sealed(APPROVAL)
    assert (approved.state, approved.revision, approved.approval) == (MinutesState.APPROVED, 5, APPROVAL)
    assert approved.sections == DRAFT.sections


@pytest.mark.parametrize("state", [MinutesState.REVIEWED, MinutesState.APPROVED])
def test_what_is_no_draft_is_not_written_in(state: MinutesState) -> None:
    minutes = DRAFT.reviewed(3, "钱文", 300)
    if state is MinutesState.APPROVED:
        minutes = minutes.approved(minutes.revision, HEAD)
    attempts: list[Callable[[], Minutes]] = [
        lambda: minutes.edited(minutes.revision, {"decisions": "x"}, "李四", 400),
        lambda: minutes.remade(minutes.revision, SECTIONS, "李四", 400, 9),
        lambda: minutes.reviewed(minutes.revision, "李四", 400),
    ]
    for attempt in attempts:
        with pytest.raises(ConferenceError, check=lambda error: error.code == "invalid_state"):
            attempt()


def test_a_draft_is_not_approved_and_not_reopened() -> None:
    attempts: list[Callable[[], Minutes]] = [
        lambda: DRAFT.approved(3, HEAD),
        lambda: DRAFT.reopened(3, "m2", "李四", 400),
    ]
    for attempt in attempts:
        with pytest.raises(ConferenceError, check=lambda error: error.code == "invalid_state"):
            attempt()


def test_reopening_reviewed_ones_goes_on_in_the_same_version() -> None:
    reopened = DRAFT.reviewed(3, "钱文", 300, "机器坏了").reopened(4, "m2", "李四", 400)
    assert (reopened.id, reopened.version, reopened.state) == ("m", 1, MinutesState.DRAFT)
    assert (reopened.reviewed_by, reopened.gaps_reason, reopened.revision) == (None, "", 5)


def test_reopening_approved_ones_leaves_them_and_begins_the_next_version() -> None:
    approved = DRAFT.reviewed(3, "钱文", 300).approved(4, HEAD).sealed(APPROVAL)
    later = approved.reopened(5, "m2", "李四", 400)
    assert (later.id, later.version, later.revision, later.state) == ("m2", 2, 1, MinutesState.DRAFT)
    assert later.sections == approved.sections
    assert later.approval is None
    assert approved.approval == APPROVAL


def test_the_digest_is_that_of_what_it_says() -> None:
    other = DRAFT.edited(3, {"decisions": "x"}, "李四", 200)
    assert DRAFT.digest != other.digest
    reviewed = DRAFT.reviewed(3, "钱文", 300)
    assert reviewed.digest == DRAFT.digest
    heads = (
        HEAD,
        Letterhead("别的会", "市政协"),
        Letterhead("协商会", None),
        Letterhead("协商会", "市政协", "ab"),
    )
    assert len({DRAFT.digest, *(reviewed.approved(4, each).digest for each in heads)}) == 5


def test_a_draft_is_made_anew_by_revision_and_what_is_gone_is_named() -> None:
    sections = (Section("name", "会议名称", "改了"), Section("new", "一、新", "x"))
    with pytest.raises(ConferenceError, check=lambda error: error.code == "edit_conflict"):
        DRAFT.remade(2, sections, "李四", 200, 9)
    made = DRAFT.remade(3, sections, "李四", 200, 9)
    assert (made.revision, made.sections, made.made_number) == (4, sections, 9)
    gone = DRAFT.replaced_by(made)
    assert gone is not None
    assert (gone.revision, gone.sections, gone.written_by) == (3, (SECTIONS[0],), "钱文")
    assert (gone.replaced_by, gone.replaced_wall_ms) == ("李四", 200)
    assert DRAFT.replaced_by(DRAFT.remade(3, SECTIONS, "李四", 200, 9)) is None


def test_an_approval_names_the_end_of_the_trace() -> None:
    made = approval_of(AuditHead("c", 12, "ab" * 32), "周正明", 900, (), "")
    assert made == APPROVAL


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("一\n\n 二 \r\n\t三\u3000", "一\n二\n三"),
        ("张\u3000三", "张\u3000三"),
        ("坏\x00字\x0b符\ud800", "坏字符"),
        ("\u2028二\u2029三", "二\n三"),
        ("", ""),
    ],
)
def test_paragraphs_are_lines(said: str, kept: str) -> None:
    assert tidied(said) == kept
