"""Making the account of a consultation (问效表) from its rows, its board of comments and the head of its trace."""

from __future__ import annotations

from collections import Counter
from datetime import tzinfo
from typing import Final

from conference.model.account import (
    Account,
    AccountConsultation,
    AccountPromotions,
    AccountVenues,
    AccountViewers,
    OpenCase,
    TraceHead,
    by_urgency,
    comments_of,
    departments_of,
    median_days,
    ratings_of,
    responses_of,
    topics_of,
)
from conference.model.consultation import Consultation
from conference.model.due import overdue_days
from conference.model.permissions import Action, Role, require
from conference.model.promotion import PromotionState
from conference.model.response import Response
from conference.model.venue import VenueKind
from conference.services.comment_board import CommentBoard
from conference.services.comment_boards import CommentBoards
from conference.services.comment_topics import topic_list
from conference.services.ledger import Ledger, ledger_of
from conference.services.viewers import Viewers

_TEXT: Final = 200  # characters of what was asked


class Accounts:
    """On the node that holds the board. Changes nothing. `zone`: whose days count."""

    def __init__(self, boards: CommentBoards, viewers: Viewers, zone: tzinfo) -> None:
        self._boards = boards
        self._viewers = viewers
        self._zone = zone

    async def get(self, consultation_id: str, role: Role) -> Account:
        """As of now; other_node where another one holds the board."""
        require(role, Action.ACCOUNT_READ)
        board = await self._boards.get(consultation_id)
        wall_ms = self._boards.clock.wall_ms()
        found = await self._boards.topics.find(board, wall_ms)
        totals = await self._viewers.totals(consultation_id)
        async with self._boards.storage.reading() as unit:
            ledger = await ledger_of(unit, consultation_id)
            venues = Counter(each.kind for each in await unit.venues.of(consultation_id))
            head = await unit.audit.head(consultation_id)
        comments = comments_of(board.state_counts(), board.group_count)
        topics = ((each.name, each.comments) for each in topic_list(board, found).topics)
        named, others = topics_of(topics, comments)
        cases = list(ledger.responses.values())
        return Account(
            consultation=_consultation(ledger.consultation),
            as_of_wall_ms=wall_ms,
            venues=AccountVenues(venues[VenueKind.MAIN], venues[VenueKind.BRANCH], venues[VenueKind.POINT]),
            viewers=AccountViewers(totals.total or None, totals.peak or None),
            comments=comments,
            topics=named,
            other_topics=others,
            promoted=_promoted(board),
            responses=responses_of(cases, wall_ms),
            median_days=median_days(cases),
            ratings=ratings_of(cases, ledger.ratings),
            departments=departments_of(ledger.departments.values(), cases, ledger.ratings, wall_ms),
            open=tuple(
                self._open(ledger, each, wall_ms)
                for each in by_urgency(cases, lambda case: overdue_days(case, wall_ms, self._zone))
            ),
            trace=TraceHead(head.number, head.hash) if head.number else None,
            is_public=ledger.consultation.is_public,
        )

    def _open(self, ledger: Ledger, response: Response, wall_ms: int) -> OpenCase:
        department = ledger.department(response)
        return OpenCase(
            id=response.id,
            label=response.label(self._zone),
            text=ledger.comment(response).text[:_TEXT],
            authors=response.authors,
            department=None if department is None else department.name,
            due_wall_ms=response.due_wall_ms,
            overdue_days=overdue_days(response, wall_ms, self._zone),
        )


def _consultation(consultation: Consultation) -> AccountConsultation:
    return AccountConsultation(
        consultation.id,
        consultation.title,
        consultation.organization,
        consultation.status.value,
        consultation.started_at_ms,
        consultation.ended_at_ms,
    )


def _promoted(board: CommentBoard) -> AccountPromotions:
    """A comment that was put to the session twice counts once."""
    taken = [each for each in board.promotions.values() if each.state is PromotionState.TAKEN]
    authors = {each.comment_id: each.authors for each in taken}
    return AccountPromotions(len(authors), sum(authors.values()))
