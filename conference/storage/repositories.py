"""The repositories of one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.consultation import Consultation, ProgramGap, Status
from conference.model.errors import ConferenceError
from conference.model.participant import EntryMeans, Participant, ParticipantKind
from conference.storage.archive_rows import SqlArchiveRows
from conference.storage.audit import SqlAudit
from conference.storage.body_words import SqlBodyWords
from conference.storage.broadcast import SqlBroadcastCuts
from conference.storage.cameras import SqlCameras
from conference.storage.clips import SqlClips
from conference.storage.comments import SqlComments
from conference.storage.exports import SqlExports
from conference.storage.files import SqlBriefingFiles
from conference.storage.guests import SqlInvitees, SqlVenues
from conference.storage.identities import SqlIdentities
from conference.storage.invitee_imports import SqlInviteeImports
from conference.storage.keyed import SqlKeyed
from conference.storage.minutes import SqlMinutes, SqlMinutesTemplates
from conference.storage.minutes_sources import SqlMinutesSources
from conference.storage.prechecks import SqlPrechecks
from conference.storage.preparation import SqlPreparation
from conference.storage.proceedings import SqlAgenda, SqlFloor, SqlStatements, SqlStays
from conference.storage.promotions import SqlPromotions
from conference.storage.recordings import SqlRecordings
from conference.storage.rehearsals import SqlRehearsals
from conference.storage.responses import SqlDepartments, SqlNotices, SqlResponses
from conference.storage.rows import to_consultation, to_gap, to_participant, to_row
from conference.storage.rules import SqlRules, SqlStorageUses
from conference.storage.second_passes import SqlSecondPasses
from conference.storage.shared_directory import SqlSharedDirectory
from conference.storage.staff import SqlOrganizations, SqlStaffSessions, SqlUsers
from conference.storage.statements import insert, upsert
from conference.storage.tables import consultations, participants, program_gaps, revoked_tokens
from conference.storage.talkback import SqlVenueMessages
from conference.storage.terms import SqlTerms
from conference.storage.transcript import SqlTranscript
from conference.storage.viewers import SqlViewers

_RUNNING = (Status.LIVE.value, Status.REHEARSAL.value)
_PARTICIPANT_KEPT = {"id", "consultation_id", "joined_at_ms"}
_PARTICIPANT_CHANGES = tuple(each.name for each in participants.c if each.name not in _PARTICIPANT_KEPT)


class SqlConsultations:
    """Rows of consultations and of the gaps in their program time."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, consultation_id: str) -> Consultation | None:
        query = sa.select(consultations).where(consultations.c.id == consultation_id)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return None if row is None else to_consultation(row)

    async def live(self) -> list[Consultation]:
        query = sa.select(consultations).where(consultations.c.status.in_(_RUNNING))
        return [to_consultation(row) for row in (await self._connection.execute(query)).mappings()]

    async def live_of(self, organization_id: str) -> int:
        query = sa.select(sa.func.count()).where(
            consultations.c.organization_id == organization_id, consultations.c.status.in_(_RUNNING)
        )
        return int((await self._connection.execute(query)).scalar_one())

    async def ended_before(self, wall_ms: int) -> list[Consultation]:
        query = (
            sa.select(consultations)
            .where(consultations.c.status == Status.ENDED.value, consultations.c.ended_at_ms < wall_ms)
            .order_by(consultations.c.ended_at_ms, consultations.c.id)
        )
        return [to_consultation(row) for row in (await self._connection.execute(query)).mappings()]

    async def add(self, consultation: Consultation) -> None:
        try:
            await self._connection.execute(sa.insert(consultations).values(to_row(consultation)))
        except IntegrityError as error:
            raise ConferenceError("consultation_exists", consultation.id) from error

    async def save(self, consultation: Consultation) -> None:
        statement = sa.update(consultations).where(consultations.c.id == consultation.id)
        await self._connection.execute(statement.values(to_row(consultation)))

    async def delete(self, consultation_id: str) -> None:
        await self._connection.execute(sa.delete(consultations).where(consultations.c.id == consultation_id))

    async def raise_high_water(self, program_times_ms: Mapping[str, int]) -> None:
        for consultation_id, time_ms in program_times_ms.items():
            await self._connection.execute(
                sa.update(consultations)
                .where(
                    consultations.c.id == consultation_id,
                    consultations.c.program_high_water_ms < time_ms,
                    consultations.c.status.in_(_RUNNING),  # another node may have ended it
                )
                .values(program_high_water_ms=time_ms)
            )

    async def add_gap(self, gap: ProgramGap) -> None:
        statement = insert(self._connection, program_gaps).values(to_row(gap))
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[program_gaps.c.consultation_id, program_gaps.c.from_ms],
                set_={"to_ms": gap.to_ms},
            )
        )

    async def gaps(self, consultation_id: str) -> list[ProgramGap]:
        query = (
            sa.select(program_gaps)
            .where(program_gaps.c.consultation_id == consultation_id)
            .order_by(program_gaps.c.from_ms)
        )
        return [to_gap(row) for row in (await self._connection.execute(query)).mappings()]


