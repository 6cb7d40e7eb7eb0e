"""Minutes (会议记录, 会议纪要): making, writing, reviewing and approving them, and the templates of bodies."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Final

from conference.clock import Clock
from conference.model.audit import STAFF_CHAIN, AuditEntry, AuditHead, Personal, Value
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.folding import tidied
from conference.model.ids import new_id
from conference.model.minutes import (
    MAX_REASON,
    Approval,
    Blocker,
    BlockerCode,
    Despite,
    EarlierText,
    KnownGap,
    Letterhead,
    Minutes,
    MinutesKind,
    MinutesState,
    MinutesTemplate,
    PrintedGap,
)
from conference.model.minutes_confidential import spilled
from conference.model.minutes_record import record_sections, summary_sections
from conference.model.permissions import Action, require
from conference.model.transcript import Gap, TranscriptSegment
from conference.services.consultations import consultation_of
from conference.services.ports import (
    GapReader,
    Storage,
    TemplateChecker,
    UnitOfWork,
)
from conference.services.program import ProgramTimes
from conference.services.sittings import sitting_of, spoken
from conference.services.trace import Bearer
from conference.text.passages import relevant

MAX_TEMPLATE_BYTES: Final = 2 << 20
_MOST_PASSAGES: Final = 40
_MOST_KNOWN: Final = 32
_OVER: Final = frozenset({Status.ENDED, Status.ARCHIVED})


@dataclass(frozen=True, slots=True)
class MinutesView:
    """What there is of a consultation's minutes: the newest of each kind, every version without its sections, what is
    to be looked at before they are approved, and the end of the trace."""

    record: Minutes | None
    summary: Minutes | None
    versions: tuple[Minutes, ...]
    blockers: tuple[Blocker, ...]
    head: AuditHead


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A segment that matters for a heading, with the words in it that say so."""

    segment: TranscriptSegment
    item_title: str | None
    cues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PrintedMinutes:
    """Minutes with what is printed beside them. `template`: of the body, None for the built-in layout."""

    minutes: Minutes
    consultation: Consultation
    template: bytes | None


