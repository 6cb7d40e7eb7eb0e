"""What the services need of the outside: storage, media, clients. signaling.composition chooses implementations."""

from conference.services.ports.audience import ViewerRepository
from conference.services.ports.cameras import CameraRepository
from conference.services.ports.clips import ClipMaker, ClipRefusedError, ClipRepository, ClipStore
from conference.services.ports.comments import (
    BodyWordRepository,
    CommentReader,
    CommentRepository,
    Grouping,
    Judge,
    PromotionRepository,
    Sealer,
)
from conference.services.ports.devices import Devices
from conference.services.ports.exports import ExportFailedError, ExportMaker
from conference.services.ports.files import Disk, FileStore, Recorder, SoundCutter, TableReader
from conference.services.ports.identities import (
    IdentityProvider,
    IdentityRepository,
    IdentityVault,
    Question,
)
from conference.services.ports.ingest import Ingests
from conference.services.ports.keys import FixedKey, KeyedRepository, Keys, KeyStore, keys_of
from conference.services.ports.media import MediaError, MediaPlane
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
    GapReader,
    MinutesRepository,
    MinutesTemplateRepository,
    TemplateChecker,
)
from conference.services.ports.nodes import PresenceRegistry, RateLimits
from conference.services.ports.prechecks import PrecheckRepository, RecordSigner
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
from conference.services.ports.programs import ProgramMaker
from conference.services.ports.publisher import Publisher
from conference.services.ports.rehearsals import RehearsalRepository, RoomWork
from conference.services.ports.relay import NoRelay, Relay
from conference.services.ports.responses import (
    DepartmentRepository,
    Letter,
    NoticeRepository,
    Notifier,
    NotSentError,
    ResponseRepository,
)
from conference.services.ports.rules import RulesRepository, StorageMeter, StorageUseRepository
from conference.services.ports.second_pass import SecondListener, SecondPassRepository
from conference.services.ports.sharing import OneServer, SharedDirectoryRow, Works
from conference.services.ports.storage import Storage, UnitOfWork
from conference.services.ports.transcription import TermRepository, Transcriber, TranscriptRepository

__all__ = [
    "AgendaRepository",
    "ArchiveRows",
    "AuditRepository",
    "BodyWordRepository",
    "BriefingFileRepository",
    "BroadcastCutRepository",
    "CameraRepository",
    "ClipMaker",
    "ClipRefusedError",
    "ClipRepository",
    "ClipStore",
    "CommentReader",
    "CommentRepository",
    "ConsultationRepository",
    "DepartmentRepository",
    "Devices",
    "Disk",
    "ExportFailedError",
    "ExportMaker",
    "ExportRepository",
    "FileStore",
    "FixedKey",
    "FloorRepository",
    "GapReader",
    "Grouping",
    "IdentityProvider",
    "IdentityRepository",
    "IdentityVault",
    "Ingests",
    "InviteeImportRepository",
    "InviteeRepository",
    "Judge",
    "KeyStore",
    "KeyedRepository",
    "Keys",
    "Letter",
    "MediaError",
    "MediaPlane",
    "MinutesRepository",
    "MinutesTemplateRepository",
    "NoRelay",
    "NotSentError",
    "NoticeRepository",
    "Notifier",
    "OneServer",
    "OrganizationRepository",
    "ParticipantRepository",
    "PrecheckRepository",
    "PreparationRows",
    "PresenceRegistry",
    "ProgramMaker",
    "PromotionRepository",
    "Publisher",
    "Question",
    "RateLimits",
    "RecordSigner",
    "Recorder",
    "RecordingRepository",
    "RehearsalRepository",
    "Relay",
    "ResponseRepository",
    "RevocationRepository",
    "RoomWork",
    "RulesRepository",
    "Sealer",
    "SecondListener",
    "SecondPassRepository",
    "SharedDirectoryRow",
    "SoundCutter",
    "StaffSessionRepository",
    "StatementRepository",
    "StayRepository",
    "Storage",
    "StorageMeter",
    "StorageUseRepository",
    "TableReader",
    "TemplateChecker",
    "TermRepository",
    "Transcriber",
    "TranscriptRepository",
    "UnitOfWork",
    "UserRepository",
    "VenueRepository",
    "ViewerRepository",
    "Works",
    "keys_of",
]
