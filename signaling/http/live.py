"""The livestream and its replay over HTTP: playlists, segments, parts, cards and stills under `/live/{cid}/`."""

from __future__ import annotations

import asyncio
import hashlib
import os
import zlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Final, TypeAlias

from aiohttp import web

from conference.model.errors import ConferenceError, NotFoundError
from recording.hls.card_segments import VERSION
from recording.hls.playlist import Style, edges, master, media, replay, target_s
from recording.hls.shown import Entry, Shown, View, is_complete
from recording.hls.store import ProgramStore
from signaling.http.audience import Audience, audience_of
from signaling.http.context import CONTEXT, bearer_token
from signaling.http.crowd import Crowd
from signaling.http.problems import STATUS_OF, problem

_PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"
# A proxy may go on giving away for so long what was withdrawn; then it asks again, and is told by the entity tag that
# nothing has changed.
_SEGMENT_CACHE: Final = "public, max-age=10"
_INIT_CACHE: Final = "public, max-age=3600"
_LIST_CACHE: Final = "public, max-age=1"
_AWAITED_CACHE: Final = "public, max-age=4"  # each such address is of one moment
_REPLAY_CACHE: Final = "public, max-age=5"
_MISSING_CACHE: Final = "public, max-age=1"  # so that a crowd that asks for what was cut off is held off, too
_NO_CACHE: Final = "no-store"
_CARD: Final = "card"  # in the query: what stands there instead
_LONGEST_WAIT: Final = 3  # target durations
_LOOK_S: Final = 0.3
_AHEAD: Final = 2  # segments: who asks for more has gone astray
_TEXTS, _PARTS = 64, 128  # playlists and parts in memory
_POLICY: Final = "default-src 'none'"

_RENDITION: Final = "{rendition:[a-z0-9]{1,16}}"
_LIFE: Final = r"{life:[1-9]\d{0,5}}"
_NUMBER: Final = r"{number:\d{8,10}}"
_PART: Final = r"{part:0|[1-9]\d{0,2}}"

Handler: TypeAlias = "Callable[[Live, web.Request], Awaitable[web.StreamResponse]]"


@dataclass(frozen=True, slots=True)
class _Text:
    body: bytes
    packed: bytes | None
    tag: str


def _missing_is_cached(handler: Handler) -> Handler:
    """What is not there, is not yet, or was withdrawn: all the same 404."""

    @wraps(handler)
    async def answer(self: Live, request: web.Request) -> web.StreamResponse:
        try:
            return await handler(self, request)
        except ConferenceError as error:
            if STATUS_OF.get(error.code) != 404:
                raise
            response = problem("not_found")
            response.headers["Cache-Control"] = _MISSING_CACHE if bearer_token(request) is None else _NO_CACHE
            return response

    return answer


