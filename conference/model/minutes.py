"""Minutes: the full record (会议记录) and the summary (会议纪要), from draft to approved; approved ones are frozen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Final
from unicodedata import category

from conference.model.audit import AuditHead, canonical_json
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.transcript import Gap, GapState

MAX_SECTION: Final = 1_000_000  # characters: nine hours of speech under one heading are 400,000
MAX_MINUTES: Final = 1_500_000  # of all sections
MAX_REASON: Final = 500


class MinutesKind(StrEnum):
    RECORD = "record"  # 会议记录: all that was said and done, made by the server
    SUMMARY = "summary"  # 会议纪要: what follows from it, written by people


class MinutesState(StrEnum):
    DRAFT = "draft"
    REVIEWED = "reviewed"
    APPROVED = "approved"  # frozen: what comes later is another version


class BlockerCode(StrEnum):
    """What is to be looked at before minutes are approved.

    Open gaps stand in the way, and a record that is outdated, until somebody says why; confidential words do until
    they are taken out.
    """

    GAPS = "gaps"
    OUTDATED = "outdated"  # what it was made of changed since
    CONFIDENTIAL = "confidential"  # words of the transcript that are not for everybody stand in it
    UNCERTAIN_SPEAKERS = "uncertain_speakers"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Blocker:
    """`kind`: the one that it concerns, None for both."""

    code: BlockerCode
    count: int
    kind: MinutesKind | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands below it: paragraphs, one a line.

    `key` says what it is (see `minutes_record`); `source` is the agenda item that it is about, if there is one.
    """

    key: str
    heading: str
    text: str = ""
    source: str | None = None


