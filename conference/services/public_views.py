"""What the public may know of a consultation: the page beside the livestream, and 图文直播.

Nothing of it runs ahead of the picture: with a public delay everything is told as it stood that long ago, and
what was withdrawn from the picture is not told at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final
from weakref import WeakValueDictionary

from conference.clock import Clock
from conference.model.agenda import AgendaItem, AgendaKind, ItemState
from conference.model.chapters import Chapter, ChapterKind, chapters
from conference.model.comment import CommentsState, comments_state
from conference.model.consultation import CommentIdentity, Consultation, Moderation, Status
from conference.model.floor import Turn
from conference.model.footage import Footage, OnAir, Span, Still
from conference.model.identity import IdentityKind
from conference.model.timeline import (
    EDITED,
    STEPS,
    Marks,
    agenda_at,
    began_ms,
    plate_line,
    speaker_at,
    stretches,
)
from conference.model.transcript import TranscriptSegment
from conference.model.viewers import Beacon
from conference.services.ports import Storage, UnitOfWork
from conference.services.ports.airing import Airing, FootageShelf
from conference.services.public_captions import CaptionView, newest, shown
from conference.services.viewers import Viewers

PAGE: Final = 50
_STILL_EVERY_MS: Final = 60_000  # in the text; the newest one is renewed as often as there is one
_FRESH_S: Final = 0.3  # how long an answer is given again
_KEPT: Final = 256  # consultations whose answers are remembered
_LINES: Final = 500
_NEWEST: Final = 12  # segments that are looked at for the newest captions


@dataclass(frozen=True, slots=True)
class SpeakerView:
    """Who holds the floor: name, and the second line of the name plate."""

    name: str
    line: str


@dataclass(frozen=True, slots=True)
class PromotionView:
    """What the public said and the session is about now; `answering` says who is to answer."""

    text: str
    nickname: str | None
    place: str | None
    answering: str | None


@dataclass(frozen=True, slots=True)
class LiveView:
    """Where the livestream is played from."""

    url: str
    renditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplayView:
    """Where the replay is played from. `spans` map program time to the player's own: it plays them in a row."""

    url: str
    renditions: tuple[str, ...]
    duration_ms: int
    spans: tuple[Span, ...]
    chapters: tuple[Chapter, ...]


@dataclass(frozen=True, slots=True)
class CommentsView:
    """Whether the public may write, how many comments are shown, and when they are looked at."""

    state: CommentsState
    total: int
    moderation: Moderation


@dataclass(frozen=True, slots=True)
class ResponsesView:
    """Cases that the public knows of, and how many of them were answered."""

    total: int
    answered: int


@dataclass(frozen=True, slots=True)
class IdentityOffer:
    """How viewers may show who they are, and whether they have to before they comment."""

    kinds: tuple[IdentityKind, ...]
    required: bool


@dataclass(frozen=True, slots=True)
class PublicPage:
    """A consultation as the public sees it. Times `…_wall_ms`, `scheduled_at_ms` and the like are UTC, others program
    time. `captions` is None where nobody writes any."""

    id: str
    title: str
    organization: str | None
    status: Status
    scheduled_at_ms: int | None
    ends_at_ms: int | None
    closing_at_ms: int | None
    started_wall_ms: int | None
    ended_wall_ms: int | None
    delay_s: int
    cut: bool
    agenda: tuple[AgendaItem, ...]
    current_item: str | None
    speaker: SpeakerView | None
    promotion: PromotionView | None
    captions: tuple[CaptionView, ...] | None
    live: LiveView | None
    replay: ReplayView | None
    comments: CommentsView
    beacon: Beacon | None
    viewers: int | None
    responses: ResponsesView
    identity: IdentityOffer | None = None


class EntryKind(StrEnum):
    ITEM = "item"
    SPEAKER = "speaker"
    PROMOTION = "promotion"
    STILL = "still"
    CAPTION = "caption"