class Live:
    """The routes. `crowd`: who waits on this server."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self._texts: OrderedDict[tuple[object, ...], tuple[object, _Text]] = OrderedDict()
        self._parts: OrderedDict[tuple[Path, int], bytes] = OrderedDict()

    def add_to(self, app: web.Application) -> None:
        above = "/live/{cid}"
        for path, handler in (
            ("index.m3u8", self._master),
            (f"{_RENDITION}.m3u8", self._media),
            (f"replay/{_RENDITION}.m3u8", self._replay),
            (f"card/{_RENDITION}/init.mp4", self._card_init),
            (f"{_LIFE}/stills/{_NUMBER}.jpg", self._still),
            (f"{_LIFE}/{_RENDITION}/init.mp4", self._init),
            (f"{_LIFE}/{_RENDITION}/{_NUMBER}.m4s", self._segment),
            (f"{_LIFE}/{_RENDITION}/{_NUMBER}.{_PART}.m4s", self._part),
        ):
            app.router.add_get(f"{above}/{path}", handler)

    # ── playlists ───────────────────────────────────────────────────────────────────────────────

    @_missing_is_cached
    async def _master(self, request: web.Request) -> web.StreamResponse:
        audience = await audience_of(request)
        if not audience.store.until(audience.view.until_ms):
            raise NotFoundError("nothing to be seen yet")
        captions = await request.app[CONTEXT].public_captions.are_there(audience.consultation_id)
        body = master(audience.store, audience.view, captions=captions).encode()
        return _answer(request, _Text(body, None, _tag(body)), audience.cache(_LIST_CACHE))

    @_missing_is_cached
    async def _media(self, request: web.Request) -> web.StreamResponse:
        rendition = request.match_info["rendition"]
        number, part = _asked_for(request)
        waits = number is not None
        audience = await audience_of(request)
        low_latency = self.crowd.admits(waits_already=waits)
        cache = _LIST_CACHE
        if number is not None and low_latency:
            audience, is_there = await self._until(request, audience, rendition, number, part)
            cache = _AWAITED_CACHE if is_there else _NO_CACHE
        text = self._window(request, audience, rendition, low_latency=low_latency)
        if text is None:
            raise NotFoundError("nothing to be seen yet")
        response = _answer(request, text, audience.cache(cache))
        response.headers["X-Live-Latency"] = "low" if low_latency else "plain"
        return response

    @_missing_is_cached
    async def _replay(self, request: web.Request) -> web.StreamResponse:
        rendition = request.match_info["rendition"]
        audience = await audience_of(request)
        store, view = audience.store, audience.view
        if not is_complete(store, view) or not store.knows(rendition):
            raise NotFoundError("no replay yet")
        style = Style(audience.epoch_wall_ms, cards=request.app[CONTEXT].cards.renditions)
        key = (audience.consultation_id, rendition, "replay", audience.is_public)
        state = (store, store.version, view, style)
        text = self._known(key, state)
        if text is None:

            def render() -> _Text | None:  # nothing changes there any more
                whole = replay(store, rendition, view, style)
                if whole is None:
                    return None
                body = whole.encode()
                packer = zlib.compressobj(6, wbits=31)
                return _Text(body, packer.compress(body) + packer.flush(), _tag(body))

            text = await asyncio.to_thread(render)
            if text is None:
                raise NotFoundError("no replay")
            self._keep(key, state, text)
        return _answer(request, text, audience.cache(_REPLAY_CACHE))

    def _window(
        self, request: web.Request, audience: Audience, rendition: str, *, low_latency: bool
    ) -> _Text | None:
        """The same text as before while the renditions have come no farther."""
        store, view = audience.store, audience.view
        style = Style(
            audience.epoch_wall_ms, low_latency=low_latency, cards=request.app[CONTEXT].cards.renditions
        )
        key = (audience.consultation_id, rendition, low_latency, audience.is_public)
        far = tuple(edges(store, view).items())
        state = (store, store.is_running, far, view.withdrawn, is_complete(store, view), style)
        text = self._known(key, state)
        if text is None:
            found = media(store, rendition, view, style)
            if found is None:
                return None
            body = found.encode()
            text = _Text(body, None, _tag(body))
            self._keep(key, state, text)
        return text

    def _known(self, key: tuple[object, ...], state: object) -> _Text | None:
        known = self._texts.get(key)
        return known[1] if known is not None and known[0] == state else None

    def _keep(self, key: tuple[object, ...], state: object, text: _Text) -> None:
        self._texts[key] = (state, text)
        self._texts.move_to_end(key)
        if len(self._texts) > _TEXTS:
            self._texts.popitem(last=False)

    # ── waiting ─────────────────────────────────────────────────────────────────────────────────

    async def _until(
        self, request: web.Request, audience: Audience, rendition: str, number: int, part: int | None
    ) -> tuple[Audience, bool]:
        """Wait until the playlist holds that part, not for ever: as it is then, and whether it does."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + _LONGEST_WAIT * target_s(audience.store)
        with self.crowd.wait():
            while True:
                store, view = audience.store, audience.view
                edge = Shown(store, rendition, view).edge
                if edge is None or is_complete(store, view):
                    return audience, True
                if edge.has(number, part):
                    return audience, True
                if number > edge.number + _AHEAD:
                    raise ConferenceError("bad_request", f"{number} is too far ahead")
                left_s = deadline_s - loop.time()
                if left_s <= 0:
                    return audience, False
                more = store.changed(rendition)
                hidden_s = _until_more_is_shown(store, rendition, view)
                if not store.is_running:  # that it is over is heard of a little later than that nobody writes
                    left_s = min(left_s, _LOOK_S)
                await asyncio.wait({more}, timeout=left_s if hidden_s is None else min(left_s, hidden_s))
                audience = await audience_of(request)

    # ── media ───────────────────────────────────────────────────────────────────────────────────

    @_missing_is_cached
    async def _init(self, request: web.Request) -> web.StreamResponse:
        audience = await audience_of(request)
        place = (int(request.match_info["life"]), request.match_info["rendition"])
        init = audience.store.inits.get(place)
        if init is None or not any(audience.knows_life(life) for life in audience.store.lives_with(init)):
            raise NotFoundError("no such rendition")
        return await _file(audience, init.file, "video/mp4", _INIT_CACHE)

    @_missing_is_cached
    async def _segment(self, request: web.Request) -> web.StreamResponse:
        audience = await audience_of(request)
        if _CARD in request.query:
            return _card(request, audience)
        entry = _entry(request, audience)
        if entry is None or not entry.is_whole or entry.file is None:
            raise NotFoundError("no such segment")
        return await _file(audience, entry.file, "video/mp4", _SEGMENT_CACHE)

    @_missing_is_cached
    async def _part(self, request: web.Request) -> web.StreamResponse:
        rendition, part = request.match_info["rendition"], int(request.match_info["part"])
        audience = await audience_of(request)
        if _CARD in request.query:
            return _card(request, audience)
        entry = _entry(request, audience)
        if entry is None or (part >= len(entry.pieces) and not entry.is_whole):
            audience = await self._hinted(request, audience, rendition, part)
            entry = _entry(request, audience)
        if entry is None or entry.file is None or part >= len(entry.pieces):
            raise NotFoundError("no such part")
        piece = entry.pieces[part]
        body = self._read(audience.store.directory / entry.file, piece.offset, piece.size)
        return _bytes(request, body, f"{entry.life}-{entry.number}-{part}-{len(body)}", audience)

    async def _hinted(self, request: web.Request, audience: Audience, rendition: str, part: int) -> Audience:
        """Wait for a part that was announced."""
        number = int(request.match_info["number"])
        edge = Shown(audience.store, rendition, audience.view).edge
        if edge is None or not audience.store.is_running or not self.crowd.admits(waits_already=True):
            raise NotFoundError("no such part")
        is_next = (number, part) in ((edge.number + 1, edge.parts), (edge.number + 2, 0))
        if not is_next:
            raise NotFoundError("no such part")
        audience, _ = await self._until(request, audience, rendition, number, part)
        return audience

    def _read(self, path: Path, offset: int, size: int) -> bytes:
        """Read at once, not in a thread: it was written moments ago, and many ask for the same."""
        key = (path, offset)
        body = self._parts.get(key)
        if body is None:
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    body = os.pread(descriptor, size, offset)
                finally:
                    os.close(descriptor)
            except OSError as error:
                raise NotFoundError("the part is gone") from error
            if len(body) < size:
                raise NotFoundError("the part is gone")
            self._parts[key] = body
            if len(self._parts) > _PARTS:
                self._parts.popitem(last=False)
        return body

    @_missing_is_cached
    async def _still(self, request: web.Request) -> web.StreamResponse:
        audience = await audience_of(request)
        info = request.match_info
        still = audience.store.still(f"{info['life']}/stills/{info['number']}.jpg")
        view = audience.view
        if (
            still is None
            or not view.shows(still.program_time_ms)
            or view.hides(still.program_time_ms, still.program_time_ms + 1)
        ):
            raise NotFoundError("no such still")
        return await _file(audience, still.file, "image/jpeg", _SEGMENT_CACHE)

    # ── cards ───────────────────────────────────────────────────────────────────────────────────

    @_missing_is_cached
    async def _card_init(self, request: web.Request) -> web.StreamResponse:
        audience = await audience_of(request)
        card = request.app[CONTEXT].cards.get(request.match_info["rendition"])
        if card is None:
            raise NotFoundError("no such card")
        return _bytes(request, card.init, _tag(card.init), audience, _INIT_CACHE)


