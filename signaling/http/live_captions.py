"""Captions of the livestream as WebVTT, for players that show subtitles themselves: playlists and files.

Beside what is live they come late: a sentence is known when it is over, and a player never asks for a file twice. So it
is shown from some seconds behind its end, and in the replay when it was said.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from weakref import WeakValueDictionary

from aiohttp import web

from conference.model.errors import ConferenceError, NotFoundError
from conference.model.subtitles import Cue, cues, vtt
from conference.model.transcript import TranscriptSegment
from conference.services.public_captions import LONGEST_MS
from recording.hls.caption_playlist import Stretch, live_captions, replayed_captions, stretch
from recording.hls.playlist import CAPTIONS, Style
from recording.hls.shown import is_complete
from signaling.http.audience import Audience, audience_of
from signaling.http.context import CONTEXT, HttpContext, bearer_token
from signaling.http.problems import STATUS_OF, problem

_PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"
_LIST_CACHE: Final = "public, max-age=1"
_FILE_CACHE: Final = "public, max-age=10"
_REPLAY_CACHE: Final = "public, max-age=5"
_POLICY: Final = "default-src 'none'"
_KNOWN_MS: Final = (
    5_000  # so long after its end a sentence is there, and the file of that time not yet asked for
)
_LONGEST_CUE_MS: Final = 4_000
_LONGEST_UTTERANCE_MS: Final = 60_000
_FRESH_S: Final = 2.0
_FILES: Final = 64  # in memory
_HEAD: Final = (
    "X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n"  # media time of the segments is program time, too
)

_LIFE: Final = r"{life:[1-9]\d{0,5}}"
_NUMBER: Final = r"\d{8,10}"


class LiveCaptions:
    """The routes. They stand before those of the renditions."""

    def __init__(self) -> None:
        self._files: OrderedDict[tuple[object, ...], tuple[float, str]] = OrderedDict()
        self._turns: WeakValueDictionary[tuple[object, ...], asyncio.Lock] = WeakValueDictionary()

    def add_to(self, app: web.Application) -> None:
        above = "/live/{cid}"
        for path, handler in (
            (f"{CAPTIONS}.m3u8", self._live),
            (f"replay/{CAPTIONS}.m3u8", self._replay),
            (f"{_LIFE}/{CAPTIONS}/{{first:{_NUMBER}}}.vtt", self._live_file),
            (f"{_LIFE}/{CAPTIONS}/{{first:{_NUMBER}}}-{{last:{_NUMBER}}}.vtt", self._replay_file),
        ):
            app.router.add_get(f"{above}/{path}", handler)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        audience = await _audience(request)
        if audience is None:
            return _missing(request)
        body = live_captions(audience.store, audience.view, Style(audience.epoch_wall_ms))
        return (
            _missing(request)
            if body is None
            else _answer(request, body, _PLAYLIST_TYPE, audience, _LIST_CACHE)
        )

    async def _replay(self, request: web.Request) -> web.StreamResponse:
        audience = await _audience(request)
        if audience is None or not is_complete(audience.store, audience.view):
            return _missing(request)
        body = replayed_captions(audience.store, audience.view, Style(audience.epoch_wall_ms))
        return (
            _missing(request)
            if body is None
            else _answer(request, body, _PLAYLIST_TYPE, audience, _REPLAY_CACHE)
        )

    async def _live_file(self, request: web.Request) -> web.StreamResponse:
        return await self._file(request, is_replay=False)

    async def _replay_file(self, request: web.Request) -> web.StreamResponse:
        return await self._file(request, is_replay=True)

    async def _file(self, request: web.Request, *, is_replay: bool) -> web.StreamResponse:
        audience = await _audience(request)
        info = request.match_info
        first = int(info["first"])
        about = None
        if audience is not None and (not is_replay or is_complete(audience.store, audience.view)):
            last = int(info["last"]) if is_replay else first
            about = stretch(audience.store, audience.view, int(info["life"]), first, last)
        if audience is None or about is None:
            return _missing(request)
        body = await self._written(request.app[CONTEXT], audience, about, is_replay=is_replay)
        return _answer(request, body, "text/vtt", audience, _REPLAY_CACHE if is_replay else _FILE_CACHE)

    async def _written(
        self, context: HttpContext, audience: Audience, about: Stretch, *, is_replay: bool
    ) -> str:
        """The same text for all who ask within a moment."""
        key = (audience.consultation_id, about, audience.is_public, is_replay, audience.view.withdrawn)
        turn = self._turns.get(key)
        if turn is None:
            turn = self._turns[key] = asyncio.Lock()
        async with turn:  # one writes, the others who ask meanwhile get the same
            now_s = asyncio.get_running_loop().time()
            known = self._files.get(key)
            if known is not None and now_s - known[0] < _FRESH_S:
                return known[1]
            begin_ms = about.from_ms - (0 if is_replay else _LONGEST_UTTERANCE_MS + _KNOWN_MS)
            said = await _said(context, audience, max(0, begin_ms), about.to_ms)
            body = await asyncio.to_thread(_body, said, about, is_replay=is_replay)
            self._files[key] = (now_s, body)
            self._files.move_to_end(key)
            if len(self._files) > _FILES:
                self._files.popitem(last=False)
            return body


async def _audience(request: web.Request) -> Audience | None:
    """Who asks; None where there are no captions that they may know of."""
    try:
        audience = await audience_of(request)
    except ConferenceError as error:
        if STATUS_OF.get(error.code) != 404:
            raise
        return None
    has_some = await request.app[CONTEXT].public_captions.are_there(audience.consultation_id)
    return audience if has_some else None


async def _said(
    context: HttpContext, audience: Audience, from_ms: int, to_ms: int
) -> list[TranscriptSegment]:
    """Page by page, so that others have their turn."""
    found: dict[str, TranscriptSegment] = {}
    for begin_ms in range(from_ms, to_ms, LONGEST_MS):
        end_ms = min(begin_ms + LONGEST_MS, to_ms)
        if audience.is_public:
            page, _ = await context.public_captions.segments(audience.consultation_id, begin_ms, end_ms)
        else:
            page = await context.public_captions.inside(audience.consultation_id, begin_ms, end_ms)
        found |= {each.id: each for each in page}
    return [each for each in found.values() if not audience.view.hides(each.start_ms, each.end_ms)]


def _body(said: Sequence[TranscriptSegment], about: Stretch, *, is_replay: bool) -> str:
    wanted = cues(said) if is_replay else _late(said)
    return vtt((each for each in wanted if each.from_ms < about.to_ms and about.from_ms < each.to_ms), _HEAD)


def _late(said: Iterable[TranscriptSegment]) -> Iterator[Cue]:
    """One cue after the other, behind the end of what was said."""
    for segment in said:
        at_ms = segment.end_ms + _KNOWN_MS
        for cue in cues([segment]):
            end_ms = at_ms + min(cue.to_ms - cue.from_ms, _LONGEST_CUE_MS)
            yield Cue(at_ms, end_ms, cue.speaker, cue.text)
            at_ms = end_ms


def _missing(request: web.Request) -> web.Response:
    response = problem(NotFoundError("no captions").code)
    response.headers["Cache-Control"] = _LIST_CACHE if bearer_token(request) is None else "no-store"
    return response


def _answer(request: web.Request, body: str, media_type: str, audience: Audience, cache: str) -> web.Response:
    data = body.encode()
    tag = hashlib.blake2b(data, digest_size=12).hexdigest()
    headers = {
        "Cache-Control": audience.cache(cache),
        "Content-Security-Policy": _POLICY,
        "ETag": f'"{tag}"',
    }
    if any(each.value == tag for each in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=data, headers=headers, content_type=media_type, charset="utf-8")
