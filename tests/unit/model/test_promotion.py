"""Promotions: what may become of one, and that its item of the agenda alone says where it stands."""

import pytest

from conference.model.agenda import MAX_TITLE_CHARS, Agenda, AgendaDraft, AgendaKind, promotion_item
from conference.model.errors import ConferenceError
from conference.model.promotion import Promotion, PromotionPhase, PromotionState

PROPOSED = Promotion("pr", "c", "m", "g", PromotionState.PROPOSED, 3, "王审核", 7)


def test_what_may_become_of_one() -> None:
    taken = PROPOSED.taken("a_1", None, "主持人", 9)
    assert (taken.state, taken.item_id, taken.decided_by) == (PromotionState.TAKEN, "a_1", "主持人")
    declined = PROPOSED.closed(PromotionState.DECLINED, "主持人", 9)
    assert declined.closed(PromotionState.DECLINED, "x", 11) is declined
    for over in (taken, declined):
        with pytest.raises(ConferenceError) as caught:
            over.taken("a_2", None, "x", 1)
        assert caught.value.code == "comment_changed"
        with pytest.raises(ConferenceError) as caught:
            over.closed(PromotionState.WITHDRAWN, "x", 1)
        assert caught.value.code == "comment_changed"


def test_it_interrupts_the_agenda_and_the_interrupted_goes_on() -> None:
    drafts = [AgendaDraft(title, AgendaKind.SPEECH) for title in ("甲", "乙")]
    agenda = Agenda().edited(drafts).advanced(10)
    first = agenda.items[0].id
    item = promotion_item("m", "助餐点" * 100, "老李", "南坪镇")
    assert (item.words, len(item.title)) == ("助餐点" * 100, MAX_TITLE_CHARS)
    promotion = PROPOSED.taken(item.id, first, "主持人", 1)
    assert PROPOSED.phase(agenda) is PromotionPhase.PROPOSED
    agenda = agenda.interrupted(item, 20)
    assert [(each.id, each.state) for each in agenda.items][:2] == [(first, "done"), (item.id, "current")]
    assert promotion.phase(agenda) is PromotionPhase.CURRENT
    moved_on = agenda.advanced(25)
    assert moved_on.current is not None
    assert moved_on.current.title == "乙"
    assert promotion.phase(moved_on) is PromotionPhase.ENDED
    back = agenda.resumed(promotion.interrupted_id, 30)
    assert back.current is not None
    assert (back.current.id, back.current.started_at_ms) == (first, 10)
    assert agenda.resumed("a_gone", 30).current is None
    assert Agenda().interrupted(item, 5).resumed(None, 6).current is None
