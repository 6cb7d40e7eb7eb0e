"""One's own speeches over HTTP, for the bearer of a personal link, when the consultation is over."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r202, r400, r401, r403, r404, r409, r429

from conference.model.errors import ConferenceError
from conference.model.export import Export, ExportState
from conference.model.permissions import Action, Role
from conference.model.statement import Statement
from conference.services.own_speeches import OwnRecord, OwnSpeech, OwnStatement
from signaling.http.context import CONTEXT
from signaling.http.downloads import begins, file_name, hashed_file
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of
from signaling.http.transcript_sound import not_recorded, sound_of


class OwnConsultation(Resource):
    """Times are UTC."""

    id: str
    title: str
    organization: str | None
    started_at_ms: int | None
    ended_at_ms: int | None


class OwnSegment(Resource):
    """Program time."""

    id: str
    start_ms: int
    end_ms: int
    text: str
    is_unclear: bool


class OwnClip(Resource):
    """A file of the session's sound while one had the floor."""

    state: ExportState
    progress: int
    duration_ms: int
    size_bytes: int


class OwnSpeechResource(Resource):
    """One holding of the floor, or what was said in a row without it: then `turn_id` is null and there is no clip.
    `clip` is null until somebody asks for it."""

    turn_id: str | None
    item_title: str | None
    from_ms: int
    to_ms: int
    segments: list[OwnSegment]
    has_sound: bool
    clip: OwnClip | None

    @classmethod
    def of(cls, speech: OwnSpeech) -> OwnSpeechResource:
        return cls.model_validate(speech)


class OwnReply(Resource):
    name: str
    role: Role
    text: str
    at_wall_ms: int
    private: bool


class OwnStatementResource(Resource):
    """What was written; `replies` are those of others."""

    id: str
    number: int
    text: str
    at_ms: int | None
    at_wall_ms: int
    private: bool
    taken: bool
    likes: int
    replies: list[OwnReply]

    @classmethod
    def of(cls, own: OwnStatement) -> OwnStatementResource:
        names = ("id", "number", "text", "at_ms", "at_wall_ms", "private", "taken")
        said: dict[str, object] = {name: getattr(own.statement, name) for name in names}
        return cls.model_validate(
            {**said, "likes": own.likes, "replies": [_reply(each) for each in own.replies]}
        )


class OwnSpeechesResource(Resource):
    consultation: OwnConsultation
    name: str
    speeches: list[OwnSpeechResource]
    statements: list[OwnStatementResource]

    @classmethod
    def of(cls, record: OwnRecord) -> OwnSpeechesResource:
        return cls(
            consultation=OwnConsultation.model_validate(record.consultation),
            name=record.name,
            speeches=[OwnSpeechResource.of(each) for each in record.speeches],
            statements=[OwnStatementResource.of(each) for each in record.statements],
        )


@documented
async def get_own_speeches(
    request: web.Request, cid: str, /
) -> r200[OwnSpeechesResource] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    What the bearer of this token said and wrote, and what was replied.

    Security: BearerToken: []
    Tags: own speeches
    Status Codes:
        409: invalid_state: it is not over
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CONSULTATION_READ)
    return json_of(OwnSpeechesResource.of(await context.own_speeches.of(cid, grant.bearer, grant.warrant)))


@documented
async def get_own_sound(
    request: web.Request, cid: str, /, from_ms: int, to_ms: int
) -> r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem] | r429[Problem]:
    """
    A stretch of one's own microphone within one speech, half an hour at most: WebM with Opus, whole or in ranges.

    Security: BearerToken: []
    Tags: own speeches
    Status Codes:
        403: also outside of one's speeches, and where something confidential or of others lies in it
        404: also nothing_recorded
        409: invalid_state: it is not over
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CONSULTATION_READ)
    try:
        sound = await context.own_speeches.sound(
            cid, grant.bearer, grant.warrant, from_ms, to_ms, is_traced=begins(request)
        )
    except ConferenceError as error:
        return not_recorded(error)
    return sound_of(request, sound)


@documented
async def make_own_clip(
    request: web.Request, cid: str, turn: str, /
) -> r200[OwnClip] | r202[OwnClip] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Have the sound of the session made into a file, from the time when one had the floor.

    Security: BearerToken: []
    Tags: own speeches
    Status Codes:
        200: it is there
        202: it is on its way
        409: invalid_state, nothing_recorded
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CONSULTATION_READ)
    export = await context.own_speeches.make_clip(cid, grant.bearer, grant.warrant, turn)
    return json_of(_clip(export), 200 if export.state is ExportState.DONE else 202)


@documented
async def get_own_clip(
    request: web.Request, cid: str, turn: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    That file, M4A, whole or in ranges.

    Security: BearerToken: []
    Tags: own speeches
    Status Codes:
        409: invalid_state: it is not made yet
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CONSULTATION_READ)
    known = await context.own_speeches.clip(cid, grant.bearer, grant.warrant, turn)
    export, path = await context.exports.handed_out(cid, known.id, grant.bearer, is_traced=begins(request))
    name = file_name(export.title or export.id, "sound", export.from_ms, Path(export.path).suffix)
    return await hashed_file(request, path, export.sha256, export.media_type, name)


def _reply(statement: Statement) -> OwnReply:
    return OwnReply.model_validate(statement)


def _clip(export: Export) -> OwnClip:
    return OwnClip.model_validate(export)


def add_to(app: web.Application) -> None:
    """The routes of one's own speeches."""
    path = f"{PREFIX}/consultations/{{cid}}/own-speeches"
    app.router.add_get(path, get_own_speeches, allow_head=False)
    app.router.add_get(f"{path}/sound", get_own_sound, allow_head=False)
    app.router.add_post(f"{path}/{{turn:[A-Za-z0-9_-]+}}/clip", make_own_clip)
    app.router.add_get(f"{path}/{{turn:[A-Za-z0-9_-]+}}/clip", get_own_clip, allow_head=False)