@dataclass(frozen=True, slots=True)
class PrintedGap:
    """A gap in the transcript as it stands on approved minutes. Times are program time."""

    name: str
    from_ms: int
    to_ms: int
    state: GapState
    note: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """What is printed on approved minutes: the line of the trace that says so, gaps, and the reasons why they were
    approved although gaps were open or what they were made of had changed (empty where it was not so)."""

    by: str
    at_wall_ms: int
    head_number: int
    head_hash: str
    gaps: tuple[PrintedGap, ...] = ()
    despite_gaps_reason: str = ""
    despite_outdated_reason: str = ""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Under what approved minutes stand: as it was then. `template_sha256` None: the built-in layout."""

    title: str
    organization: str | None
    template_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class KnownGap:
    """A gap that a reason was given for. Program time."""

    participant_id: str
    from_ms: int
    to_ms: int

    def covers(self, gap: Gap) -> bool:
        """Whether it is this gap, or what is left of it."""
        return (
            self.participant_id == gap.participant_id
            and self.from_ms <= gap.from_ms
            and gap.to_ms <= self.to_ms
        )


@dataclass(frozen=True, slots=True)
class Despite:
    """What was known at the review and is no hindrance for the reasons given there: these gaps, and changes up to the
    line `seen_number` of the trace."""

    gaps: tuple[KnownGap, ...] = ()
    outdated_reason: str = ""
    seen_number: int = 0

    def left_of(self, gaps: Sequence[Gap]) -> list[Gap]:
        """Those that no reason was given for."""
        return [gap for gap in gaps if not any(each.covers(gap) for each in self.gaps)]


@dataclass(frozen=True, slots=True)
class EarlierText:
    """What stood in a draft before somebody replaced it: sections that are gone or read otherwise since. It was
    written by `written_by`; times are UTC ms. `revision` is the one in which it stood last."""

    minutes_id: str
    consultation_id: str
    revision: int
    sections: tuple[Section, ...]
    written_by: str
    written_wall_ms: int
    replaced_by: str
    replaced_wall_ms: int


@dataclass(frozen=True, slots=True)
class Minutes:
    """One version of one document; each change is a new value with the next `revision`. Times are UTC ms."""

    id: str
    consultation_id: str
    kind: MinutesKind
    version: int
    state: MinutesState
    revision: int
    sections: tuple[Section, ...]
    updated_by: str
    updated_wall_ms: int
    reviewed_by: str | None = None
    reviewed_wall_ms: int | None = None
    gaps_reason: str = ""  # why it was reviewed although gaps were open
    approval: Approval | None = None
    made_number: int = 0  # the trace's last line when it was made of the rows
    despite: Despite | None = None  # from the review on
    letterhead: Letterhead | None = None  # from the approval on

    @property
    def digest(self) -> str:
        """SHA-256 of what it says, approved ones with what they stand under: in the trace where it is approved."""
        said: object = [{"key": s.key, "heading": s.heading, "text": s.text} for s in self.sections]
        if self.letterhead is not None:
            said = {"sections": said, **asdict(self.letterhead)}
        return hashlib.sha256(canonical_json(said).encode()).hexdigest()

    @property
    def reasoned(self) -> Despite:
        return Despite() if self.despite is None else self.despite

    def section(self, key: str) -> Section:
        """Raises NotFoundError."""
        for each in self.sections:
            if each.key == key:
                return each
        raise NotFoundError(f"section {key}")

    # ── what may be done ────────────────────────────────────────────────────────────────────────

    def edited(self, revision: int, texts: Mapping[str, str], by: str, wall_ms: int) -> Minutes:
        """With other texts, by key; itself when nothing differs. A draft alone is written in.

        Raises ConferenceError edit_conflict, invalid_state, too_large, bad_request; NotFoundError for another key.
        """
        self._require(MinutesState.DRAFT, revision)
        for key in texts:
            self.section(key)
        return self._with(
            tuple(replace(s, text=tidied(texts[s.key])) if s.key in texts else s for s in self.sections),
            by,
            wall_ms,
        )

    def remade(
        self, revision: int, sections: Sequence[Section], by: str, wall_ms: int, made_number: int
    ) -> Minutes:
        """Made anew from what there is now, in the place of the revision that was seen. A draft alone.

        Raises ConferenceError edit_conflict, invalid_state, too_large.
        """
        self._require(MinutesState.DRAFT, revision)
        made = self._with(tuple(sections), by, wall_ms)
        if made is self:
            return self._next(made_number=made_number)
        return replace(made, made_number=made_number)

    def replaced_by(self, after: Minutes) -> EarlierText | None:
        """What of it is not in `after` any more; None where nothing that was written is gone."""
        there = {each.key: each.text for each in after.sections}
        gone = tuple(each for each in self.sections if each.text and there.get(each.key) != each.text)
        if not gone:
            return None
        return EarlierText(
            self.id,
            self.consultation_id,
            self.revision,
            gone,
            self.updated_by,
            self.updated_wall_ms,
            after.updated_by,
            after.updated_wall_ms,
        )

    def reviewed(
        self, revision: int, by: str, wall_ms: int, gaps_reason: str = "", despite: Despite | None = None
    ) -> Minutes:
        """Looked through: it waits for approval."""
        self._require(MinutesState.DRAFT, revision)
        return self._next(
            state=MinutesState.REVIEWED,
            reviewed_by=by,
            reviewed_wall_ms=wall_ms,
            gaps_reason=gaps_reason,
            despite=despite,
        )

    def approved(self, revision: int, letterhead: Letterhead) -> Minutes:
        """Frozen from now on; `sealed` says by whom. Raises edit_conflict, invalid_state."""
        self._require(MinutesState.REVIEWED, revision)
        return self._next(state=MinutesState.APPROVED, letterhead=letterhead)

    def sealed(self, approval: Approval) -> Minutes:
        """With what is printed on it, which is known when the trace has its line."""
        return replace(self, approval=approval)

    def reopened(self, revision: int, new_id: str, by: str, wall_ms: int) -> Minutes:
        """Back to a draft: the same version, or the next one where this one was approved and stays as it is."""
        self._require_revision(revision)
        if self.state is MinutesState.DRAFT:
            raise ConferenceError("invalid_state", "it is a draft")
        if self.state is MinutesState.REVIEWED:
            return self._next(
                state=MinutesState.DRAFT,
                reviewed_by=None,
                reviewed_wall_ms=None,
                gaps_reason="",
                despite=None,
            )
        return Minutes(
            new_id,
            self.consultation_id,
            self.kind,
            self.version + 1,
            MinutesState.DRAFT,
            1,
            self.sections,
            by,
            wall_ms,
            made_number=self.made_number,
        )

    def _with(self, sections: tuple[Section, ...], by: str, wall_ms: int) -> Minutes:
        if sections == self.sections:
            return self
        if any(len(each.text) > MAX_SECTION for each in sections):
            raise ConferenceError("too_large", f"a section of {MAX_SECTION} characters at most")
        if sum(len(each.text) for each in sections) > MAX_MINUTES:
            raise ConferenceError("too_large", f"{MAX_MINUTES} characters at most")
        return self._next(sections=sections, updated_by=by, updated_wall_ms=wall_ms)

    def _next(self, **changes: object) -> Minutes:
        return replace(self, revision=self.revision + 1, **changes)  # type: ignore[arg-type]

    def _require(self, state: MinutesState, revision: int) -> None:
        if self.state is not state:
            raise ConferenceError("invalid_state", f"{self.state} is not {state}")
        self._require_revision(revision)

    def _require_revision(self, revision: int) -> None:
        if revision != self.revision:
            raise ConferenceError("edit_conflict", f"revision {revision} is not {self.revision}")


@dataclass(frozen=True, slots=True)
class MinutesTemplate:
    """The DOCX that a body's minutes are put into. `added_wall_ms` is UTC."""

    organization_id: str
    name: str
    size_bytes: int
    sha256: str
    added_by: str
    added_wall_ms: int


def approval_of(
    head: AuditHead, by: str, wall_ms: int, gaps: Sequence[PrintedGap], despite_gaps_reason: str
) -> Approval:
    """What is printed, with the trace's head as it is once the line of the approval stands in it."""
    return Approval(by, wall_ms, head.number, head.hash, tuple(gaps), despite_gaps_reason)


def tidied(text: str) -> str:
    """Paragraphs, one a line: no blanks at their ends, no empty lines, no control characters."""
    text = text.replace("\t", " ")
    # Asked once for each character that there is: a record has a million of a few thousand.
    dropped = [ord(each) for each in set(text) if each != "\n" and category(each)[0] == "C"]
    lines = (line.strip() for line in text.translate(dict.fromkeys(dropped)).splitlines())
    return "\n".join(line for line in lines if line)
