"""A viewer of a livestream without a browser: LL-HLS by the book, every part once, as soon as it is there."""

from __future__ import annotations

import asyncio
import hashlib
import time

import aiohttp

from tests.support.hls import MediaPlaylist, SegmentLine, media_playlist

_RETRY_S = 0.2
_PATIENCE = aiohttp.ClientTimeout(total=30)


class LivePoller:
    """`run` watches one rendition from the next segment on until the stream ends."""

    def __init__(self, above: str, rendition: str = "720p") -> None:
        """`above`: the address of the stream without its last part."""
        self._above = above.rstrip("/") + "/"
        self._rendition = rendition
        self._next: tuple[int, int] | None = None  # segment and part
        self._digest = hashlib.sha256()
        self.digests: dict[int, str] = {}  # SHA-256 of each segment's bytes
        self.behind_ms: list[float] = []  # of each part's end, when its playlist came
        self.whole: list[
            int
        ] = []  # segments whose parts were not named any more: when we are late, and at the end
        self.plain = 0  # answers without low latency

    async def run(self) -> None:
        """Raises what aiohttp raises when the server does not answer as it must."""
        async with aiohttp.ClientSession(timeout=_PATIENCE) as http:
            listed = await self._begin(http)
            while not listed.ended:
                number, part = self._next or (0, 0)
                listed = await self._list(http, f"?_HLS_msn={number}&_HLS_part={part}")
                at_ms = time.time() * 1000
                for segment in [*listed.segments, *([listed.begun] if listed.begun else [])]:
                    await self._take(http, segment, at_ms)

    async def _begin(self, http: aiohttp.ClientSession) -> MediaPlaylist:
        while True:
            async with http.get(f"{self._above}{self._rendition}.m3u8") as answer:
                if answer.status == 200:
                    listed = media_playlist(await answer.text())
                    if listed.segments:
                        self._next = (listed.last + 1, 0)
                        return listed
                else:
                    assert answer.status == 404, await answer.text()
            await asyncio.sleep(_RETRY_S)

    async def _list(self, http: aiohttp.ClientSession, query: str) -> MediaPlaylist:
        async with http.get(f"{self._above}{self._rendition}.m3u8{query}", raise_for_status=True) as answer:
            self.plain += answer.headers["X-Live-Latency"] != "low"
            return media_playlist(await answer.text())

    async def _take(self, http: aiohttp.ClientSession, segment: SegmentLine, at_ms: float) -> None:
        assert self._next is not None
        number, part = self._next
        if segment.number < number:
            return
        assert segment.number == number, f"segment {number} is left out"
        end_ms = segment.wall_ms
        for index, line in enumerate(segment.parts):
            end_ms += line.duration_ms
            if index < part:
                continue
            self.behind_ms.append(at_ms - end_ms)
            await self._fetch(http, line.uri)
            part += 1
        if not segment.uri:
            self._next = (number, part)
            return
        if not segment.parts:
            self.whole.append(number)
            self._digest = hashlib.sha256()
            await self._fetch(http, segment.uri)
        self.digests[number] = self._digest.hexdigest()
        self._digest = hashlib.sha256()
        self._next = (number + 1, 0)

    async def _fetch(self, http: aiohttp.ClientSession, uri: str) -> None:
        async with http.get(self._above + uri, raise_for_status=True) as answer:
            self._digest.update(await answer.read())
