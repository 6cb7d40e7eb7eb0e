"""What is asked about a room that another node holds is passed on to it."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from conference.model.errors import ConferenceError, OtherNodeError
from signaling.other_nodes import NodeUnreachableError, OtherNodes, was_passed_on

BODY: Final = "body"
"""Key of a request under which a handler that reads its body piece by piece leaves the whole."""

_DOORS: Final = ("/api/v1/", "/whip/", "/whep/", "/live/")
_PAGE: Final = "/live/{cid}"


class Forwarding:
    """Reads and changes of a consultation go to the node that has its room, as long as one has: what is only in memory
    is there, and so are the files of its program."""

    def __init__(self, nodes: OtherNodes) -> None:
        self._nodes = nodes

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        address = self._address(request)
        if address is not None:
            try:
                return await self._nodes.forward(request, address)
            except NodeUnreachableError:
                if request.body_exists:  # a part of it may have been read
                    raise ConferenceError("other_node") from None
        try:
            return await handler(request)
        except OtherNodeError as error:  # the room was opened there a moment ago, or we open none
            if error.url is None or error.url == address or was_passed_on(request):
                raise
            body = await _body(request)
            if body is None:
                raise
            try:
                return await self._nodes.forward(request, error.url, body)
            except NodeUnreachableError:
                raise error from None

    def _address(self, request: web.Request) -> str | None:
        consultation_id = request.match_info.get("cid")
        resource = request.match_info.route.resource
        if not consultation_id or resource is None or resource.canonical == _PAGE:
            return None
        return self._nodes.address(request, consultation_id) if request.path.startswith(_DOORS) else None


async def _body(request: web.Request) -> bytes | None:
    """What a handler has read already; None where that is gone."""
    if BODY in request:
        left: bytes = request[BODY]
        return left
    if not request.body_exists:
        return b""
    return await request.read() if request.content_type == "application/json" else None
