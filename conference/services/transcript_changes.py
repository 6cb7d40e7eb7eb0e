"""What every change of the transcript has: segments held until their rows are written, revisions, and lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from conference.model.audit import Actor, AuditEntry, Personal, Value
from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.transcript import Revision, RevisionKind, TranscriptSegment
from conference.services.ports import UnitOfWork
from conference.services.preparing import preparable


class SegmentConflictError(ConferenceError):
    """Somebody else was faster: `segment` is what there is now."""

    def __init__(self, segment: TranscriptSegment) -> None:
        super().__init__("edit_conflict", f"{segment.id} is at revision {segment.revision}")
        self.segment = segment


@dataclass(slots=True)
class TranscriptChange:
    """Segments that are being changed in one transaction."""

    unit: UnitOfWork
    consultation: Consultation
    by: Actor
    wall_ms: int
    program_time_ms: int | None
    before: dict[str, TranscriptSegment] = field(default_factory=dict)  # as their rows were
    after: dict[str, TranscriptSegment] = field(default_factory=dict)  # those that changed, or are new
    removed: list[str] = field(default_factory=list)
    _revisions: list[Revision] = field(default_factory=list)
    _entries: list[AuditEntry] = field(default_factory=list)

    @classmethod
    async def begin(
        cls,
        unit: UnitOfWork,
        consultation_id: str,
        by: Actor,
        wall_ms: int,
        program_time_ms: Callable[[Consultation], int | None],
    ) -> TranscriptChange:
        """invalid_state when the consultation is sealed or called off."""
        consultation = await preparable(unit, consultation_id)
        return cls(unit, consultation, by, wall_ms, program_time_ms(consultation))

    async def hold(self, segment_ids: Sequence[str]) -> dict[str, TranscriptSegment]:
        """Those of this consultation that are there; nobody else can change them now."""
        found = await self.unit.transcript.locked(segment_ids)
        held = {each.id: each for each in found.values() if each.consultation_id == self.consultation.id}
        self.before |= held
        return held

    async def seen(self, segment_id: str, revision: int) -> TranscriptSegment:
        """The segment as the caller saw it; SegmentConflictError, not_found."""
        segment = (await self.hold([segment_id])).get(segment_id)
        if segment is None:
            raise NotFoundError(f"segment {segment_id}")
        if segment.revision != revision:
            raise SegmentConflictError(segment)
        return segment

    def now(self, segment_id: str) -> TranscriptSegment:
        """As it will be."""
        return self.after.get(segment_id) or self.before[segment_id]

    def put(
        self,
        after: TranscriptSegment | None,
        kind: RevisionKind,
        action: str | None = None,
        *,
        reason: str = "",
        **content: Value,
    ) -> None:
        """A segment as it will be, its revision, and the line about it; None changes nothing.

        Without an `action` the caller notes a line for many at once.
        """
        if after is None:
            return
        before = self.now(after.id)
        self.after[after.id] = after
        self._revisions.append(self._revision(before, after, kind, reason))
        if action is None:
            return
        said: dict[str, Value] = {"revision": after.revision, **content}
        if after.text != before.text:
            said |= {"before": Personal(before.text), "after": Personal(after.text)}
        if after.speaker != before.speaker:
            said |= {
                "speaker_before": Personal(before.speaker.name),
                "speaker_after": Personal(after.speaker.name),
            }
        if reason:
            said["reason"] = Personal(reason)
        self.note(action, after.id, **said)

    def add(self, segment: TranscriptSegment, kind: RevisionKind) -> None:
        """A new one that came out of another."""
        self.after[segment.id] = segment
        nothing = Revision(
            segment_id=segment.id,
            revision=segment.revision,
            kind=kind,
            before="",
            after=segment.text,
            speaker_before="",
            speaker_after=segment.speaker.name,
            by_id=self.by.id or "",
            by_name=self.by.name or "",
            at_wall_ms=self.wall_ms,
        )
        self._revisions.append(nothing)

    def drop(self, segment: TranscriptSegment, kind: RevisionKind) -> None:
        """One that went into another."""
        gone = segment.revised(text="")
        self._revisions.append(self._revision(segment, gone, kind, ""))
        self.after.pop(segment.id, None)
        self.removed.append(segment.id)

    def note(self, action: str, subject: str, **content: Value) -> None:
        """A line of the trace."""
        self._entries.append(
            AuditEntry(
                self.consultation.id,
                self.wall_ms,
                self.program_time_ms,
                self.by,
                action,
                subject,
                content,
            )
        )

    async def write(self) -> None:
        """Rows first, then the lines. Nothing where nothing changed."""
        if not self._entries:
            return
        await self.unit.transcript.save(list(self.after.values()))
        await self.unit.transcript.add_revisions(self._revisions)
        await self.unit.transcript.remove(self.removed)
        await self.unit.audit.append_all(self._entries)

    def _revision(
        self, before: TranscriptSegment, after: TranscriptSegment, kind: RevisionKind, reason: str
    ) -> Revision:
        return Revision(
            segment_id=after.id,
            revision=after.revision,
            kind=kind,
            before=before.text,
            after=after.text,
            speaker_before=before.speaker.name,
            speaker_after=after.speaker.name,
            by_id=self.by.id or "",
            by_name=self.by.name or "",
            at_wall_ms=self.wall_ms,
            reason=reason,
        )
