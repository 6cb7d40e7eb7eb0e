"""Resources of the API: the JSON that leaves."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from conference.events import ParticipantView
from conference.model.consultation import (
    CommentIdentity,
    Consultation,
    ConsultationKind,
    Mode,
    Moderation,
    Status,
)
from conference.model.media import Kind, Source
from conference.model.participant import Device, EntryMeans, ParticipantKind
from conference.model.permissions import Role


class Resource(BaseModel):
    """Base of all: made from the views of the services."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class ConsultationResource(Resource):
    """A consultation. Times are UTC milliseconds."""

    id: str
    title: str
    status: Status
    mode: Mode
    scheduled_at_ms: int | None
    started_at_ms: int | None
    ended_at_ms: int | None
    organization: str | None
    program_time_ms: int | None
    kind: ConsultationKind
    organization_id: str | None
    briefing: str
    ends_at_ms: int | None
    closing_at_ms: int | None
    is_public: bool
    waiting_room: bool
    microphone_on_join: bool
    recording: bool
    recording_paused: bool
    program: bool
    captions: bool
    program_captions: bool
    public_delay_s: int
    moderation: Moderation
    moderator_promotes: bool
    comment_identity: CommentIdentity
    revision: int

    @classmethod
    def of(cls, consultation: Consultation, program_time_ms: int | None) -> ConsultationResource:
        return cls(
            id=consultation.id,
            title=consultation.title,
            status=consultation.status,
            mode=consultation.mode,
            scheduled_at_ms=consultation.scheduled_at_ms,
            started_at_ms=consultation.started_at_ms,
            ended_at_ms=consultation.ended_at_ms,
            organization=consultation.organization,
            program_time_ms=program_time_ms,
            kind=consultation.kind,
            organization_id=consultation.organization_id,
            briefing=consultation.briefing,
            ends_at_ms=consultation.ends_at_ms,
            closing_at_ms=consultation.closing_at_ms,
            is_public=consultation.is_public,
            waiting_room=consultation.waiting_room,
            microphone_on_join=consultation.microphone_on_join,
            recording=consultation.recording,
            recording_paused=consultation.recording_paused,
            program=consultation.program,
            captions=consultation.captions,
            program_captions=consultation.program_captions,
            public_delay_s=consultation.public_delay_s,
            moderation=consultation.moderation,
            moderator_promotes=consultation.moderator_promotes,
            comment_identity=consultation.comment_identity,
            revision=consultation.revision,
        )


class SessionConsultation(Resource):
    id: str
    title: str
    status: Status
    mode: Mode
    scheduled_at_ms: int | None
    organization: str | None


class SessionResource(Resource):
    """What a token opens: shown before joining."""

    consultation: SessionConsultation
    name: str
    role: Role
    venue: str | None
    in_hall: bool  # entered by a hall's code: no loudspeaker, and a microphone only with the floor
    room_full: bool
    participants: int


class PublicationResource(Resource):
    id: str
    kind: Kind
    source: Source
    label: str
    codec: str
    main: bool  # the camera that is meant where a single one is


class ParticipantResource(Resource):
    """A participant of the live room, with what it publishes."""

    id: str
    name: str
    role: Role
    venue: str | None
    kind: ParticipantKind
    device: Device | None
    joined_at_ms: int
    connected: bool
    microphone: bool
    camera: bool
    hard_muted: bool
    muted_by: str | None
    hand: int | None
    quality: int | None
    publications: list[PublicationResource]
    title: str | None
    sector: str | None
    in_hall: bool
    entered_by: EntryMeans

    @classmethod
    def of(cls, view: ParticipantView) -> ParticipantResource:
        return cls.model_validate(view)


class ParticipantList(Resource):
    """A page of participants; `next` is the `after` of the next page."""

    items: list[ParticipantResource]
    next: str | None


class Problem(Resource):
    """RFC 9457, with a stable code."""

    type: str
    title: str
    status: int
    detail: str
    code: str