class SqlParticipants:
    """Rows of participants."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, participant_id: str) -> Participant | None:
        query = sa.select(participants).where(participants.c.id == participant_id)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return None if row is None else to_participant(row)

    async def of(self, consultation_id: str) -> list[Participant]:
        query = (
            sa.select(participants)
            .where(participants.c.consultation_id == consultation_id)
            .order_by(participants.c.joined_at_ms, participants.c.id)
        )
        return [to_participant(row) for row in (await self._connection.execute(query)).mappings()]

    async def same_person(
        self,
        consultation_id: str,
        *,
        invitee_id: str | None,
        operated_id: str | None,
        token_id: str,
        user_id: str | None = None,
    ) -> list[Participant]:
        if invitee_id is not None:
            who = participants.c.invitee_id == invitee_id
        elif operated_id is not None:
            by_link = participants.c.entered_by == EntryMeans.OPERATOR.value
            who = sa.and_(participants.c.venue_id == operated_id, by_link)
        elif user_id is not None:
            who = participants.c.user_id == user_id
        else:
            who = participants.c.token_id == token_id
        query = (
            sa.select(participants)
            .where(
                participants.c.consultation_id == consultation_id,
                participants.c.kind == ParticipantKind.CLIENT.value,
                who,
            )
            .order_by(participants.c.joined_at_ms, participants.c.id)
        )
        return [to_participant(row) for row in (await self._connection.execute(query)).mappings()]

    async def present(self) -> list[Participant]:
        query = (
            sa.select(participants)
            .where(participants.c.left_at_ms.is_(None))
            .order_by(participants.c.joined_at_ms, participants.c.id)
        )
        return [to_participant(row) for row in (await self._connection.execute(query)).mappings()]

    async def save(self, saved: Iterable[Participant]) -> None:
        rows: list[dict[str, Any]] = [to_row(participant) for participant in saved]
        if not rows:
            return
        await self._connection.execute(upsert(self._connection, participants, _PARTICIPANT_CHANGES), rows)

    async def touch(self, participant_ids: Iterable[str], now_ms: int) -> None:
        rows = [{"touched_id": participant_id} for participant_id in participant_ids]
        if rows:
            await self._connection.execute(
                sa.update(participants)
                .where(participants.c.id == sa.bindparam("touched_id"))
                .values(last_seen_ms=now_ms),
                rows,
            )


class SqlRevocations:
    """Rows of revoked token ids."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def contains(self, token_id: str) -> bool:
        query = sa.select(revoked_tokens.c.token_id).where(revoked_tokens.c.token_id == token_id)
        return (await self._connection.execute(query)).first() is not None

    async def among(self, token_ids: Collection[str]) -> set[str]:
        query = sa.select(revoked_tokens.c.token_id).where(revoked_tokens.c.token_id.in_(list(token_ids)))
        return set((await self._connection.execute(query)).scalars())

    async def add(self, token_id: str, now_ms: int) -> None:
        statement = insert(self._connection, revoked_tokens)
        await self._connection.execute(
            statement.values(token_id=token_id, revoked_at_ms=now_ms).on_conflict_do_nothing()
        )


class SqlUnitOfWork:
    """The repositories on one connection, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.consultations = SqlConsultations(connection)
        self.participants = SqlParticipants(connection)
        self.revocations = SqlRevocations(connection)
        self.audit = SqlAudit(connection)
        self.archive_rows = SqlArchiveRows(connection)
        self.agenda = SqlAgenda(connection)
        self.floor = SqlFloor(connection)
        self.statements = SqlStatements(connection)
        self.stays = SqlStays(connection)
        self.venue_messages = SqlVenueMessages(connection)
        self.venues = SqlVenues(connection)
        self.cameras = SqlCameras(connection)
        self.prechecks = SqlPrechecks(connection)
        self.invitees = SqlInvitees(connection)
        self.invitee_imports = SqlInviteeImports(connection)
        self.organizations = SqlOrganizations(connection)
        self.rules = SqlRules(connection)
        self.body_words = SqlBodyWords(connection)
        self.storage_uses = SqlStorageUses(connection)
        self.users = SqlUsers(connection)
        self.staff_sessions = SqlStaffSessions(connection)
        self.preparation = SqlPreparation(connection)
        self.files = SqlBriefingFiles(connection)
        self.rehearsals = SqlRehearsals(connection)
        self.recordings = SqlRecordings(connection)
        self.broadcast_cuts = SqlBroadcastCuts(connection)
        self.exports = SqlExports(connection)
        self.clips = SqlClips(connection)
        self.comments = SqlComments(connection)
        self.promotions = SqlPromotions(connection)
        self.identities = SqlIdentities(connection)
        self.departments = SqlDepartments(connection)
        self.responses = SqlResponses(connection)
        self.notices = SqlNotices(connection)
        self.viewers = SqlViewers(connection)
        self.transcript = SqlTranscript(connection)
        self.second_passes = SqlSecondPasses(connection)
        self.shared_directory = SqlSharedDirectory(connection)
        self.terms = SqlTerms(connection)
        self.keyed = SqlKeyed(connection)
        self.minutes = SqlMinutes(connection)
        self.minutes_sources = SqlMinutesSources(connection)
        self.minutes_templates = SqlMinutesTemplates(connection)
