"""The other nodes: requests and sockets that belong to a room of theirs are passed on to them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import aiohttp
import structlog
from aiohttp import web
from multidict import CIMultiDict

from conference.services.ports import PresenceRegistry
from signaling.network import TrustedProxies

log = structlog.get_logger(__name__)

PASSED_ON: Final = "X-Yuanshang-Node"
"""Set on what a node passes on, so that it is never passed on twice: the room may move meanwhile."""

_CONNECT_S: Final = 2.0
_SILENCE_S: Final = 600.0  # a film is checked before its upload is answered
_CHUNK_BYTES: Final = 64 * 1024
_OF_ONE_HOP: Final = (
    frozenset(  # RFC 9110, section 7.6.1; what a WebSocket is opened with belongs to it alone
        {
            "connection",
            "expect",
            "keep-alive",
            "proxy-authenticate",
            "proxy-authorization",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "x-forwarded-for",
            "x-forwarded-proto",
            "sec-websocket-key",
            "sec-websocket-version",
            "sec-websocket-extensions",
            "sec-websocket-protocol",
        }
    )
)


class NodeUnreachableError(Exception):
    """The other node does not answer; nothing of the request has reached it, or it never will."""


class OtherNodes:
    """The way to the other nodes. Close it once nobody uses it."""

    def __init__(self, registry: PresenceRegistry, proxies: TrustedProxies) -> None:
        self._registry = registry
        self._proxies = proxies
        self._client: aiohttp.ClientSession | None = None
        self.passed_on = 0
        """Requests and sockets since the start."""

    @property
    def exist(self) -> bool:
        """Whether there may be any."""
        return self._registry.is_shared

    def address(self, request: web.BaseRequest, consultation_id: str) -> str | None:
        """The base URL of the node that holds the room, where we may pass this request on."""
        elsewhere = self._registry.elsewhere().get(consultation_id)
        return None if elsewhere is None or was_passed_on(request) else elsewhere.url

    async def forward(
        self, request: web.Request, address: str, body: bytes | None = None
    ) -> web.StreamResponse:
        """What that node answers to the request. `body`: what was read of it already. Raises NodeUnreachableError."""
        data = body if body is not None else request.content if request.body_exists else None
        try:
            answer = await self._session().request(
                request.method,
                address + request.path_qs,
                headers=self._headers(request),
                data=data,
                allow_redirects=False,
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("node.unreachable", error=type(error).__name__)
            raise NodeUnreachableError from error
        self.passed_on += 1
        async with answer:
            headers = {
                name: value for name, value in answer.headers.items() if name.lower() not in _OF_ONE_HOP
            }
            response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)
            await response.prepare(request)
            try:
                async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
                    await response.write(chunk)
                await response.write_eof()
            except (aiohttp.ClientError, OSError, TimeoutError):
                if request.transport is not None:  # a part must not look like the whole
                    request.transport.abort()
            return response

    async def connect(self, request: web.BaseRequest, address: str) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket for Engine.IO on that node, opened for the client of `request`. Raises NodeUnreachableError."""
        try:
            async with asyncio.timeout(2 * _CONNECT_S):
                return await self._session().ws_connect(
                    f"{address}/socket.io/?EIO=4&transport=websocket",
                    headers=self._headers(request),
                    max_msg_size=0,  # we trust it
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("node.unreachable", error=type(error).__name__)
            raise NodeUnreachableError from error

    async def close(self, _app: web.Application | None = None) -> None:
        """Idempotent."""
        if self._client is not None:
            await self._client.close()

    def _session(self) -> aiohttp.ClientSession:
        if self._client is None:
            self._client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        return self._client

    def _headers(self, request: web.BaseRequest) -> Mapping[str, str]:
        """The client's, with what a proxy adds: the other node must name us in its --trusted-proxies."""
        headers = CIMultiDict(
            (name, value) for name, value in request.headers.items() if name.lower() not in _OF_ONE_HOP
        )
        headers["X-Forwarded-For"] = self._proxies.client(request)
        headers["X-Forwarded-Proto"] = self._proxies.scheme(request) or request.scheme
        headers[PASSED_ON] = self._registry.node.encode("ascii", "replace").decode()
        return headers


def was_passed_on(request: web.BaseRequest) -> bool:
    """Whether another node sent us this."""
    return PASSED_ON in request.headers