@dataclass(frozen=True, slots=True)
class TextEntry:
    """One entry of 图文直播. `text` is the item's title, the speaker's name, what was promoted, or what was said (by
    `line`); `url` a still's."""

    kind: EntryKind
    at_ms: int
    text: str = ""
    line: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class StillView:
    url: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class TextView:
    """图文直播, newest first. `next` is the `before` of the page behind this one."""

    still: StillView | None
    items: tuple[TextEntry, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that a view is made of, read at one time. `at_ms` is how far the public has come in program time;
    None before its broadcast has begun."""

    consultation: Consultation
    items: tuple[AgendaItem, ...]
    marks: Marks
    turns: tuple[Turn, ...]
    lines: dict[str, str]
    footage: Footage
    on_air: OnAir
    status: Status
    at_ms: int | None
    comments: CommentsView
    responses: ResponsesView
    beacon: Beacon | None = None
    viewers: int | None = None
    identity: IdentityOffer | None = None
    captions: tuple[CaptionView, ...] | None = None

    @property
    def reached_ms(self) -> int | None:
        """The same, standing still while the broadcast is cut off."""
        return None if self.at_ms is None else self.on_air.reached_ms(self.at_ms)


class PublicViews:
    """Reads rows at most a few times a second for each consultation, however many ask."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        airing: Airing,
        shelf: FootageShelf,
        viewers: Viewers,
        *,
        identity_kinds: Sequence[IdentityKind] = (),
    ) -> None:
        """`identity_kinds`: how viewers may show who they are."""
        self._storage = storage
        self._clock = clock
        self._airing = airing
        self._shelf = shelf
        self._viewers = viewers
        self._identity_kinds = tuple(identity_kinds)
        self._told: dict[str, tuple[float, Told, PublicPage]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._marks: dict[str, tuple[int, int, Marks]] = {}
        self._texts: dict[tuple[str, int | None], tuple[Told, TextView]] = {}

    async def get(self, consultation_id: str) -> PublicPage:
        """consultation_not_found for what is not public, too. The same object as long as it is fresh."""
        return (await self._tell(consultation_id))[1]

    async def text(self, consultation_id: str, before_ms: int | None = None) -> TextView:
        """The newest entries, or those before a moment of program time."""
        told = (await self._tell(consultation_id))[0]
        known = self._texts.get((consultation_id, before_ms))
        if known is not None and known[0] is told:
            return known[1]
        said: Sequence[TranscriptSegment] = ()
        if told.captions is not None and told.reached_ms is not None:
            until_ms = told.reached_ms if before_ms is None else min(before_ms, told.reached_ms)
            async with self._storage.reading() as unit:
                said = await unit.transcript.newest(consultation_id, until_ms, PAGE + 1)
        view = text_view(told, before_ms, said)
        if len(self._texts) >= _KEPT:
            self._texts.clear()
        self._texts[consultation_id, before_ms] = told, view
        return view

    async def reached(self, consultation_id: str) -> tuple[OnAir, int | None]:
        """What is kept from the public, and how far it has come; consultation_not_found for what is not public."""
        told = (await self._tell(consultation_id))[0]
        return told.on_air, told.reached_ms

    async def _tell(self, consultation_id: str) -> tuple[Told, PublicPage]:
        turn = self._turns.get(consultation_id)
        if turn is None:
            turn = self._turns[consultation_id] = asyncio.Lock()
        async with turn:  # one reads, the others who ask meanwhile get the same
            now_s = self._clock.monotonic()
            kept = self._told.get(consultation_id)
            if kept is not None and now_s - kept[0] < _FRESH_S:
                return kept[1], kept[2]
            told = await self._read(consultation_id)
            page = public_view(told)
            self._told.pop(consultation_id, None)
            self._told[consultation_id] = (now_s, told, page)
            if len(self._told) > _KEPT:
                oldest = next(iter(self._told))
                del self._told[oldest]
                self._marks.pop(oldest, None)
            return told, page

    async def _read(self, consultation_id: str) -> Told:
        broadcast = await self._airing.view(consultation_id)
        consultation = broadcast.consultation
        consultation.require_public()
        on_air = OnAir(broadcast.delay_ms, broadcast.is_cut, broadcast.withdrawn)
        status, at_ms = reached(consultation, broadcast.program_time_ms, self._clock.wall_ms(), on_air)
        async with self._storage.reading() as unit:
            agenda = await unit.agenda.get(consultation_id)
            turns = tuple(await unit.floor.turns(consultation_id))
            people = await unit.participants.of(consultation_id)
            marks = await self._marked(unit, consultation)
            comments = await unit.comments.shown_count(consultation_id)
            responses = await unit.responses.shown_totals(consultation_id)
            captions = await _captions(unit, consultation, on_air, at_ms)
        beacon, viewers = await self._viewers.told(consultation)
        may_write = comments_state(consultation, self._clock.wall_ms(), is_cut=broadcast.is_cut)
        status, at_ms = reached(consultation, broadcast.program_time_ms, self._clock.wall_ms(), on_air)
        return Told(
            consultation=consultation,
            items=agenda.items,
            marks=marks,
            turns=turns,
            lines={each.id: plate_line(each) for each in people},
            footage=await self._shelf.footage(consultation_id),
            on_air=on_air,
            status=status,
            at_ms=at_ms,
            comments=CommentsView(may_write, comments, consultation.moderation),
            responses=ResponsesView(*responses),
            beacon=beacon,
            viewers=viewers,
            identity=self._offer(consultation),
            captions=captions,
        )

    def _offer(self, consultation: Consultation) -> IdentityOffer | None:
        is_required = consultation.comment_identity is CommentIdentity.REQUIRED
        return IdentityOffer(self._identity_kinds, is_required) if self._identity_kinds else None

    async def _marked(self, unit: UnitOfWork, consultation: Consultation) -> Marks:
        """What the trace says behind the last rehearsal; lines that were read are remembered, for they never change."""
        consultation_id, begin = consultation.id, consultation.rehearsed_line
        began, after, marks = self._marks.get(consultation_id, (begin, begin, Marks()))
        head = await unit.audit.head(consultation_id)
        if head.number < after or began != begin:  # made anew, or rehearsed once more
            after, marks = begin, Marks()
        if head.number > after:
            lines = []
            for action in sorted({EDITED, *STEPS}):
                first = after
                while found := await unit.audit.lines(consultation_id, first, _LINES, action=action):
                    lines += found
                    first = found[-1].number
            marks = marks.followed_by(sorted(lines, key=lambda line: line.number))
        self._marks[consultation_id] = (begin, head.number, marks)
        return marks


async def _captions(
    unit: UnitOfWork, consultation: Consultation, on_air: OnAir, at_ms: int | None
) -> tuple[CaptionView, ...] | None:
    """The newest; None where nobody listens, or has listened."""
    if consultation.status is Status.SCHEDULED:  # a rehearsal is heard, too
        return None
    if not consultation.captions or not await unit.transcript.covered(consultation.id):
        return None
    reached_ms = None if at_ms is None else on_air.reached_ms(at_ms)
    if reached_ms is None or on_air.is_cut:
        return ()
    said = await unit.transcript.newest(consultation.id, reached_ms, _NEWEST)
    return newest(said, on_air, reached_ms)


# ── pure ────────────────────────────────────────────────────────────────────────────────────────


def reached(
    consultation: Consultation, now_ms: int | None, wall_ms: int, on_air: OnAir
) -> tuple[Status, int | None]:
    """How far the public has come: going live and ending reach it with the delay, too."""
    if now_ms is None or consultation.started_at_ms is None:
        return consultation.status, None
    if consultation.status is Status.LIVE:
        at_ms = now_ms - on_air.delay_ms
        return (Status.SCHEDULED, None) if at_ms < 0 else (Status.LIVE, at_ms)
    over_for_ms = wall_ms - (consultation.ended_at_ms or 0)
    if consultation.status is Status.ENDED and over_for_ms < on_air.delay_ms:
        at_ms = now_ms + over_for_ms - on_air.delay_ms
        return (Status.SCHEDULED, None) if at_ms < 0 else (Status.LIVE, at_ms)
    return consultation.status, now_ms


def public_view(told: Told) -> PublicPage:
    """What the page shows. While the broadcast is cut off, the words stand still with the picture."""
    consultation, is_live = told.consultation, told.status is Status.LIVE
    at_ms = told.reached_ms
    agenda = _agenda(told, at_ms)
    current = next((item for item in agenda if item.state is ItemState.CURRENT), None)
    spoken = is_live and not told.on_air.is_cut and at_ms is not None and not told.on_air.hides(at_ms)
    turn = speaker_at(told.turns, at_ms) if spoken and at_ms is not None else None
    return PublicPage(
        id=consultation.id,
        title=consultation.title,
        organization=consultation.organization,
        status=told.status,
        scheduled_at_ms=consultation.scheduled_at_ms,
        ends_at_ms=consultation.ends_at_ms,
        closing_at_ms=consultation.closing_at_ms,
        started_wall_ms=None if at_ms is None else consultation.started_at_ms,
        ended_wall_ms=None if at_ms is None or is_live else consultation.ended_at_ms,
        delay_s=told.on_air.delay_ms // 1000,
        cut=told.on_air.is_cut and is_live,
        agenda=tuple(agenda),
        current_item=None if current is None else current.id,
        speaker=None if turn is None else SpeakerView(turn.name, told.lines.get(turn.participant_id, "")),
        promotion=_promotion(current) if spoken else None,
        captions=told.captions if spoken or told.captions is None else (),
        live=_live(told) if is_live else None,
        replay=_replay(told, agenda) if told.status in (Status.ENDED, Status.ARCHIVED) else None,
        comments=told.comments,
        beacon=told.beacon,
        viewers=told.viewers,
        responses=told.responses,
        identity=told.identity,
    )


def _agenda(told: Told, at_ms: int | None) -> list[AgendaItem]:
    agenda = agenda_at(told.items, told.marks, at_ms)
    if told.status not in (Status.ENDED, Status.ARCHIVED):
        return agenda
    end_ms = told.at_ms
    return [
        replace(item, state=ItemState.DONE, ended_at_ms=end_ms) if item.state is ItemState.CURRENT else item
        for item in agenda
    ]


def _promotion(item: AgendaItem | None) -> PromotionView | None:
    if item is None or item.kind is not AgendaKind.PROMOTION:
        return None
    return PromotionView(item.words or item.title, item.nickname, item.place, item.speaker)


def _live(told: Told) -> LiveView | None:
    if not told.footage.renditions:
        return None
    return LiveView(f"/live/{told.consultation.id}/index.m3u8", told.footage.renditions)


def _replay(told: Told, agenda: Sequence[AgendaItem]) -> ReplayView | None:
    footage = told.footage
    if not footage.renditions or not footage.spans:
        return None
    shown = _open_chapters(chapters(agenda, told.marks.steps, told.turns, told.at_ms or 0), told.on_air)
    return ReplayView(
        url=f"/live/{told.consultation.id}/index.m3u8",
        renditions=footage.renditions,
        duration_ms=sum(to_ms - from_ms for from_ms, to_ms in footage.spans),
        spans=footage.spans,
        chapters=tuple(shown),
    )


def _open_chapters(found: Iterable[Chapter], on_air: OnAir) -> list[Chapter]:
    """Speeches and promotions as far as they were not withdrawn: they begin where the picture comes back."""
    shown: list[Chapter] = []
    for each in found:
        from_ms = each.from_ms if each.kind is ChapterKind.ITEM else on_air.open_from_ms(each.from_ms)
        if from_ms is not None and from_ms < each.to_ms:
            shown.append(replace(each, from_ms=from_ms))
    return sorted(shown, key=lambda each: each.from_ms)


def text_view(told: Told, before_ms: int | None = None, said: Sequence[TranscriptSegment] = ()) -> TextView:
    """图文直播 as of now, or the page before a moment. `said`: the newest segments, one more than fit when there are
    more."""
    at_ms = told.reached_ms
    if at_ms is None:
        return TextView(None, (), None)
    stills = [
        each
        for each in told.footage.stills
        if each.program_time_ms <= at_ms and not told.on_air.hides(each.program_time_ms)
    ]
    found = [*_entries(told, at_ms, stills), *_words(told, at_ms, said)]
    entries = sorted(found, key=lambda each: each.at_ms, reverse=True)
    if before_ms is not None:
        entries = [each for each in entries if each.at_ms < before_ms]
    # Behind the oldest of these there may be more that was said.
    known_ms = said[0].start_ms if len(said) > PAGE else None
    if known_ms is not None:
        entries = [each for each in entries if each.at_ms >= known_ms]
    page = entries[:PAGE]
    if len(entries) > PAGE:  # entries of one moment stay together
        page += [each for each in entries[PAGE:] if each.at_ms == page[-1].at_ms]
    newest = stills[-1] if stills and not (told.on_air.is_cut and told.status is Status.LIVE) else None
    return TextView(
        still=None if newest is None else StillView(_address(told, newest), newest.program_time_ms),
        items=tuple(page),
        next=page[-1].at_ms if len(entries) > len(page) else known_ms,
    )


def _entries(told: Told, at_ms: int, stills: Iterable[Still]) -> Iterable[TextEntry]:
    items = {item.id: item for item in agenda_at(told.items, told.marks, at_ms)}
    for stretch in stretches([step for step in told.marks.steps if step.at_ms <= at_ms]):
        item = items.get(stretch.item_id)
        title = stretch.title if item is None else item.title
        if item is None or item.kind is not AgendaKind.PROMOTION:
            yield TextEntry(EntryKind.ITEM, stretch.from_ms, title)
        elif not told.on_air.hides(stretch.from_ms):
            yield TextEntry(EntryKind.PROMOTION, stretch.from_ms, item.words or title, item.speaker or "")
    for turn in told.turns:
        from_ms = began_ms(turn)
        live_turn = turn.is_open or turn.ended_at_ms is not None
        if live_turn and from_ms <= at_ms and not told.on_air.hides(from_ms):
            yield TextEntry(EntryKind.SPEAKER, from_ms, turn.name, told.lines.get(turn.participant_id, ""))
    minute = -1
    for still in stills:
        if still.program_time_ms // _STILL_EVERY_MS != minute:
            minute = still.program_time_ms // _STILL_EVERY_MS
            yield TextEntry(EntryKind.STILL, still.program_time_ms, url=_address(told, still))


def _words(told: Told, at_ms: int, said: Iterable[TranscriptSegment]) -> Iterable[TextEntry]:
    for each in shown(said, told.on_air, at_ms):
        yield TextEntry(EntryKind.CAPTION, each.start_ms, each.text, each.speaker.name)


def _address(told: Told, still: Still) -> str:
    return f"/live/{told.consultation.id}/{still.file}"
