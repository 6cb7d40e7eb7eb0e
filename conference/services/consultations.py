"""Consultations: making one, finding one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from conference.clock import Clock
from conference.model.audit import CLI, SYSTEM, Actor, AuditEntry
from conference.model.consultation import (
    CommentIdentity,
    Consultation,
    ConsultationKind,
    Mode,
    Moderation,
    Status,
)
from conference.model.errors import ConferenceError
from conference.model.identity import IdentityKind, require_offered
from conference.model.ids import new_id
from conference.model.permissions import Action, Role, require
from conference.services.logins import StaffMember
from conference.services.ports import Storage, UnitOfWork


@dataclass(frozen=True, slots=True)
class ConsultationDraft:
    """What is said when a consultation is made. The defaults are those of the command line."""

    title: str
    id: str | None = None
    status: Status = Status.SCHEDULED
    mode: Mode = Mode.FREE
    is_public: bool = True
    waiting_room: bool = False
    microphone_on_join: bool = True
    recording: bool = True
    program: bool = True
    captions: bool = True
    program_captions: bool = False
    public_delay_s: int = 0
    scheduled_at_ms: int | None = None
    organization: str | None = None
    kind: ConsultationKind = ConsultationKind.THEMATIC
    organization_id: str | None = None
    briefing: str = ""
    ends_at_ms: int | None = None
    closing_at_ms: int | None = None
    moderation: Moderation = Moderation.PRE
    moderator_promotes: bool = False
    comment_identity: CommentIdentity = CommentIdentity.OPTIONAL


class Consultations:
    """Use cases that need rows only: they work beside a running server."""

    def __init__(
        self, storage: Storage, clock: Clock, *, identity_kinds: Sequence[IdentityKind] = ()
    ) -> None:
        """`identity_kinds`: how viewers may show who they are."""
        self._identity_kinds = tuple(identity_kinds)
        self._storage = storage
        self._clock = clock

    async def create(self, draft: ConsultationDraft, by: Actor = CLI) -> Consultation:
        """Make one; consultation_exists when the id is taken."""
        consultation = self._made(draft)
        async with self._storage.transaction() as unit:
            await unit.consultations.add(consultation)
            await unit.audit.append(_created(consultation, by))
        return consultation

    async def draft(self, by: StaffMember, draft: ConsultationDraft) -> Consultation:
        """One that staff begin to prepare, for their organization: internal, and closed until it is published.

        identity_not_offered when viewers would have to show who they are and cannot.
        """
        require(by.user.role, Action.CONSULTATION_CREATE)
        require_offered(draft.comment_identity, self._identity_kinds)
        own = by.organization
        made = replace(
            draft,
            status=Status.DRAFT,
            organization_id=own.id,
            organization=draft.organization or own.name,
        )
        return await self.create(made, by.actor)

    async def page(
        self, organization_ids: Collection[str], status: Status | None, after: str | None, limit: int
    ) -> tuple[list[Consultation], bool]:
        """Those of these organizations and of none, newest schedule first, and whether there are more."""
        async with self._storage.reading() as unit:
            found = await unit.preparation.consultations(
                organization_ids, status=status, after=after, limit=limit + 1
            )
        return found[:limit], len(found) > limit

    async def note_tokens(self, consultation_id: str, tokens: Mapping[str, Role], by: Actor = CLI) -> None:
        """Note that tokens are given out, by their ids; consultation_not_found when there is nothing to open."""
        async with self._storage.transaction() as unit:
            await consultation_of(unit, consultation_id)
            for token_id, role in tokens.items():
                now_ms, content = self._clock.wall_ms(), {"role": role.value}
                await unit.audit.append(
                    AuditEntry(consultation_id, now_ms, None, by, "token.issued", token_id, content)
                )

    async def get(self, consultation_id: str) -> Consultation:
        """The consultation, or consultation_not_found."""
        async with self._storage.reading() as unit:
            return await consultation_of(unit, consultation_id)

    async def rehearse(self, draft: ConsultationDraft) -> Consultation:
        """The consultation of that id, made anew when there is none or it is over. For trials only."""
        consultation = self._made(draft)
        async with self._storage.transaction() as unit:
            existing = await unit.consultations.get(consultation.id)
            if existing is not None and existing.is_open:
                return existing
            if existing is not None:
                await unit.consultations.delete(existing.id)
                await unit.audit.append(
                    AuditEntry(
                        existing.id, self._clock.wall_ms(), None, SYSTEM, "consultation.deleted", existing.id
                    )
                )
            await unit.consultations.add(consultation)
            await unit.audit.append(_created(consultation, SYSTEM))
        return consultation

    def _made(self, draft: ConsultationDraft) -> Consultation:
        return Consultation(
            id=draft.id or new_id("c"),
            title=draft.title,
            status=draft.status,
            mode=draft.mode,
            is_public=draft.is_public,
            waiting_room=draft.waiting_room,
            microphone_on_join=draft.microphone_on_join,
            recording=draft.recording,
            program=draft.program,
            captions=draft.captions,
            program_captions=draft.program_captions,
            public_delay_s=draft.public_delay_s,
            created_at_ms=self._clock.wall_ms(),
            scheduled_at_ms=draft.scheduled_at_ms,
            organization=draft.organization,
            kind=draft.kind,
            organization_id=draft.organization_id,
            briefing=draft.briefing,
            ends_at_ms=draft.ends_at_ms,
            closing_at_ms=draft.closing_at_ms,
            moderation=draft.moderation,
            moderator_promotes=draft.moderator_promotes,
            comment_identity=draft.comment_identity,
        )


async def consultation_of(unit: UnitOfWork, consultation_id: str) -> Consultation:
    """The consultation, or consultation_not_found."""
    consultation = await unit.consultations.get(consultation_id)
    if consultation is None:
        raise ConferenceError("consultation_not_found", consultation_id)
    return consultation


_UNTOLD = frozenset({"id", "created_at_ms", "program_high_water_ms", "rehearsed_line"})


def _created(consultation: Consultation, by: Actor) -> AuditEntry:
    content = {
        name: value
        for name, value in asdict(consultation).items()
        if value is not None and name not in _UNTOLD
    }
    return AuditEntry(
        consultation.id,
        consultation.created_at_ms,
        None,
        by,
        "consultation.created",
        consultation.id,
        content,
    )
