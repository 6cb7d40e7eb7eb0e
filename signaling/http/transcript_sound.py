"""The sound of single microphones over HTTP, beside the transcript."""

from __future__ import annotations

import hashlib
from typing import Final

from aiohttp import web
from aiohttp_pydantic.oas.typing import r400, r401, r403, r404, r429

from conference.model.errors import ConferenceError
from conference.model.permissions import Action
from conference.services.track_sounds import TrackSound
from signaling.http.context import CONTEXT
from signaling.http.problems import problem
from signaling.http.resources import Problem
from signaling.http.rest import PREFIX, documented
from signaling.http.transcripts import SEGMENT_PATH

MEDIA_TYPE: Final = "audio/webm"


@documented
async def get_segment_sound(
    request: web.Request, cid: str, sid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem]:
    """
    What was said in a segment, from that very microphone: WebM with Opus, from 300 ms before it to 300 ms after, whole or in ranges. Its time 0 is the program time in the header X-Program-Time-Ms.

    Security: BearerToken: []
    Tags: transcript
    Status Codes:
        404: also nothing_recorded
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_READ)
    try:
        return sound_of(request, await context.sounds.of_segment(cid, grant.bearer, sid))
    except ConferenceError as error:
        return not_recorded(error)


@documented
async def get_sound(
    request: web.Request, cid: str, /, participant_id: str, from_ms: int, to_ms: int
) -> r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem]:
    """
    A stretch of a microphone, the same way; a minute at most.

    Security: BearerToken: []
    Tags: transcript
    Status Codes:
        403: also where something confidential lies in it that the caller may not read
        404: also nothing_recorded
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_READ)
    try:
        sound = await context.sounds.of_stretch(cid, grant.bearer, participant_id, from_ms, to_ms)
    except ConferenceError as error:
        return not_recorded(error)
    return sound_of(request, sound)


def not_recorded(error: ConferenceError) -> web.Response:
    """Here nothing_recorded is something that is not there; every other error is raised on."""
    if error.code != "nothing_recorded":
        raise error
    return problem(error.code, status=404)


def sound_of(request: web.Request, sound: TrackSound) -> web.Response:
    """Whole or the range that is asked for. Who has it asks each time: what is in it may become confidential. One that
    still grows is not kept by anybody."""
    tag = hashlib.sha256(sound.data).hexdigest()[:32]
    headers = {
        "Content-Type": MEDIA_TYPE,
        "Accept-Ranges": "bytes",
        "ETag": f'"{tag}"',
        "Cache-Control": "private, no-cache" if sound.is_final else "no-store",
        "X-Program-Time-Ms": str(sound.from_ms),
    }
    if any(each.value == tag for each in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    size = len(sound.data)
    try:
        wanted = request.http_range
    except ValueError:
        wanted = slice(size, None)
    if wanted.start is None and wanted.stop is None:
        return web.Response(body=sound.data, headers=headers)
    first, last, _ = slice(wanted.start, wanted.stop).indices(size)
    if first >= last:
        return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {first}-{last - 1}/{size}"
    return web.Response(status=206, body=sound.data[first:last], headers=headers)


def add_to(app: web.Application) -> None:
    """The routes of sounds."""
    app.router.add_get(f"{SEGMENT_PATH}/sound", get_segment_sound, allow_head=False)
    app.router.add_get(f"{PREFIX}/consultations/{{cid}}/transcript/sound", get_sound, allow_head=False)
