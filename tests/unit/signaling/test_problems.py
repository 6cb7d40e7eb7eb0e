"""What goes wrong is told as what it is: the fault of a request, or our own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pydantic import BaseModel
from structlog.testing import capture_logs

from signaling.http.bodies import parsed, read_body
from signaling.http.context import CONTEXT, HttpContext
from signaling.http.problems import problem_middleware
from signaling.http.rest import documented, nothing
from signaling.metrics import Metrics


class Body(BaseModel):
    count: int


@documented
async def take(request: web.Request, body: Body) -> web.Response:
    return nothing()


@documented
async def take_raw(request: web.Request) -> web.Response:
    parsed(Body, await read_body(request, 100))
    return nothing()


@documented
async def fail_over_text(request: web.Request, body: Body) -> web.Response:
    raise AssertionError(b"\xff".decode())


@documented
async def fail_over_a_row(request: web.Request, body: Body) -> web.Response:
    raise AssertionError(Body.model_validate({"count": "a row of long ago"}))


HANDLERS = (take, take_raw, fail_over_text, fail_over_a_row)


async def asked(handler: str, data: bytes) -> tuple[int, Any]:
    app = web.Application(middlewares=[problem_middleware])
    app[CONTEXT] = cast(HttpContext, SimpleNamespace(metrics=Metrics()))
    for each in HANDLERS:
        app.router.add_post(f"/{each.__name__}", each)
    async with TestClient(TestServer(app)) as client:
        headers = {"Content-Type": "application/json"}
        async with client.post(f"/{handler}", data=data, headers=headers) as response:
            text = await response.text()
            return response.status, (await response.json(content_type=None))["code"] if text else None


@pytest.mark.parametrize("handler", ["take", "take_raw"])
@pytest.mark.parametrize("data", [b'{"count": "\xff"}', b'{"count": "x"}', b"{}", b"[]", b"{", b""])
async def test_a_body_that_is_not_what_it_says(handler: str, data: bytes) -> None:
    assert await asked(handler, data) == (400, "bad_request")
    assert await asked(handler, b'{"count": 1}') == (204, None)


@pytest.mark.parametrize("handler", ["fail_over_text", "fail_over_a_row"])
async def test_what_fails_inside_is_our_fault_and_logged(handler: str) -> None:
    with capture_logs() as lines:
        assert await asked(handler, b'{"count": 1}') == (500, "internal")
    assert [each["event"] for each in lines] == ["http.handler_failed"]
    assert await asked(handler, b"{}") == (400, "bad_request")
