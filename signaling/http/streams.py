"""WHIP (RFC 9725) and WHEP: one offer in, one answer out, and a resource to change or delete."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from conference.model.errors import ConferenceError
from conference.model.permissions import Action
from conference.services.entry import Resume
from conference.services.streams import StreamOpened
from signaling.auth.access import Grant
from signaling.http.context import CONTEXT, HttpContext
from signaling.http.forwarding import BODY

MAX_SDP_BYTES: Final = 256 * 1024
MAX_LABEL_CHARS: Final = 40
_SDP: Final = "application/sdp"
_FRAGMENT: Final = "application/trickle-ice-sdpfrag"
_FIRST_TAG: Final = '"1"'

_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Expose-Headers": "Location, ETag, Link, Accept-Patch, Accept-Post",
    "Access-Control-Max-Age": "86400",
}


async def allow_other_origins(request: web.Request, response: web.StreamResponse) -> None:
    """Encoders and players run on pages of other origins; the token alone opens these doors."""
    if request.path.startswith(("/whip/", "/whep/")):
        response.headers.update(_CORS)


async def options(_request: web.Request) -> web.Response:
    return web.Response(status=204, headers={"Accept-Post": _SDP})


async def open_whip(request: web.Request) -> web.Response:
    """POST /whip/{cid}?label=L: an encoder publishes into the room."""
    context = request.app[CONTEXT]
    cid = request.match_info["cid"]
    context.limit_streams(request)
    grant, _ = await context.authorise(request, cid, Action.WHIP_PUBLISH)
    sdp = await _read(request, _SDP)
    label = request.query.get("label", "").strip()[:MAX_LABEL_CHARS]
    opened = await context.streams.publish(grant.entry(), sdp, label)
    return _created(context, opened, f"/whip/{cid}/{opened.id}")


async def open_whep(request: web.Request) -> web.Response:
    """POST /whep/{cid}/{participant_id}?height=H: a player receives that participant; `program` in its place: the
    program. `height`: pixels of the frame that it is shown in: a smaller encoding is sent where there is one.

    Who is in the room may play with a token that expired meanwhile: `X-Resume: ID SECRET`, as they would come back."""
    context = request.app[CONTEXT]
    cid = request.match_info["cid"]
    context.limit_streams(request)
    resume = _resume(request.headers.get("X-Resume"))
    grant, _ = await context.authorise(request, cid, Action.WHEP_PLAY, allow_expired=resume is not None)
    sdp = await _read(request, _SDP)
    opened = await context.streams.play(
        grant.entry(resume=resume),
        request.match_info["id"],
        sdp,
        max_height=_height(request.query.get("height")),
    )
    return _created(context, opened, f"/whep/{cid}/sessions/{opened.id}")


def _resume(said: str | None) -> Resume | None:
    """The same."""
    participant_id, _, secret = (said or "").partition(" ")
    return Resume(participant_id, secret) if participant_id and secret else None


def _height(said: str | None) -> int | None:
    """What cannot be meant is as if it was not said."""
    if said is None or not (said.isascii() and said.isdigit() and len(said) <= 5):
        return None
    return max(int(said), 1)


async def close_whip(request: web.Request) -> web.Response:
    """DELETE /whip/{cid}/{participant_id}"""
    cid, grant = await _owner(request, Action.WHIP_PUBLISH)
    streams = request.app[CONTEXT].streams
    await streams.unpublish(cid, request.match_info["id"], grant.bearer)
    return web.Response(status=200)


async def close_whep(request: web.Request) -> web.Response:
    """DELETE /whep/{cid}/sessions/{id}"""
    cid, grant = await _owner(request, Action.WHEP_PLAY)
    streams = request.app[CONTEXT].streams
    await streams.stop(cid, request.match_info["id"], grant.role, grant.token_id)
    return web.Response(status=200)


async def patch_whip(request: web.Request) -> web.Response:
    """PATCH: candidates, or an ICE restart of the encoder."""
    return await _patch(request, Action.WHIP_PUBLISH)


async def patch_whep(request: web.Request) -> web.Response:
    """PATCH: candidates, or an ICE restart of the player."""
    return await _patch(request, Action.WHEP_PLAY)


async def _patch(request: web.Request, action: Action) -> web.Response:
    cid, grant = await _owner(request, action)
    fragment = await _read(request, _FRAGMENT)
    context = request.app[CONTEXT]
    stream_id = request.match_info["id"]
    tag = context.streams.tag(cid, stream_id)
    if request.headers.get("If-Match", "*") not in ("*", tag):
        raise ConferenceError("precondition_failed")
    answer = await context.streams.trickle(cid, stream_id, grant.role, grant.token_id, fragment)
    if answer is None:
        return web.Response(status=204)
    headers = {"ETag": context.streams.tag(cid, stream_id)}
    return web.Response(body=answer.encode(), content_type=_FRAGMENT, headers=headers)


async def _owner(request: web.Request, action: Action) -> tuple[str, Grant]:
    """Expiry is checked when a session is opened: its owner may still change and close it."""
    cid = request.match_info["cid"]
    grant, _ = await request.app[CONTEXT].authorise(request, cid, action, allow_expired=True)
    return cid, grant


async def _read(request: web.Request, content_type: str) -> str:
    """The body as text, of this type and bounded."""
    if request.content_type != content_type:
        raise ConferenceError("unsupported_media_type", request.content_type)
    if (request.content_length or 0) > MAX_SDP_BYTES:
        raise ConferenceError("too_large")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_SDP_BYTES:
            raise ConferenceError("too_large")
    request[BODY] = bytes(body)
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise ConferenceError("sdp_invalid", "not UTF-8") from error


def _created(context: HttpContext, opened: StreamOpened, location: str) -> web.Response:
    headers = {"Location": location, "ETag": _FIRST_TAG, "Accept-Patch": _FRAGMENT}
    response = web.Response(status=201, body=opened.sdp.encode(), content_type=_SDP, headers=headers)
    for server in context.rooms.relay.ice_servers(opened.id):  # RFC 9725, section 4.6
        for url in server.urls:
            link = (
                f'<{url}>; rel="ice-server"; username="{server.username}"; credential="{server.credential}"'
            )
            response.headers.add("Link", link + '; credential-type="password"')
    return response


def add_to(app: web.Application) -> None:
    """The routes of both protocols."""
    router = app.router
    router.add_post("/whip/{cid}", open_whip)
    router.add_patch("/whip/{cid}/{id}", patch_whip)
    router.add_delete("/whip/{cid}/{id}", close_whip)
    router.add_post("/whep/{cid}/{id}", open_whep)
    router.add_patch("/whep/{cid}/sessions/{id}", patch_whep)
    router.add_delete("/whep/{cid}/sessions/{id}", close_whep)
    for path in ("/whip/{cid}", "/whip/{cid}/{id}", "/whep/{cid}/{id}", "/whep/{cid}/sessions/{id}"):
        router.add_options(path, options)
    app.on_response_prepare.append(allow_other_origins)
