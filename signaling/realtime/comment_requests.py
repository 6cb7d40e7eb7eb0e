"""The requests about comments and promotions: in the room and at a desk alike."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from conference.desk_views import PromotionCard
from conference.model.comment import Decision
from conference.services.comment_changes import Decided
from conference.services.comment_desk import CommentDesk
from conference.services.promotions import Promotions
from signaling.realtime.dispatch import Call, Session
from signaling.realtime.requests import (
    CommentClaim,
    CommentDecision,
    CommentIds,
    CommentOne,
    CommentReopen,
    CommentsGroup,
    CommentsList,
    CommentUndo,
    Empty,
    PromotionEnd,
    PromotionOne,
)
from signaling.realtime.wire import render_view


class CommentRequests:
    """Handlers."""

    def __init__(self, desk: CommentDesk, promotions: Promotions) -> None:
        self._desk = desk
        self._promotions = promotions

    def calls(self) -> dict[str, Call]:
        return {
            "comments.list": self._list,
            "comments.group": self._group,
            "comments.topics": self._topics,
            "comment.approve": self._deciding(Decision.APPROVE),
            "comment.reject": self._deciding(Decision.REJECT),
            "comment.hold": self._deciding(Decision.HOLD),
            "comment.hide": self._deciding(Decision.HIDE),
            "comment.reopen": self._reopen,
            "comment.undo": self._undo,
            "comment.claim": self._claim,
            "comment.release": self._release,
            "comment.represent": self._represent,
            "comment.merge": self._merge,
            "comment.split": self._split,
            "comment.promote": self._promote,
            "promotions.list": self._promoted,
            "promotion.decline": self._decline,
            "promotion.end": self._end,
        }

    async def _list(self, session: Session, request: CommentsList) -> dict[str, Any]:
        page = await self._desk.groups(session.room_id, session.participant_id, request.wanted())
        return {
            "items": [render_view(each) for each in page.items],
            "next": page.next,
            "total": page.total,
            "counts": render_view(page.counts),
            "promotions": [render_view(each) for each in page.promotions],
        }

    async def _group(self, session: Session, request: CommentsGroup) -> dict[str, Any]:
        page = await self._desk.group(
            session.room_id, session.participant_id, request.id, request.after, request.limit
        )
        return {"items": [render_view(each) for each in page.items], "next": page.next}

    async def _topics(self, session: Session, _: Empty) -> dict[str, Any]:
        return asdict(await self._desk.topics(session.room_id, session.participant_id))

    def _deciding(self, decision: Decision) -> Call:
        async def decide(session: Session, request: CommentDecision) -> dict[str, Any]:
            where, who, batch = session.room_id, session.participant_id, request.batch()
            if batch is not None:
                return _decided(
                    await self._desk.decide_batch(where, who, decision, batch, reason=request.reason)
                )
            ids = request.ids or []
            decided = await self._desk.decide(
                where, who, decision, ids, group=request.group, reason=request.reason
            )
            return _decided(decided)

        return decide

    async def _reopen(self, session: Session, request: CommentReopen) -> dict[str, Any]:
        where, who = session.room_id, session.participant_id
        return _decided(
            await self._desk.decide(where, who, Decision.REOPEN, request.ids, reason=request.reason)
        )

    async def _undo(self, session: Session, request: CommentUndo) -> dict[str, Any]:
        return _decided(await self._desk.undo(session.room_id, session.participant_id, request.id))

    async def _claim(self, session: Session, request: CommentClaim) -> dict[str, Any]:
        view = await self._desk.claim(
            session.room_id, session.participant_id, request.id, take_over=request.take_over
        )
        return {"group": render_view(view)}

    async def _release(self, session: Session, request: CommentOne) -> dict[str, Any]:
        view = await self._desk.release(session.room_id, session.participant_id, request.id)
        return {"group": render_view(view)}

    async def _represent(self, session: Session, request: CommentOne) -> dict[str, Any]:
        view = await self._desk.represent(session.room_id, session.participant_id, request.id)
        return {"group": render_view(view)}

    async def _merge(self, session: Session, request: CommentIds) -> dict[str, Any]:
        return _decided(await self._desk.merge(session.room_id, session.participant_id, request.ids))

    async def _split(self, session: Session, request: CommentIds) -> dict[str, Any]:
        return _decided(await self._desk.split(session.room_id, session.participant_id, request.ids))

    async def _promote(self, session: Session, request: CommentOne) -> dict[str, Any]:
        return _promotion(await self._promotions.promote(session.room_id, session.participant_id, request.id))

    async def _promoted(self, session: Session, _: Empty) -> dict[str, Any]:
        found = await self._promotions.every(session.room_id, session.participant_id)
        return {"items": [render_view(each) for each in found]}

    async def _decline(self, session: Session, request: PromotionOne) -> dict[str, Any]:
        return _promotion(await self._promotions.decline(session.room_id, session.participant_id, request.id))

    async def _end(self, session: Session, request: PromotionEnd) -> dict[str, Any]:
        return _promotion(await self._promotions.end(session.room_id, session.participant_id, request.id))


def _decided(decided: Decided) -> dict[str, Any]:
    return {
        "changed": decided.changed,
        "ids": list(decided.ids),
        "groups": [render_view(each) for each in decided.groups],
        "undo": decided.undo,
    }


def _promotion(card: PromotionCard) -> dict[str, Any]:
    return {"state": card.phase.value, "promotion": render_view(card)}