class MinutesDesk:
    """Whoever may write them does it by revision: nobody overwrites anybody. `zone`: whose clock is printed."""

    def __init__(
        self,
        storage: Storage,
        programs: ProgramTimes,
        clock: Clock,
        gaps: GapReader,
        checker: TemplateChecker,
        zone: tzinfo,
    ) -> None:
        self._storage = storage
        self._programs = programs
        self._clock = clock
        self._gaps = gaps
        self._checker = checker
        self._zone = zone
        self._known: dict[str, tuple[tuple[AuditHead, tuple[Gap, ...]], MinutesView]] = {}

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    async def view(self, consultation_id: str, by: Bearer) -> MinutesView:
        """What changes any of it leaves a line, or is another gap: until then it is the very same value."""
        require(by.role, Action.MINUTES_READ)
        gaps = tuple(await self._gaps.gaps(consultation_id))
        async with self._storage.reading() as unit:
            await consultation_of(unit, consultation_id)
            head = await unit.audit.head(consultation_id)
            known = self._known.get(consultation_id)
            if known is not None and known[0] == (head, gaps):
                return known[1]
            found = await unit.minutes.brief(consultation_id)
            record = await unit.minutes.newest(consultation_id, MinutesKind.RECORD)
            summary = await unit.minutes.newest(consultation_id, MinutesKind.SUMMARY)
            blockers = await self._blockers(unit, consultation_id, gaps, (record, summary))
        view = MinutesView(record, summary, tuple(found), blockers, head)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[consultation_id] = (head, gaps), view
        return view

    async def _blockers(
        self, unit: UnitOfWork, consultation_id: str, gaps: Sequence[Gap], newest: Sequence[Minutes | None]
    ) -> tuple[Blocker, ...]:
        """What is to be looked at, and how much of it; what there is none of is left out."""
        found = [Blocker(BlockerCode.GAPS, len(_open(gaps)))]
        for each in newest:
            if each is not None and each.state is not MinutesState.APPROVED:
                found.append(Blocker(BlockerCode.OUTDATED, await _later(unit, each), each.kind))
                found.append(Blocker(BlockerCode.CONFIDENTIAL, await _spilled(unit, each), each.kind))
        uncertain, unclear = await unit.minutes_sources.doubts(consultation_id)
        found.append(Blocker(BlockerCode.UNCERTAIN_SPEAKERS, uncertain))
        found.append(Blocker(BlockerCode.UNCLEAR, unclear))
        return tuple(each for each in found if each.count)

    async def earlier(
        self,
        consultation_id: str,
        minutes_id: str,
        by: Bearer,
        *,
        before: int | None = None,
        limit: int = 100,
    ) -> list[EarlierText]:
        """What stood in it before somebody replaced it, the newest first, of revisions before that one."""
        require(by.role, Action.MINUTES_READ)
        async with self._storage.reading() as unit:
            await self._found(unit, consultation_id, minutes_id)
            return await unit.minutes.earlier(minutes_id, before=before, limit=limit)

    async def version(
        self, consultation_id: str, kind: MinutesKind, version: int | None, by: Bearer
    ) -> Minutes:
        """The newest one for None. NotFoundError when there is none."""
        require(by.role, Action.MINUTES_READ)
        async with self._storage.reading() as unit:
            return await self._version(unit, consultation_id, kind, version)

    async def passages(
        self, consultation_id: str, minutes_id: str, key: str, words: str, by: Bearer
    ) -> list[FoundPassage]:
        """What was said that matters for a section: of its agenda item, else by cues and words."""
        require(by.role, Action.MINUTES_READ)
        async with self._storage.reading() as unit:
            minutes = await self._found(unit, consultation_id, minutes_id)
            section = minutes.section(key)
            segments = await spoken(unit, consultation_id)
            agenda = await unit.agenda.get(consultation_id)
        titles = {each.id: each.title for each in agenda.items}
        open_ones = [each for each in segments if not each.is_confidential]
        if section.source is not None and not words:
            own = [each for each in open_ones if each.item_id == section.source]
            return [FoundPassage(each, titles.get(section.source), ()) for each in own]
        texts = [each.text for each in open_ones]
        found = await asyncio.to_thread(relevant, texts, key, words, _MOST_PASSAGES)
        return [
            FoundPassage(open_ones[each.place], titles.get(open_ones[each.place].item_id or ""), each.cues)
            for each in found
        ]

    async def printed(
        self, consultation_id: str, kind: MinutesKind, version: int | None, by: Bearer, file_format: str
    ) -> PrintedMinutes:
        """To be made into a file; that it was leaves a line."""
        require(by.role, Action.MINUTES_READ)
        async with self._storage.transaction() as unit:
            consultation = await consultation_of(unit, consultation_id)
            minutes = await self._version(unit, consultation_id, kind, version)
            head = minutes.letterhead
            if head is None:
                _, template = await self._template_of(unit, consultation)
            else:  # as it stood when it was approved, whatever became of it since
                consultation = replace(consultation, title=head.title, organization=head.organization)
                template = await unit.minutes.layout(minutes.id)
            content: dict[str, Value] = {
                "kind": kind,
                "version": minutes.version,
                "revision": minutes.revision,
                "format": file_format,
                "sha256": minutes.digest,
            }
            await unit.audit.append(self._entry(consultation, by, "minutes.exported", minutes.id, content))
        return PrintedMinutes(minutes, consultation, template)

    # ── writing ─────────────────────────────────────────────────────────────────────────────────

    async def make(
        self, consultation_id: str, kind: MinutesKind, by: Bearer, revision: int | None = None
    ) -> Minutes:
        """A draft made of what there is now; in the place of the draft that was there, whose `revision` was seen and
        whose text is kept. edit_conflict for another one; invalid_state when the newest version is reviewed or
        approved (reopen it first), when it never went live, and for a rehearsal."""
        require(by.role, Action.MINUTES_EDIT)
        async with self._storage.reading() as unit:
            consultation = await self._editable(unit, consultation_id)
            now_ms = self._programs.now_ms(consultation)
            if now_ms is None:
                raise ConferenceError("invalid_state", "it was never live")
            head = await unit.audit.head(consultation_id)  # first: what comes meanwhile is later than it
            gaps = await self._gaps.gaps_in(unit, consultation_id)
            sitting = await sitting_of(unit, consultation, now_ms, gaps, self._zone)
        build = record_sections if kind is MinutesKind.RECORD else summary_sections
        # In a thread: hours of speech take longer than the sockets of others may wait.
        sections = await asyncio.to_thread(build, sitting, by.name)
        async with self._storage.transaction() as unit:
            newest = await unit.minutes.newest(consultation_id, kind)
            wall_ms = self._clock.wall_ms()
            if newest is None:
                draft = MinutesState.DRAFT
                minutes = Minutes(
                    new_id("m"),
                    consultation_id,
                    kind,
                    1,
                    draft,
                    1,
                    sections,
                    by.name,
                    wall_ms,
                    made_number=head.number,
                )
                await unit.minutes.add(minutes)
            else:
                minutes = newest.remade(revision or 0, sections, by.name, wall_ms, head.number)
                if minutes.sections == newest.sections and not await _later(unit, newest):
                    return newest
                await self._save(unit, newest, minutes)
            content = self._told(minutes) | {"segments": len(sitting.segments), "gaps": len(gaps)}
            await unit.audit.append(self._entry(consultation, by, "minutes.made", minutes.id, content))
        return minutes

    @staticmethod
    async def _save(unit: UnitOfWork, before: Minutes, after: Minutes) -> None:
        """What stood there before is kept: somebody may have written it by hand."""
        replaced = before.replaced_by(after)
        if replaced is not None:
            await unit.minutes.keep(replaced)
        await unit.minutes.save(after)

    async def edit(
        self, consultation_id: str, minutes_id: str, revision: int, texts: Mapping[str, str], by: Bearer
    ) -> Minutes:
        """edit_conflict, invalid_state, not_found, too_large."""
        require(by.role, Action.MINUTES_EDIT)
        async with self._storage.transaction() as unit:
            consultation = await self._editable(unit, consultation_id)
            known = await self._found(unit, consultation_id, minutes_id)
            # In a thread: a million characters take longer than the sockets of others may wait.
            minutes = await asyncio.to_thread(known.edited, revision, texts, by.name, self._clock.wall_ms())
            if minutes is known:
                return known
            await self._save(unit, known, minutes)
            changed = [
                after.key
                for before, after in zip(known.sections, minutes.sections, strict=True)
                if before != after
            ]
            content = self._told(minutes) | {"sections": changed}
            await unit.audit.append(self._entry(consultation, by, "minutes.edited", minutes.id, content))
        return minutes

    async def review(
        self,
        consultation_id: str,
        minutes_id: str,
        revision: int,
        by: Bearer,
        despite_gaps_reason: str = "",
        despite_outdated_reason: str = "",
    ) -> Minutes:
        """gaps_open without a reason while something is missing in the transcript, minutes_outdated without one for a
        record when what it was made of changed since; confidential_text; edit_conflict, invalid_state."""
        require(by.role, Action.MINUTES_EDIT)
        gaps_said, outdated_said = _reason(despite_gaps_reason), _reason(despite_outdated_reason)
        async with self._storage.transaction() as unit:
            consultation = await self._editable(unit, consultation_id)
            known = await self._found(unit, consultation_id, minutes_id)
            gaps = _open(await self._gaps.gaps_in(unit, consultation_id))
            later = await _later(unit, known)
            gaps_reason = gaps_said if gaps else ""
            despite = Despite(
                tuple(KnownGap(each.participant_id, each.from_ms, each.to_ms) for each in gaps),
                outdated_said if later else "",
                (await unit.audit.head(consultation_id)).number if later else 0,
            )
            minutes = known.reviewed(revision, by.name, self._clock.wall_ms(), gaps_reason, despite)
            await _require_open_text(unit, known)
            _require_reason("gaps_open", gaps_reason, gaps=len(gaps))
            _require_reason("minutes_outdated", despite.outdated_reason, changes=later)
            await unit.minutes.save(minutes)
            content = self._told(minutes) | _of_gaps(gaps, gaps_reason)
            content |= _of_changes(later, despite.outdated_reason)
            await unit.audit.append(self._entry(consultation, by, "minutes.reviewed", minutes.id, content))
        return minutes

    async def approve(
        self,
        consultation_id: str,
        minutes_id: str,
        revision: int,
        by: Bearer,
        despite_gaps_reason: str = "",
        despite_outdated_reason: str = "",
    ) -> Minutes:
        """Frozen, with the line of the trace that says so. gaps_open and minutes_outdated unless a reason is given,
        now or at the review for these very gaps and changes; confidential_text; invalid_state before the end of the
        consultation, and for what was not reviewed."""
        require(by.role, Action.MINUTES_APPROVE)
        gaps_said, outdated_said = _reason(despite_gaps_reason), _reason(despite_outdated_reason)
        async with self._storage.transaction() as unit:
            consultation = await self._editable(unit, consultation_id)
            if consultation.status not in _OVER:
                raise ConferenceError("invalid_state", "it has not ended")
            known = await self._found(unit, consultation_id, minutes_id)
            found = await self._gaps.gaps_in(unit, consultation_id)
            gaps, later = _open(found), await _later(unit, known)
            template, layout = await self._template_of(unit, consultation)
            letterhead = Letterhead(
                consultation.title, consultation.organization, None if template is None else template.sha256
            )
            minutes = known.approved(revision, letterhead)
            await _require_open_text(unit, known)
            _require_reason("gaps_open", gaps_said, gaps=len(known.reasoned.left_of(gaps)))
            _require_reason("minutes_outdated", outdated_said, changes=later)
            gaps_reason = _both(known.gaps_reason, gaps_said) if gaps else ""
            outdated_reason = _both(known.reasoned.outdated_reason, outdated_said if later else "")
            await unit.minutes.save(minutes)
            if layout is not None:
                await unit.minutes.keep_layout(minutes, layout)
            content = self._told(minutes) | _of_gaps(gaps, gaps_reason) | _of_changes(later, outdated_reason)
            line = await unit.audit.append(
                self._entry(consultation, by, "minutes.approved", minutes.id, content)
            )
            printed = tuple(
                PrintedGap(each.name, each.from_ms, each.to_ms, each.state, each.words) for each in found
            )
            minutes = minutes.sealed(
                Approval(by.name, line.at_ms, line.number, line.hash, printed, gaps_reason, outdated_reason)
            )
            await unit.minutes.seal(minutes)
        return minutes

    @staticmethod
    async def _template_of(
        unit: UnitOfWork, consultation: Consultation
    ) -> tuple[MinutesTemplate | None, bytes | None]:
        """What the body's minutes are put into today; None for the built-in layout."""
        owner = consultation.organization_id
        template = None if owner is None else await unit.minutes_templates.get(owner)
        if template is None:
            return None, None
        return template, await unit.minutes_templates.content(template.organization_id)

    async def reopen(self, consultation_id: str, minutes_id: str, revision: int, by: Bearer) -> Minutes:
        """A draft again; of approved ones the next version, while they stay as they are."""
        require(by.role, Action.MINUTES_EDIT)
        async with self._storage.transaction() as unit:
            consultation = await self._editable(unit, consultation_id)
            known = await self._found(unit, consultation_id, minutes_id)
            newest = await unit.minutes.newest(consultation_id, known.kind)
            if newest is None or newest.id != known.id:
                raise ConferenceError("invalid_state", "there is a later version")
            minutes = known.reopened(revision, new_id("m"), by.name, self._clock.wall_ms())
            await (unit.minutes.save(minutes) if minutes.id == known.id else unit.minutes.add(minutes))
            content = self._told(minutes)
            await unit.audit.append(self._entry(consultation, by, "minutes.reopened", minutes.id, content))
        return minutes

    # ── templates ───────────────────────────────────────────────────────────────────────────────

    async def template(self, organization_id: str) -> tuple[MinutesTemplate, bytes]:
        """NotFoundError where the body uses the built-in layout."""
        async with self._storage.reading() as unit:
            template = await unit.minutes_templates.get(organization_id)
            content = await unit.minutes_templates.content(organization_id)
        if template is None or content is None:
            raise NotFoundError(f"template of {organization_id}")
        return template, content

    async def set_template(
        self, organization_id: str, name: str, content: bytes, by: Bearer
    ) -> MinutesTemplate:
        """It was tried. template_refused, too_large."""
        require(by.role, Action.MINUTES_TEMPLATE)
        if len(content) > MAX_TEMPLATE_BYTES:
            raise ConferenceError("too_large", f"{MAX_TEMPLATE_BYTES} bytes at most")
        await self._checker.check(content)
        template = MinutesTemplate(
            organization_id,
            tidied(name)[:200] or "模板.docx",
            len(content),
            hashlib.sha256(content).hexdigest(),
            by.name,
            self._clock.wall_ms(),
        )
        async with self._storage.transaction() as unit:
            await unit.minutes_templates.save(template, content)
            told: dict[str, Value] = {
                "name": Personal(template.name),
                "sha256": template.sha256,
                "size_bytes": template.size_bytes,
            }
            await unit.audit.append(self._of_staff(by, "minutes.template_set", organization_id, told))
        return template

    async def remove_template(self, organization_id: str, by: Bearer) -> None:
        """The built-in layout from now on. NotFoundError where there is none."""
        require(by.role, Action.MINUTES_TEMPLATE)
        async with self._storage.transaction() as unit:
            template = await unit.minutes_templates.get(organization_id)
            if template is None:
                raise NotFoundError(f"template of {organization_id}")
            await unit.minutes_templates.delete(organization_id)
            told: dict[str, Value] = {"sha256": template.sha256}
            await unit.audit.append(self._of_staff(by, "minutes.template_removed", organization_id, told))

    # ── helpers ─────────────────────────────────────────────────────────────────────────────────

    @staticmethod
    async def _editable(unit: UnitOfWork, consultation_id: str) -> Consultation:
        consultation = await consultation_of(unit, consultation_id)
        if consultation.status is Status.ARCHIVED:
            raise ConferenceError("invalid_state", "it is archived")
        if consultation.status is Status.REHEARSAL or consultation.rehearsal_of is not None:
            raise ConferenceError("invalid_state", "minutes are made of meetings")
        return consultation

    @staticmethod
    async def _found(unit: UnitOfWork, consultation_id: str, minutes_id: str) -> Minutes:
        minutes = await unit.minutes.get(minutes_id)
        if minutes is None or minutes.consultation_id != consultation_id:
            raise NotFoundError(f"minutes {minutes_id}")
        return minutes

    @staticmethod
    async def _version(
        unit: UnitOfWork, consultation_id: str, kind: MinutesKind, version: int | None
    ) -> Minutes:
        found = await unit.minutes.version(consultation_id, kind, version)
        if found is None:
            raise NotFoundError(f"{kind} of version {version}")
        return found

    @staticmethod
    def _told(minutes: Minutes) -> dict[str, Value]:
        return {
            "kind": minutes.kind,
            "version": minutes.version,
            "revision": minutes.revision,
            "sha256": minutes.digest,
        }

    def _entry(
        self,
        consultation: Consultation,
        by: Bearer,
        action: str,
        subject: str,
        content: Mapping[str, Value],
    ) -> AuditEntry:
        now_ms = self._clock.wall_ms()
        at_ms = None if consultation.started_at_ms is None else self._programs.now_ms(consultation)
        return AuditEntry(consultation.id, now_ms, at_ms, by.actor, action, subject, content)

    def _of_staff(self, by: Bearer, action: str, subject: str, content: Mapping[str, Value]) -> AuditEntry:
        return AuditEntry(STAFF_CHAIN, self._clock.wall_ms(), None, by.actor, action, subject, content)


