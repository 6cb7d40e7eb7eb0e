"""How fast bytes come and go, for the network test of the join page. Bounded, because a meeting may be in progress."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from typing import Final

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r413, r429
from pydantic import Field

from conference.model.errors import ConferenceError
from conference.model.limit import Limit
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of

# A whole office stands behind one address; a test is one download and at most four uploads.
PER_ADDRESS: Final = Limit("network-speed-address", 200, 60.0)
AT_ONCE: Final = 4
RATE_BPS: Final = 4_000_000  # more than a hall needs; beyond it nobody has to know
LASTS_S: Final = 2.5
MAX_UPLOAD_BYTES: Final = 512 << 10
_PIECE: Final = 16 << 10
_HEAD_START: Final = 4  # pieces at once: what TCP may send before the first answer


class Received(Resource):
    """How much of an upload came."""

    size_bytes: int = Field(ge=0, le=MAX_UPLOAD_BYTES)


class SpeedTest:
    """Nothing is kept of what comes. At most four at once: the others are told to come again."""

    def __init__(self) -> None:
        self._under_way = 0
        self._noise = os.urandom(_PIECE)  # nothing on the way can make less of it

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(f"{PREFIX}/network-test/bytes", documented(self.give), allow_head=False)
        app.router.add_post(f"{PREFIX}/network-test/bytes", documented(self.take))

    async def give(self, request: web.Request) -> r200[None] | r429[Problem]:
        """
        Bytes without meaning for 2.5 s, at most 4 Mbit/s: nobody needs more. Needs no token.

        Tags: entrances
        """
        await request.app[CONTEXT].limit(PER_ADDRESS, request)
        with self._place():
            headers = {"Content-Type": "application/octet-stream", "Cache-Control": "no-store"}
            headers["X-Accel-Buffering"] = "no"
            response = web.StreamResponse(headers=headers)
            await response.prepare(request)
            started = time.monotonic()
            # A reader that hangs holds its place no longer than one that reads.
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(LASTS_S):
                    for number in range(int(RATE_BPS * LASTS_S / 8 / _PIECE)):
                        due = started + max(0, number - _HEAD_START) * _PIECE * 8 / RATE_BPS
                        await asyncio.sleep(max(0.0, due - time.monotonic()))
                        await response.write(self._noise)
            return response

    async def take(self, request: web.Request) -> r200[Received] | r413[Problem] | r429[Problem]:
        """
        Takes at most 512 KiB for at most 5 s and throws them away. Needs no token.

        Tags: entrances
        """
        await request.app[CONTEXT].limit(PER_ADDRESS, request)
        if (request.content_length or 0) > MAX_UPLOAD_BYTES:
            raise ConferenceError("too_large")
        came = 0
        with self._place(), contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2 * LASTS_S):
                async for piece in request.content.iter_any():
                    came += len(piece)
                    if came > MAX_UPLOAD_BYTES:
                        raise ConferenceError("too_large")
        return json_of(Received(size_bytes=came))

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        if self._under_way >= AT_ONCE:
            raise ConferenceError("rate_limited", "others are measuring", retry_after_s=3)
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
