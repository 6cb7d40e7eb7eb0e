"""The database: its repositories inside one transaction."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from conference.services.ports.audience import ViewerRepository
from conference.services.ports.cameras import CameraRepository
from conference.services.ports.clips import ClipRepository
from conference.services.ports.comments import BodyWordRepository, CommentRepository, PromotionRepository
from conference.services.ports.identities import IdentityRepository
from conference.services.ports.keys import KeyedRepository
from conference.services.ports.meeting_rows import (
    AgendaRepository,
    ArchiveRows,
    AuditRepository,
    BroadcastCutRepository,
    ConsultationRepository,
    ExportRepository,
    FloorRepository,
    ParticipantRepository,
    RecordingRepository,
    RevocationRepository,
    StatementRepository,
    StayRepository,
)
from conference.services.ports.minutes import (
    MinutesRepository,
    MinutesSourcesRepository,
    MinutesTemplateRepository,
)
from conference.services.ports.prechecks import PrecheckRepository
from conference.services.ports.preparing_rows import (
    BriefingFileRepository,
    InviteeImportRepository,
    InviteeRepository,
    OrganizationRepository,
    PreparationRows,
    StaffSessionRepository,
    UserRepository,
    VenueRepository,
)
from conference.services.ports.rehearsals import RehearsalRepository
from conference.services.ports.responses import (
    DepartmentRepository,
    NoticeRepository,
    ResponseRepository,
)
from conference.services.ports.rules import RulesRepository, StorageUseRepository
from conference.services.ports.second_pass import SecondPassRepository
from conference.services.ports.sharing import SharedDirectoryRow
from conference.services.ports.talkback import VenueMessageRepository
from conference.services.ports.transcription import TermRepository, TranscriptRepository


class UnitOfWork(Protocol):
    """The repositories inside one transaction."""

    @property
    def consultations(self) -> ConsultationRepository: ...

    @property
    def participants(self) -> ParticipantRepository: ...

    @property
    def revocations(self) -> RevocationRepository: ...

    @property
    def audit(self) -> AuditRepository: ...

    @property
    def archive_rows(self) -> ArchiveRows: ...

    @property
    def agenda(self) -> AgendaRepository: ...

    @property
    def floor(self) -> FloorRepository: ...

    @property
    def statements(self) -> StatementRepository: ...

    @property
    def stays(self) -> StayRepository: ...

    @property
    def venue_messages(self) -> VenueMessageRepository: ...

    @property
    def venues(self) -> VenueRepository: ...

    @property
    def prechecks(self) -> PrecheckRepository: ...

    @property
    def cameras(self) -> CameraRepository: ...

    @property
    def invitees(self) -> InviteeRepository: ...

    @property
    def invitee_imports(self) -> InviteeImportRepository: ...

    @property
    def organizations(self) -> OrganizationRepository: ...

    @property
    def body_words(self) -> BodyWordRepository: ...

    @property
    def rules(self) -> RulesRepository: ...

    @property
    def storage_uses(self) -> StorageUseRepository: ...

    @property
    def users(self) -> UserRepository: ...

    @property
    def staff_sessions(self) -> StaffSessionRepository: ...

    @property
    def preparation(self) -> PreparationRows: ...

    @property
    def files(self) -> BriefingFileRepository: ...

    @property
    def rehearsals(self) -> RehearsalRepository: ...

    @property
    def recordings(self) -> RecordingRepository: ...

    @property
    def broadcast_cuts(self) -> BroadcastCutRepository: ...

    @property
    def exports(self) -> ExportRepository: ...

    @property
    def clips(self) -> ClipRepository: ...

    @property
    def comments(self) -> CommentRepository: ...

    @property
    def promotions(self) -> PromotionRepository: ...

    @property
    def identities(self) -> IdentityRepository: ...

    @property
    def departments(self) -> DepartmentRepository: ...

    @property
    def responses(self) -> ResponseRepository: ...

    @property
    def notices(self) -> NoticeRepository: ...

    @property
    def viewers(self) -> ViewerRepository: ...

    @property
    def transcript(self) -> TranscriptRepository: ...

    @property
    def second_passes(self) -> SecondPassRepository: ...

    @property
    def shared_directory(self) -> SharedDirectoryRow: ...

    @property
    def terms(self) -> TermRepository: ...

    @property
    def keyed(self) -> KeyedRepository: ...

    @property
    def minutes(self) -> MinutesRepository: ...

    @property
    def minutes_sources(self) -> MinutesSourcesRepository: ...

    @property
    def minutes_templates(self) -> MinutesTemplateRepository: ...


class Storage(Protocol):
    """Rows that survive a restart."""

    def transaction(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Everything inside is durable when the block ends, or nothing is (the block raised)."""

    def reading(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """One consistent view; writing through it is an error."""

    async def ping(self) -> None:
        """Raises when the database does not answer."""