async def _later(unit: UnitOfWork, minutes: Minutes) -> int:
    """Changes since a record was made, and since a reason was given; a summary is written by people."""
    if minutes.kind is not MinutesKind.RECORD:
        return 0
    seen = max(minutes.made_number, minutes.reasoned.seen_number)
    return await unit.minutes_sources.later_changes(minutes.consultation_id, seen)


async def _spilled(unit: UnitOfWork, minutes: Minutes) -> int:
    """Sentences in it that were said confidentially, and nowhere else."""
    texts = await unit.minutes_sources.confidential_texts(minutes.consultation_id)
    found = await asyncio.to_thread(spilled, texts, minutes.sections) if texts else []
    openly = [await unit.minutes_sources.is_said_openly(minutes.consultation_id, each) for each in found]
    return openly.count(False)


async def _require_open_text(unit: UnitOfWork, minutes: Minutes) -> None:
    count = await _spilled(unit, minutes)
    if count:
        raise ConferenceError("confidential_text", f"{count} sentences", sentences=count)


def _open(gaps: Sequence[Gap]) -> list[Gap]:
    return [each for each in gaps if each.is_open]


def _reason(said: str) -> str:
    reason = tidied(said)
    if len(reason) > MAX_REASON:
        raise ConferenceError("bad_request", f"a reason of {MAX_REASON} characters at most")
    return reason


def _require_reason(code: str, reason: str, **counts: int) -> None:
    if any(counts.values()) and not reason:
        raise ConferenceError(code, str(counts), **counts)


def _both(before: str, now: str) -> str:
    """The reason of the review and the one of the approval."""
    return "；".join(dict.fromkeys(each for each in (before, now) if each))


def _of_gaps(gaps: Sequence[Gap], reason: str) -> dict[str, Value]:
    if not gaps:
        return {}
    return {"open_gaps": len(gaps), "despite_gaps_reason": Personal(reason)}


def _of_changes(later: int, reason: str) -> dict[str, Value]:
    if not later and not reason:
        return {}
    return {"later_changes": later, "despite_outdated_reason": Personal(reason)}
