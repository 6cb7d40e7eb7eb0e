"""How the transcript comes about, over HTTP: the speech model, captions, what is missing still, and what is decided
about that."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r400, r401, r403, r404, r409
from pydantic import BaseModel, ConfigDict, Field, model_validator

from conference.model.ids import PLAIN_PATTERN
from conference.model.permissions import Action
from conference.model.transcript import MAX_REASON, CaptionState, GapState
from signaling.http.context import CONTEXT, HttpContext
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of
from signaling.http.second_pass import SecondPassResource

ProgramMs = Annotated[int, Field(ge=0, le=10**12)]


class ModelResource(Resource):
    """`engine` is empty where nothing can be recognised; `reason` then: no_model, model_broken, wrong_rate,
    engine_missing, worker_ended, or off when this server listens to nobody."""

    engine: str
    name: str
    reason: str


class GapResource(Resource):
    """A stretch of a microphone of which there is no text; of all of them where `participant_id` is the consultation's.
    `reason`: unreadable, worker_ended, refused, unsettled, deleted, not_listened, not_transcribed, or empty: it waits
    for its turn, or was not recorded. `note`: why it was waived."""

    participant_id: str
    name: str
    from_ms: int
    to_ms: int
    state: GapState
    reason: str
    note: str


class JobsResource(Resource):
    """What is being recognised from the recording; times are of sound."""

    waiting: int
    running: int
    done_ms: int
    total_ms: int


class TranscriptStateResource(Resource):
    """`lag_ms`: how far what is said now is behind."""

    model: ModelResource
    state: CaptionState
    lag_ms: int
    gaps: list[GapResource]
    jobs: JobsResource
    second_pass: SecondPassResource


class GapAction(StrEnum):
    RECOGNISE = "recognise"
    WAIVE = "waive"


class GapBody(BaseModel):
    """What is to become of a stretch; waiving it wants a note."""

    model_config = ConfigDict(str_strip_whitespace=True)

    participant_id: Annotated[str, Field(min_length=1, max_length=64)]
    from_ms: ProgramMs
    to_ms: ProgramMs
    action: GapAction
    note: Annotated[str, Field(max_length=MAX_REASON, pattern=PLAIN_PATTERN)] = ""

    @model_validator(mode="after")
    def _check(self) -> GapBody:
        if self.from_ms >= self.to_ms:
            raise ValueError("it ends before it begins")
        if self.action is GapAction.WAIVE and not self.note:
            raise ValueError("a note is missing")
        return self


@documented
async def get_transcript_state(
    request: web.Request, cid: str, /
) -> r200[TranscriptStateResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    How the transcript comes about: the model, the captions, what is missing, and how far catching up is.

    Security: BearerToken: []
    Tags: transcript
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.TRANSCRIPT_READ)
    context.rooms.require_here(cid)
    return json_of(await _state(context, cid))


@documented
async def decide_on_gap(
    request: web.Request, cid: str, /, body: GapBody
) -> (
    r200[TranscriptStateResource]
    | r400[Problem]
    | r401[Problem]
    | r403[Problem]
    | r404[Problem]
    | r409[Problem]
):
    """
    Recognise a stretch once more, or note why there will be no text of it.

    Security: BearerToken: []
    Tags: transcript
    Status Codes:
        404: nothing is missing there
        409: invalid_state: it was not recorded, or the consultation is sealed
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_EDIT)
    context.rooms.require_here(cid)
    span = (body.from_ms, body.to_ms)
    if body.action is GapAction.WAIVE:
        await context.catching_up.waive(cid, grant.bearer, body.participant_id, span, body.note)
    else:
        await context.catching_up.retry(cid, grant.bearer, body.participant_id, span)
    return json_of(await _state(context, cid))


async def _state(context: HttpContext, cid: str) -> TranscriptStateResource:
    transcription, catching_up = context.transcription, context.catching_up
    gaps = await catching_up.gaps(cid)
    model = transcription.model
    if not transcription.is_enabled:
        shown = ModelResource(engine="", name="", reason="off")
    else:
        shown = ModelResource(engine=model.engine, name=model.name, reason=model.reason)
    return TranscriptStateResource(
        model=shown,
        state=transcription.state(cid),
        lag_ms=transcription.lag_ms,
        gaps=[GapResource.model_validate(each) for each in gaps],
        jobs=JobsResource.model_validate(catching_up.progress(cid, gaps)),
        second_pass=SecondPassResource.model_validate(await context.second_passes.state(cid)),
    )


def add_to(app: web.Application) -> None:
    """The routes. They stand before `transcript/{sid}`."""
    path = f"{PREFIX}/consultations/{{cid}}/transcript"
    app.router.add_get(f"{path}/state", get_transcript_state, allow_head=False)
    app.router.add_post(f"{path}/gaps", decide_on_gap)