def _entry(request: web.Request, audience: Audience) -> Entry | None:
    info = request.match_info
    shown = Shown(audience.store, info["rendition"], audience.view)
    number = int(info["number"])
    if info["number"] != f"{number:08d}":
        return None
    return shown.by_number(int(info["life"]), number)


def _card(request: web.Request, audience: Audience) -> web.Response:
    """In the place of any segment or part that is there, withdrawn or not: it may just have been reinstated."""
    card = request.app[CONTEXT].cards.get(request.match_info["rendition"])
    entry = _entry(request, audience)
    part = request.match_info.get("part")
    if card is None or entry is None or (part is None and not entry.is_whole):
        raise NotFoundError("no such card")
    start_ms, duration_ms = entry.program_time_ms, entry.duration_ms
    if part is not None:
        if int(part) >= len(entry.pieces):
            raise NotFoundError("no such card")
        piece = entry.pieces[int(part)]
        start_ms, duration_ms = piece.start_ms, piece.duration_ms
    life_ms = audience.store.lives[entry.life].program_time_ms
    body = card.segment(entry.number, life_ms, start_ms, duration_ms)
    return _bytes(request, body, f"card-{VERSION}-{entry.life}-{start_ms}-{duration_ms}", audience)


def _asked_for(request: web.Request) -> tuple[int | None, int | None]:
    """`_HLS_msn` and `_HLS_part`; bad_request when they are none."""
    number, part = request.query.get("_HLS_msn"), request.query.get("_HLS_part")
    for each in (number, part):
        if each is not None and not (each.isascii() and each.isdecimal() and len(each) <= 10):
            raise ConferenceError("bad_request", "_HLS_msn and _HLS_part are numbers")
    if number is None and part is not None:
        raise ConferenceError("bad_request", "_HLS_part without _HLS_msn")
    return (None if number is None else int(number)), (None if part is None else int(part))


