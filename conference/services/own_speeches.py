"""What somebody said themselves (我的发言), for them, when it is over: speeches with text and sound, statements."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from conference.clock import Clock
from conference.model.agenda import AgendaItem
from conference.model.audit import AuditEntry, Value
from conference.model.consultation import Consultation
from conference.model.errors import ForbiddenError, NotFoundError
from conference.model.export import Export, ExportKind, ExportState
from conference.model.floor import Turn
from conference.model.participant import EntryMeans, Participant
from conference.model.permissions import Action, Role, require
from conference.model.statement import Statement, StatementBoard
from conference.model.timeline import began_ms
from conference.model.transcript import TranscriptSegment
from conference.services.consultations import consultation_of
from conference.services.export_jobs import span_of_turn
from conference.services.exports import ExportRequest, Exports
from conference.services.ports import Storage, UnitOfWork
from conference.services.trace import Bearer
from conference.services.track_sounds import TrackSound, TrackSounds, files_of, require_open, require_span
from conference.services.warrants import Warrant

MOST_SOUND_MS: Final = 1_800_000
_APART_MS: Final = 60_000  # what is further apart is another speech


@dataclass(frozen=True, slots=True)
class OwnSpeech:
    """One holding of the floor, or what was said in a row without it. Times are program time; `turn_id` None: no clip
    is made of it."""

    turn_id: str | None
    item_title: str | None
    from_ms: int
    to_ms: int
    segments: tuple[TranscriptSegment, ...]
    has_sound: bool
    clip: Export | None


@dataclass(frozen=True, slots=True)
class OwnStatement:
    """What was written, and who answered."""

    statement: Statement
    likes: int
    replies: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class OwnRecord:
    consultation: Consultation
    name: str
    speeches: tuple[OwnSpeech, ...]
    statements: tuple[OwnStatement, ...]


@dataclass(frozen=True, slots=True)
class _Self:
    """Everybody that the bearer was in this consultation: who came by several doors was several participants."""

    name: str
    participants: tuple[Participant, ...]
    is_known_by_name: bool  # an invitee of whose name there is nobody else

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(each.id for each in self.participants)

    def said(self, segment: TranscriptSegment) -> bool:
        """Their words: into their own microphone unless somebody said otherwise, or as it was found out later."""
        if segment.is_confidential or not segment.speaker.is_certain:
            return False
        if segment.participant_id in self.ids:
            return segment.speaker.name in {self.name, *(each.name for each in self.participants)}
        return self.is_known_by_name and segment.speaker.name == self.name


_Speech = tuple[Turn | None, tuple[TranscriptSegment, ...], int, int]  # with its beginning and end


@dataclass(frozen=True, slots=True)
class _Said:
    """What somebody said, and what others did into the same microphones: in a hall, or what is not for everybody."""

    turns: Sequence[Turn]
    others: Sequence[TranscriptSegment]
    speeches: Sequence[_Speech]

    def has_others(self, from_ms: int, to_ms: int) -> bool:
        return any(each.start_ms < to_ms and each.end_ms > from_ms for each in self.others)


class OwnSpeeches:
    """Asked with one's own link; nothing of others is in it but their replies. `invalid_state` before the end."""

    def __init__(self, storage: Storage, sounds: TrackSounds, exports: Exports, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._sounds = sounds
        self._exports = exports

    async def of(self, consultation_id: str, by: Bearer, warrant: Warrant) -> OwnRecord:
        require(by.role, Action.CONSULTATION_READ)
        async with self._storage.reading() as unit:
            consultation, me = await self._me(unit, consultation_id, by, warrant)
            said = await self._said(unit, consultation, me)
            items = {each.id: each for each in (await unit.agenda.get(consultation_id)).items}
            files = await files_of(unit, consultation_id, me.ids)
            board = await unit.statements.board(consultation_id)
            clips = await self._clips(unit, consultation_id, said.turns)
        speeches = [
            OwnSpeech(
                turn_id=None if turn is None else turn.id,
                item_title=_title(items, turn, own),
                from_ms=from_ms,
                to_ms=to_ms,
                segments=own,
                has_sound=any(each.started_at_ms < to_ms for each in files)
                and not said.has_others(from_ms, to_ms),
                clip=None if turn is None else clips.get(turn.id),
            )
            for turn, own, from_ms, to_ms in said.speeches
        ]
        return OwnRecord(consultation, me.name, tuple(speeches), tuple(_statements(board, me.ids, by.role)))

    async def sound(
        self,
        consultation_id: str,
        by: Bearer,
        warrant: Warrant,
        from_ms: int,
        to_ms: int,
        *,
        is_traced: bool = True,
    ) -> TrackSound:
        """Of one's own microphone, within one speech. bad_request for more than half an hour, forbidden outside of
        one's speeches and where something confidential, or of others, lies in it; nothing_recorded."""
        require(by.role, Action.CONSULTATION_READ)
        require_span(from_ms, to_ms, MOST_SOUND_MS)
        async with self._storage.reading() as unit:
            consultation, me = await self._me(unit, consultation_id, by, warrant)
            said = await self._said(unit, consultation, me)
            if not any(began <= from_ms and to_ms <= ended for _, _, began, ended in said.speeches):
                raise ForbiddenError("not one's own speech")
            if said.has_others(from_ms, to_ms):
                raise ForbiddenError("of others, or confidential")
            files = await files_of(unit, consultation_id, me.ids)
        sound = await self._sounds.cut(files, from_ms, to_ms)
        if is_traced:
            async with self._storage.transaction() as unit:
                content: dict[str, Value] = {"from_ms": from_ms, "to_ms": to_ms}
                taken = sorted(each.id for each in me.participants)[0]
                entry = AuditEntry(
                    consultation_id,
                    self._clock.wall_ms(),
                    None,
                    by.actor,
                    "recording.downloaded",
                    taken,
                    content,
                )
                await unit.audit.append(entry)
        return sound

    @staticmethod
    async def _said(unit: UnitOfWork, consultation: Consultation, me: _Self) -> _Said:
        name = me.name if me.is_known_by_name else None
        found = await unit.minutes_sources.said_by(consultation.id, me.ids, name)
        turns = [each for each in await unit.floor.turns(consultation.id) if each.participant_id in me.ids]
        own = [each for each in found if me.said(each)]
        others = [each for each in found if each.participant_id in me.ids and not me.said(each)]
        end_ms = consultation.program_high_water_ms
        return _Said(turns, others, list(_speeches(own, others, turns, end_ms)))

    async def make_clip(self, consultation_id: str, by: Bearer, warrant: Warrant, turn_id: str) -> Export:
        """The sound of the session while one had the floor, as a file. not_found, invalid_state, nothing_recorded."""
        await self._own_turn(consultation_id, by, warrant, turn_id)
        asked = ExportRequest(ExportKind.CLIP, turn_id, is_turn=True)
        export, _ = await self._exports.wanted(consultation_id, by, asked)
        return export

    async def clip(self, consultation_id: str, by: Bearer, warrant: Warrant, turn_id: str) -> Export:
        """The one that is made, or on its way. not_found when nobody asked for it."""
        await self._own_turn(consultation_id, by, warrant, turn_id)
        async with self._storage.reading() as unit:
            clips = await self._clips(unit, consultation_id, None)
        if turn_id not in clips:
            raise NotFoundError(f"clip of {turn_id}")
        return clips[turn_id]

    async def _own_turn(self, consultation_id: str, by: Bearer, warrant: Warrant, turn_id: str) -> None:
        require(by.role, Action.CONSULTATION_READ)
        async with self._storage.reading() as unit:
            consultation, me = await self._me(unit, consultation_id, by, warrant)
            turns = await unit.floor.turns(consultation_id)
        turn = next((each for each in turns if each.id == turn_id and each.participant_id in me.ids), None)
        if turn is None:
            raise NotFoundError(f"turn {turn_id}")
        async with self._storage.reading() as unit:
            _, (from_ms, to_ms) = await span_of_turn(unit, consultation, turn_id)
            await require_open(unit, consultation_id, None, from_ms, to_ms)  # the clip has everybody's sound

    async def _clips(
        self, unit: UnitOfWork, consultation_id: str, turns: Sequence[Turn] | None
    ) -> dict[str, Export]:
        """By turn; failed ones may be asked for again."""
        wanted = None if turns is None else {each.id for each in turns}
        found = await self._exports.list(consultation_id, limit=_ALL)
        return {
            each.subject: each
            for each in reversed(found)
            if each.kind is ExportKind.CLIP
            and each.subject is not None
            and each.state is not ExportState.FAILED
            and (wanted is None or each.subject in wanted)
        }

    @staticmethod
    async def _me(
        unit: UnitOfWork, consultation_id: str, by: Bearer, warrant: Warrant
    ) -> tuple[Consultation, _Self]:
        consultation = await consultation_of(unit, consultation_id)
        consultation.require_over()
        found = await unit.participants.same_person(
            consultation_id,
            invitee_id=warrant.invitee_id,
            operated_id=warrant.venue_id if warrant.via is EntryMeans.OPERATOR else None,
            token_id=by.token_id,
            user_id=by.user_id,
        )
        invitees = await unit.invitees.of(consultation_id)
        alike = {each.id for each in invitees if each.name == by.name}
        everybody = await unit.participants.of(consultation_id)
        others = {each.id for each in everybody if each.name == by.name} - {each.id for each in found}
        is_known = warrant.invitee_id is not None and alike == {warrant.invitee_id} and not others
        return consultation, _Self(by.name, tuple(found), is_known)


_ALL: Final = 100_000


def _speeches(
    segments: Sequence[TranscriptSegment],
    others: Sequence[TranscriptSegment],
    turns: Sequence[Turn],
    end_ms: int,
) -> Iterator[_Speech]:
    """Turns in which somebody was heard, with what was said in them; and what was said besides, in their order."""
    found: list[_Speech] = []
    left = {each.id: each for each in segments}
    for turn in turns:
        if turn.first_started_at_ms is None:
            continue
        from_ms, to_ms = began_ms(turn), end_ms if turn.ended_at_ms is None else turn.ended_at_ms
        own = tuple(each for each in left.values() if from_ms <= (each.start_ms + each.end_ms) // 2 < to_ms)
        for each in own:
            del left[each.id]
        if to_ms > from_ms:
            found.append((turn, own, from_ms, to_ms))
    for group in _together(list(left.values()), others):
        found.append((None, group, group[0].start_ms, group[-1].end_ms))
    yield from sorted(found, key=lambda each: each[2])


def _together(
    segments: Sequence[TranscriptSegment], others: Sequence[TranscriptSegment]
) -> Iterator[tuple[TranscriptSegment, ...]]:
    """Those that stand near each other, with nobody else between them in the same microphone."""
    began = sorted(each.start_ms for each in others)
    group: list[TranscriptSegment] = list(segments[:1])
    for before, after in pairwise(segments):
        is_apart = after.start_ms - before.end_ms > _APART_MS or after.item_id != before.item_id
        if is_apart or bisect_left(began, before.start_ms) != bisect_left(began, after.start_ms):
            yield tuple(group)
            group = []
        group.append(after)
    if group:
        yield tuple(group)


def _title(
    items: dict[str, AgendaItem], turn: Turn | None, segments: Sequence[TranscriptSegment]
) -> str | None:
    item_id = turn.item_id if turn is not None else segments[0].item_id
    item = items.get(item_id or "")
    return None if item is None else item.title


def _statements(board: StatementBoard, own: frozenset[str], role: Role) -> Iterator[OwnStatement]:
    """With what others answered, as far as the room showed it: an answer may be a private note to the secretariat."""
    replies: dict[str, list[Statement]] = {}
    for each in board.statements.values():
        if each.reply_to is None or each.participant_id in own:
            continue
        if any(board.visible_to(each, participant_id, role) for participant_id in own):
            replies.setdefault(each.reply_to, []).append(each)
    for each in board.statements.values():
        if each.participant_id in own:
            yield OwnStatement(each, board.likes(each.id), tuple(replies.get(each.id, ())))
