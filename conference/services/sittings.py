"""Reading a sitting: all rows that minutes are made of, in one view."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from conference.model.consultation import Consultation
from conference.model.promotion import PromotionState
from conference.model.record import people
from conference.model.response import Visibility
from conference.model.sitting import GivenAnswer, Promoted, Sitting
from conference.model.timeline import stretches
from conference.model.transcript import Gap, TranscriptSegment
from conference.model.transcript_place import Place
from conference.services.attendance import record_of
from conference.services.export_jobs import agenda_marks
from conference.services.ledger import ledger_of
from conference.services.ports import UnitOfWork

_PAGE: Final = 500


async def sitting_of(
    unit: UnitOfWork, consultation: Consultation, now_ms: int | None, gaps: Sequence[Gap], zone: tzinfo
) -> Sitting:
    """What took place, as the rows tell it now. `now_ms`: program time, of now or of the end."""
    record = await record_of(unit, consultation, now_ms)
    marks = await agenda_marks(unit, consultation)
    return Sitting(
        record=record,
        people=people(record),
        agenda=(await unit.agenda.get(consultation.id)).items,
        stretches=stretches(marks.steps),
        segments=await spoken(unit, consultation.id),
        promotions=await _promotions(unit, consultation.id),
        gaps=gaps,
        zone=zone,
    )


async def spoken(
    unit: UnitOfWork, consultation_id: str, participant_id: str | None = None
) -> list[TranscriptSegment]:
    """The transcript without words; piece by piece, so that others get their turn."""
    found: list[TranscriptSegment] = []
    after: Place | None = None
    while True:
        page = await unit.transcript.of(
            consultation_id, after=after, limit=_PAGE, participant_id=participant_id, brief=True
        )
        found += page
        if len(page) < _PAGE:
            return found
        after = Place.of(page[-1])


async def _promotions(unit: UnitOfWork, consultation_id: str) -> list[Promoted]:
    ledger = await ledger_of(unit, consultation_id)
    answers: defaultdict[str, list[GivenAnswer]] = defaultdict(list)
    for case in ledger.responses.values():
        answer, department = case.shown_answer, ledger.department(case)
        if answer is None or answer.approved_wall_ms is None:
            continue
        name = department.name if department is not None else answer.handler
        text = answer.text if answer.visibility is Visibility.PUBLIC else None
        answers[case.comment_id].append(GivenAnswer(name, text, answer.approved_wall_ms))
    return [
        Promoted(each.item_id, each.authors, tuple(answers[each.comment_id]))
        for each in await unit.promotions.of(consultation_id)
        if each.state is PromotionState.TAKEN and each.item_id is not None
    ]