def _until_more_is_shown(store: ProgramStore, rendition: str, view: View) -> float | None:
    """Seconds until the delay uncovers something that is written already; None: there is nothing."""
    if view.until_ms is None:
        return None
    end_ms = Shown(store, rendition, view).next_end_ms
    return None if end_ms is None else max(1, end_ms - view.until_ms) / 1000


def _tag(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=12).hexdigest()


def _answer(request: web.Request, text: _Text, cache: str) -> web.Response:
    """A playlist, or that it is what the client has."""
    headers = {
        "Cache-Control": cache,
        "Content-Security-Policy": _POLICY,
        "ETag": f'"{text.tag}"',
        "Vary": "Accept-Encoding",
    }
    if text.packed is None:
        del headers["Vary"]
    if any(tag.value == text.tag for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    if text.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=text.packed, headers=headers, content_type=_PLAYLIST_TYPE)
    return web.Response(body=text.body, headers=headers, content_type=_PLAYLIST_TYPE)


def _bytes(
    request: web.Request, body: bytes, tag: str, audience: Audience, cache: str = _SEGMENT_CACHE
) -> web.Response:
    """What is in memory and never changes."""
    headers = {
        "Cache-Control": audience.cache(cache),
        "Content-Security-Policy": _POLICY,
        "ETag": f'"{tag}"',
    }
    if any(each.value == tag for each in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, headers=headers, content_type="video/mp4")


async def _file(audience: Audience, file: str, media_type: str, cache: str) -> web.FileResponse:
    path = audience.store.directory / file
    if not await asyncio.to_thread(path.is_file):
        raise NotFoundError("the file is gone")
    headers = {
        "Cache-Control": audience.cache(cache),
        "Content-Security-Policy": _POLICY,
        "Content-Type": media_type,
    }
    return web.FileResponse(path, headers=headers)
