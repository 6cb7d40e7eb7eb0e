"""Correcting the transcript: several at once, none over another. Every change is a revision that can be taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from conference.model import transcript_edit
from conference.model.audit import Personal
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.folding import tidied
from conference.model.ids import new_id
from conference.model.permissions import Action, Role, require
from conference.model.transcript import Revision, RevisionKind, SpeakerLabel, TranscriptSegment
from conference.services.ports import UnitOfWork
from conference.services.rooms import Rooms
from conference.services.trace import Bearer
from conference.services.transcript_changes import SegmentConflictError, TranscriptChange
from conference.services.transcript_news import TranscriptNews

MAX_REPLACED: Final = 5_000  # segments of one request
_AT_ONCE: Final = 200  # segments of one transaction
_PARTING: Final = frozenset({RevisionKind.SPLIT, RevisionKind.JOINED})
_NOT_BY_HAND: Final = frozenset({RevisionKind.TERMS, RevisionKind.SPEAKER, RevisionKind.MARKED})


@dataclass(frozen=True, slots=True)
class SpeakerChoice:
    """Who it was: a participant, somebody who was invited, or a name and a role."""

    participant_id: str | None = None
    invitee_id: str | None = None
    name: str | None = None
    role: Role = Role.MEMBER
    venue: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class SegmentPatch:
    """What shall be otherwise; None stays."""

    text: str | None = None
    speaker: SpeakerChoice | None = None
    is_unclear: bool | None = None
    is_confidential: bool | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Replaced:
    """`conflicts`: ids of those that somebody else changed meanwhile, or that are gone."""

    items: tuple[TranscriptSegment, ...]
    conflicts: tuple[str, ...]


class TranscriptEditing:
    """Every change names the revision that was seen: SegmentConflictError brings what there is now."""

    def __init__(self, rooms: Rooms, news: TranscriptNews) -> None:
        self._rooms = rooms
        self._news = news

    async def edit(
        self, consultation_id: str, by: Bearer, segment_id: str, revision: int, patch: SegmentPatch
    ) -> TranscriptSegment:
        """Text, speaker and marks; each that changes is a revision of its own."""
        reason = tidied(patch.reason)
        async with self._changing(consultation_id, by) as change:
            segment = await change.seen(segment_id, revision)
            if patch.text is not None:
                edited = transcript_edit.edited(segment, patch.text)
                change.put(edited, RevisionKind.EDITED, "transcript.edited", reason=reason)
            if patch.speaker is not None:
                speaker = await _speaker(change.unit, consultation_id, patch.speaker)
                spoken = transcript_edit.spoken_by(change.now(segment_id), speaker)
                change.put(spoken, RevisionKind.SPEAKER, "transcript.speaker_named", reason=reason)
            marked = transcript_edit.marked(
                change.now(segment_id), is_unclear=patch.is_unclear, is_confidential=patch.is_confidential
            )
            if marked is not None:
                marks = {"unclear": marked.is_unclear, "confidential": marked.is_confidential}
                change.put(marked, RevisionKind.MARKED, "transcript.marked", reason=reason, **marks)
        return change.now(segment_id)

    async def split(
        self, consultation_id: str, by: Bearer, segment_id: str, revision: int, at: int
    ) -> tuple[TranscriptSegment, TranscriptSegment]:
        """From character `at` on it is a segment of its own."""
        async with self._changing(consultation_id, by) as change:
            segment = await change.seen(segment_id, revision)
            first, second = transcript_edit.split(segment, at, new_id("seg"))
            change.put(first, RevisionKind.SPLIT, "transcript.split", second=second.id)
            change.add(second, RevisionKind.SPLIT)
        return first, second

    async def join(
        self, consultation_id: str, by: Bearer, segment_id: str, revision: int, next_revision: int
    ) -> TranscriptSegment:
        """With the next one of the same microphone, which is gone then; not_found when there is none."""
        async with self._changing(consultation_id, by) as change:
            first, second = await _neighbours(change, segment_id, revision, next_revision)
            joined = transcript_edit.joined(first, second)
            change.put(joined, RevisionKind.JOINED, "transcript.joined", second=second.id)
            change.drop(second, RevisionKind.JOINED)
        return joined

    async def restore(
        self, consultation_id: str, by: Bearer, segment_id: str, revision: int, to: int
    ) -> TranscriptSegment:
        """The text that it had at the revision `to`."""
        async with self._changing(consultation_id, by) as change:
            segment = await change.seen(segment_id, revision)
            revisions = await change.unit.transcript.revisions(segment_id)
            edited = _untaken(revisions, segment) if to == segment.revision - 1 else None
            if edited is None:
                edited = transcript_edit.edited(segment, _text_at(revisions, segment, to))
            change.put(edited, RevisionKind.RESTORED, "transcript.restored", to=to)
        return change.now(segment_id)

    async def decide(
        self, consultation_id: str, by: Bearer, segment_id: str, revision: int, *, accept: bool
    ) -> TranscriptSegment:
        """Take or refuse what the better engine made of it."""
        async with self._changing(consultation_id, by) as change:
            segment = await change.seen(segment_id, revision)
            action = "transcript.proposal_taken" if accept else "transcript.proposal_refused"
            change.put(transcript_edit.decided(segment, accept=accept), RevisionKind.SECOND_PASS, action)
        return change.now(segment_id)

    async def decide_all(
        self, consultation_id: str, by: Bearer, seen: Sequence[tuple[str, int]], *, accept: bool
    ) -> Replaced:
        """The same for many at these revisions; those without a proposal stay. As with `replace`."""
        action = "transcript.proposal_taken" if accept else "transcript.proposal_refused"

        async def decide(change: TranscriptChange, segment: TranscriptSegment) -> None:
            after = transcript_edit.decided(segment, accept=accept)
            change.put(after, RevisionKind.SECOND_PASS, action)

        return await self._each(consultation_id, by, seen, decide)

    async def take_back(self, consultation_id: str, by: Bearer, seen: Sequence[tuple[str, int]]) -> Replaced:
        """Of many at these revisions: proposals that were just taken stand beside the texts again. Others stay."""

        async def back(change: TranscriptChange, segment: TranscriptSegment) -> None:
            revisions = await change.unit.transcript.revisions(segment.id)
            after = _untaken(revisions, segment)
            change.put(after, RevisionKind.RESTORED, "transcript.restored", to=segment.revision - 1)

        return await self._each(consultation_id, by, seen, back)

    async def _each(
        self,
        consultation_id: str,
        by: Bearer,
        seen: Sequence[tuple[str, int]],
        act: Callable[[TranscriptChange, TranscriptSegment], Awaitable[None]],
    ) -> Replaced:
        require(by.role, Action.TRANSCRIPT_EDIT)
        if len(seen) > MAX_REPLACED:
            raise ConferenceError("bad_request", f"{len(seen)} segments")
        items: list[TranscriptSegment] = []
        conflicts: list[str] = []
        for first in range(0, len(seen), _AT_ONCE):
            some = seen[first : first + _AT_ONCE]
            async with self._changing(consultation_id, by) as change:
                held = await change.hold([segment_id for segment_id, _ in some])
                for segment_id, revision in some:
                    segment = held.get(segment_id)
                    if segment is None or segment.revision != revision:
                        conflicts.append(segment_id)
                    else:
                        await act(change, segment)
            items += change.after.values()
        return Replaced(tuple(items), tuple(conflicts))

    async def replace(
        self, consultation_id: str, by: Bearer, find: str, instead: str, seen: Sequence[tuple[str, int]]
    ) -> Replaced:
        """Plain text by plain text, in these segments at these revisions. Some hundred at a time: what was done stays
        done when a later one fails."""
        require(by.role, Action.TRANSCRIPT_EDIT)
        if not find or len(seen) > MAX_REPLACED:
            raise ConferenceError("bad_request", f"{len(seen)} segments")
        items: list[TranscriptSegment] = []
        conflicts: list[str] = []
        for first in range(0, len(seen), _AT_ONCE):
            some = seen[first : first + _AT_ONCE]
            async with self._changing(consultation_id, by) as change:
                held = await change.hold([segment_id for segment_id, _ in some])
                for segment_id, revision in some:
                    segment = held.get(segment_id)
                    if segment is None or segment.revision != revision:
                        conflicts.append(segment_id)
                        continue
                    after = transcript_edit.replaced(segment, find, instead)
                    change.put(
                        after,
                        RevisionKind.REPLACED,
                        "transcript.replaced",
                        find=Personal(find),
                        instead=Personal(instead),
                    )
                    items += [] if after is None else [after]
        return Replaced(tuple(items), tuple(conflicts))

    @asynccontextmanager
    async def _changing(self, consultation_id: str, by: Bearer) -> AsyncIterator[TranscriptChange]:
        """The rows in one transaction, then whoever looks at them."""
        require(by.role, Action.TRANSCRIPT_EDIT)
        self._rooms.require_here(consultation_id)  # or those who look at them there would not be told
        async with self._rooms.storage.transaction() as unit:
            change = await TranscriptChange.begin(
                unit, consultation_id, by.actor, self._rooms.clock.wall_ms(), self._rooms.program_time_ms
            )
            yield change
            await change.write()
        self._news.changed(change)


async def _neighbours(
    change: TranscriptChange, segment_id: str, revision: int, next_revision: int
) -> tuple[TranscriptSegment, TranscriptSegment]:
    """Both held, in one order for all: whoever holds segments one by one may wait for each other for ever."""
    rows = change.unit.transcript
    first = await rows.get(segment_id)
    following = None if first is None else await rows.following(first)
    await change.hold([segment_id] if following is None else [segment_id, following.id])
    first = await change.seen(segment_id, revision)
    second = await rows.following(first)
    if second is None:
        raise NotFoundError(f"nothing follows {segment_id}")
    if following is None or second.id != following.id:  # it came while we waited
        raise SegmentConflictError(first)
    return first, await change.seen(second.id, next_revision)


async def _speaker(unit: UnitOfWork, consultation_id: str, choice: SpeakerChoice) -> SpeakerLabel:
    """Somebody of this consultation, or not_found; bad_request when nobody is named."""
    if choice.participant_id is not None:
        participant = await unit.participants.get(choice.participant_id)
        if participant is None or participant.consultation_id != consultation_id:
            raise NotFoundError(f"participant {choice.participant_id}")
        title = participant.title or participant.sector
        return SpeakerLabel(participant.name, participant.role, participant.venue, title)
    if choice.invitee_id is not None:
        invitee = await unit.invitees.get(choice.invitee_id)
        if invitee is None or invitee.consultation_id != consultation_id:
            raise NotFoundError(f"invitee {choice.invitee_id}")
        venue = None if invitee.venue_id is None else await unit.venues.get(invitee.venue_id)
        title = invitee.title or invitee.sector or None
        return SpeakerLabel(invitee.name, invitee.role, None if venue is None else venue.name, title)
    name = tidied(choice.name or "")
    if not name:
        raise ConferenceError("bad_request", "nobody is named")
    return SpeakerLabel(
        name, choice.role, tidied(choice.venue or "") or None, tidied(choice.title or "") or None
    )


def _text_at(revisions: Sequence[Revision], segment: TranscriptSegment, to: int) -> str:
    """The text at a revision that was; not_found for one that never was, invalid_state for one of another stretch."""
    if not 1 <= to <= segment.revision or not revisions:
        raise NotFoundError(f"revision {to} of {segment.id}")
    if any(each.revision > to and each.kind in _PARTING for each in revisions):
        raise ConferenceError("invalid_state", "it was split or joined since")
    earlier = [each for each in revisions if each.revision <= to]
    return earlier[-1].after if earlier else revisions[0].before


def _untaken(revisions: Sequence[Revision], segment: TranscriptSegment) -> TranscriptSegment | None:
    """As it was before its proposal was taken, if that was the last thing that was done to it."""
    last = revisions[-1] if revisions else None
    if last is None or last.kind is not RevisionKind.SECOND_PASS or last.before == last.after:
        return None
    is_edited = any(each.before != each.after and each.kind not in _NOT_BY_HAND for each in revisions[:-1])
    return transcript_edit.untaken(segment, last.before, is_edited=is_edited)
