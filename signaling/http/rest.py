"""What every handler of the REST API has: validated parameters, a place in the OpenAPI document, JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final, cast

from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp_pydantic.decorator import inject_params
from aiohttp_pydantic.oas.pydantic_schema_to_oas import add_or_replace_translater
from pydantic import BaseModel, ValidationError

from signaling.http.problems import problem

PREFIX: Final = "/api/v1"
MAX_PAGE: Final = 500

# OpenAPI 3.1 takes pydantic's JSON Schema as it is. The library's conversion to 3.0 breaks on optional enums.
add_or_replace_translater("3.0.0", lambda _schema: None)


class HandlerError(Exception):
    """A handler failed over what it made itself, not over what was asked."""


async def _not_valid(_error: ValidationError, _context: str) -> web.StreamResponse:
    return problem("bad_request")


def documented(handler: Callable[..., Awaitable[Any]]) -> Handler:
    """Parameters from the signature, and a place in the OpenAPI document."""

    @wraps(handler)
    async def ours(*args: Any, **kwargs: Any) -> Any:
        try:
            return await handler(*args, **kwargs)
        except (ValidationError, UnicodeDecodeError) as error:  # the request was read: it is not at fault
            raise HandlerError(type(error).__name__) from error

    inject = inject_params(on_validation_error=_not_valid).and_request
    return cast(Handler, inject(ours))


def json_of(resource: BaseModel, status: int = 200) -> web.Response:
    """The resource as a response that nobody keeps."""
    headers = {"Cache-Control": "no-store"}
    return web.json_response(text=resource.model_dump_json(), status=status, headers=headers)


def nothing() -> web.Response:
    """Done, and there is nothing to say."""
    return web.Response(status=204, headers={"Cache-Control": "no-store"})


def page_size(limit: int) -> int:
    """How many items a list may hold, whatever was asked for."""
    return min(max(limit, 1), MAX_PAGE)
