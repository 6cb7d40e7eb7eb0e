"""The transcript as files that are text: JSON, plain text and subtitles."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web
from aiohttp_pydantic.oas.typing import r401, r403, r404

from conference.model import subtitles
from conference.model.consultation import Consultation
from conference.model.permissions import Action
from conference.model.transcript import TranscriptSegment
from conference.model.transcript_text import transcript_text
from conference.services.transcripts import GivenOut
from conference.transcript_views import SegmentView
from signaling.http.bodies import attachment
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem
from signaling.http.rest import PREFIX, documented
from signaling.http.transcript_resources import SegmentResource

_MEDIA_TYPES: Final = {
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
}


@documented
async def get_file(
    request: web.Request, cid: str, format: str, /, unclear: str = ""
) -> r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The transcript as json, txt, srt or vtt. Without what is confidential for those who may not read it. With `unclear=mark` what somebody marked as unclear is marked in the text. Every download leaves a line in the trace.

    Security: BearerToken: []
    Tags: transcript
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_READ)
    given = await context.transcripts.for_file(cid, grant.bearer, format)
    zone = ZoneInfo(context.time_zone)
    text = await asyncio.to_thread(_written, format, given, zone, mark_unclear=unclear == "mark")
    name = f"{given.consultation.title}-转写稿.{format}"
    return attachment(text.encode(), _MEDIA_TYPES[format], f"transcript.{format}", name)


def _written(kind: str, given: GivenOut, zone: ZoneInfo, *, mark_unclear: bool) -> str:
    segments = given.segments
    match kind:
        case "json":
            return _json(given.consultation, segments)
        case "txt":
            return transcript_text(
                given.consultation, segments, zone, left_out=given.left_out, mark_unclear=mark_unclear
            )
        case "srt":
            return subtitles.srt(subtitles.cues(segments, mark_unclear=mark_unclear))
    return subtitles.vtt(subtitles.cues(segments, mark_unclear=mark_unclear))


def _json(consultation: Consultation, segments: Sequence[TranscriptSegment]) -> str:
    """The segments as the API gives them, one a line."""
    about = {
        "id": consultation.id,
        "title": consultation.title,
        "started_at_ms": consultation.started_at_ms,
        "ended_at_ms": consultation.ended_at_ms,
    }
    lines = ",\n".join(
        SegmentResource.model_validate(SegmentView.of(each)).model_dump_json() for each in segments
    )
    return f'{{"consultation": {json.dumps(about, ensure_ascii=False)},\n"segments": [\n{lines}\n]}}\n'


def add_to(app: web.Application) -> None:
    """The route of the files."""
    path = f"{PREFIX}/consultations/{{cid}}/transcript.{{format:json|txt|srt|vtt}}"
    app.router.add_get(path, get_file, allow_head=False)
