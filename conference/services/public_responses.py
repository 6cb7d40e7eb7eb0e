"""What the public sees and says of answers: the list of all cases, one's own, ratings and further questions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from conference.model.account import median_days
from conference.model.audit import VIEWER
from conference.model.broadcast import PublicView
from conference.model.comment import Level
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.folding import tidied
from conference.model.ids import new_id
from conference.model.response import (
    FollowUp,
    Rating,
    Response,
    ResponseRating,
    ResponseState,
    Step,
    Visibility,
)
from conference.services.broadcasts import Broadcasts
from conference.services.case_views import PublicCase, public_case, public_state
from conference.services.cases import CaseChange, personal
from conference.services.comment_boards import CommentBoards
from conference.services.ledger import Ledger, Ledgers

PAGE: Final = 50
MAX_FOLLOW_UPS: Final = 3  # of one device about one case
_FRESH_S: Final = 1.0
_KEPT: Final = 256


@dataclass(frozen=True, slots=True)
class PublicCases:
    """Newest first. `next` is the `after` of the page behind this one; counts and `median_days` are of all."""

    items: tuple[PublicCase, ...]
    next: int | None
    total: int
    answered: int
    pending: int
    overdue: int
    median_days: float | None


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """To one of those who asked, also what is private."""

    text: str
    visibility: Visibility
    at_wall_ms: int


@dataclass(frozen=True, slots=True)
class OwnCase:
    """What an author is told of the case about the own comment. `rating`: what the own device said."""

    id: str
    state: str
    department: str | None
    due_wall_ms: int | None
    answer: OwnAnswer | None
    rating: Rating | None
    follow_ups: int


class PublicResponses:
    """For people without a name. `device_hash` stands for each."""

    def __init__(self, boards: CommentBoards, broadcasts: Broadcasts, ledgers: Ledgers, zone: tzinfo) -> None:
        self._boards = boards
        self._storage = boards.storage
        self._clock = boards.clock
        self._broadcasts = broadcasts
        self._ledgers = ledgers
        self._zone = zone
        self._pages: dict[str, tuple[Ledger, float, PublicCases]] = {}

    async def page(self, consultation_id: str, after: int | None = None) -> PublicCases:
        """What everybody may see: cases whose comment is shown, none ahead of the picture. The newest page is the same
        object for a second: thousands ask for it."""
        view = await self._public(consultation_id)
        ledger = await self._ledgers.get(consultation_id)
        if after is not None:
            return self._page(ledger, view, after)
        now_s, kept = self._clock.monotonic(), self._pages.get(consultation_id)
        if kept is None or kept[0] is not ledger or now_s - kept[1] >= _FRESH_S:
            if len(self._pages) >= _KEPT:
                self._pages.clear()
            kept = self._pages[consultation_id] = ledger, now_s, self._page(ledger, view, None)
        return kept[2]

    def _page(self, ledger: Ledger, view: PublicView, after: int | None) -> PublicCases:
        wall_ms = self._clock.wall_ms()
        until_ms = view.shown_until_ms(wall_ms)
        before_ms = wall_ms - (view.delay_ms if view.consultation.status is Status.LIVE else 0)
        shown = [
            each
            for each in reversed(tuple(ledger.responses.values()))
            if ledger.comment(each).is_shown and each.opened_wall_ms <= before_ms
        ]
        rest = [each for each in shown if after is None or each.number < after]
        answered = sum(each.is_answered for each in shown)
        pending = sum(public_state(each) == "pending" for each in shown)
        return PublicCases(
            tuple(public_case(ledger, each, wall_ms, self._zone, until_ms) for each in rest[:PAGE]),
            rest[PAGE - 1].number if len(rest) > PAGE else None,
            len(shown),
            answered,
            pending,
            sum(each.is_overdue(wall_ms) and not each.is_answered for each in shown),
            median_days(shown),
        )

    async def mine(
        self, consultation_id: str, comment_ids: Sequence[str], device_hash: str
    ) -> dict[str, OwnCase]:
        """By comment, for those of them that this device wrote and that belong to a case."""
        ledger = await self._ledgers.get(consultation_id)
        if not ledger.responses:
            return {}
        async with self._storage.reading() as unit:
            comments = await unit.comments.named(comment_ids)
        found: dict[str, OwnCase] = {}
        for comment in comments:
            if comment.device_hash == device_hash and comment.consultation_id == consultation_id:
                response = ledger.of_group(comment.group_id)
                if response is not None:
                    found[comment.id] = _own(ledger, response, device_hash)
        return found

    async def rate(self, consultation_id: str, response_id: str, device_hash: str, rating: Rating) -> None:
        """By one who asked; the last word counts. The case is closed when whoever stands for the group is satisfied.

        not_found for others; response_changed while there is no answer.
        """
        async with self._asking(consultation_id, response_id, device_hash, Step.RATE) as change:
            before = change.response
            said = ResponseRating(before.id, device_hash, rating, change.wall_ms)
            await change.unit.responses.rate(said)
            entries = [change.entry("response.rated", rating=rating.value)]
            after = before
            if rating is Rating.SATISFIED and before.state is ResponseState.ANSWERED:
                (comment,) = await change.unit.comments.named([before.comment_id])
                if comment.device_hash == device_hash:
                    after = before.closed(change.wall_ms)
                    entries.append(change.entry("response.closed", answered=True))
            await change.write(after, *entries)
        self._ledgers.forget(consultation_id)

    async def follow_up(self, consultation_id: str, response_id: str, device_hash: str, text: str) -> None:
        """A further question by one who asked, for the secretariat. Sending the same again is harmless.

        text_refused when the filter does not let it pass, too_many_follow_ups after three.
        """
        words = tidied(text)
        if not words:
            raise ConferenceError("bad_request", "no text")
        board = await self._boards.get(consultation_id)
        if board.judge.judge(text, "", None).level is Level.BLOCK:
            raise ConferenceError("text_refused")
        async with self._asking(consultation_id, response_id, device_hash, Step.FOLLOW_UP) as change:
            there = await change.unit.responses.follow_ups(consultation_id)
            own = [
                each for each in there if (each.response_id, each.device_hash) == (response_id, device_hash)
            ]
            if not any(each.text == words for each in own):
                if len(own) >= MAX_FOLLOW_UPS:
                    raise ConferenceError("too_many_follow_ups")
                made = FollowUp(new_id("fu"), response_id, device_hash, words, change.wall_ms)
                await change.unit.responses.add_follow_up(made)
                await change.unit.audit.append(
                    change.entry("response.followed_up", follow_up=made.id, text=personal(words))
                )
        self._ledgers.forget(consultation_id)

    # ── used above ──────────────────────────────────────────────────────────────────────────────

    async def _public(self, consultation_id: str) -> PublicView:
        view = await self._broadcasts.view(consultation_id)
        view.consultation.require_public()
        return view

    @asynccontextmanager
    async def _asking(
        self, consultation_id: str, response_id: str, device_hash: str, step: Step
    ) -> AsyncIterator[CaseChange]:
        """The case, for one whose comment is in its group; it was answered."""
        consultation: Consultation = (await self._public(consultation_id)).consultation
        async with self._storage.transaction() as unit:
            change = await CaseChange.begin(
                unit,
                consultation_id,
                response_id,
                actor=VIEWER,
                wall_ms=self._clock.wall_ms(),
                program_time_ms=self._boards.rooms.program_time_ms(consultation),
            )
            (comment,) = await unit.comments.named([change.response.comment_id])
            if comment.group_id not in await unit.comments.groups_of(consultation_id, device_hash):
                raise NotFoundError(f"response {response_id} of others")
            change.response.require(step)
            if not change.response.is_answered:
                raise ConferenceError("response_changed", "no answer yet")
            yield change


def _own(ledger: Ledger, response: Response, device_hash: str) -> OwnCase:
    department, answer = ledger.department(response), response.shown_answer
    said = ledger.follow_ups.get(response.id, ())
    return OwnCase(
        id=response.id,
        state=public_state(response),
        department=None if department is None else department.name,
        due_wall_ms=None if response.is_answered else response.due_wall_ms,
        answer=None
        if answer is None
        else OwnAnswer(answer.text, answer.visibility, answer.approved_wall_ms or answer.submitted_wall_ms),
        rating=ledger.rated.get((response.id, device_hash)),
        follow_ups=sum(each.device_hash == device_hash for each in said),
    )
