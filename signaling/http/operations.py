"""For those who run the server: /healthz, /readyz, /metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog
from aiohttp import web

from conference.services.ports import MediaError
from signaling.health import database_answers, media_answers
from signaling.http.context import CONTEXT

log = structlog.get_logger(__name__)

_PATIENCE_S = 2.0


async def healthz(_request: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """The database and the media process answer, too, and other rooms may be opened here."""
    context = request.app[CONTEXT]
    checks = {
        "database": "ok" if await database_answers(context.storage) else "failed",
        "media": "ok" if await media_answers(context.media) else "failed",
    }
    ready = all(each == "ok" for each in checks.values())
    registry = context.rooms.registry
    if registry.is_shared:  # without Redis the node goes on by itself: that is no reason to take it out
        checks["redis"] = "ok" if registry.is_up else "gone"
    relay = context.rooms.relay.health
    if relay != "off":  # most of the meeting does without
        checks["relay"] = relay
    if context.shared_watch is not None:  # meetings go on without; every server would be out at once
        checks["shared_dir"] = context.shared_watch.state
    if context.certificate is not None:  # the one in use goes on
        checks["certificate"] = context.certificate.health
    checks["keys"] = context.key_health.health  # meetings go on
    status = "failed" if not ready else "draining" if context.rooms.is_draining else "ok"
    return web.json_response({"status": status, "checks": checks}, status=200 if status == "ok" else 503)


async def metrics(request: web.Request) -> web.Response:
    """Prometheus' text format."""
    context = request.app[CONTEXT]
    media: Mapping[str, float] = {}
    try:
        media = await asyncio.wait_for(context.media.statistics(), _PATIENCE_S)
    except (MediaError, TimeoutError):
        log.warning("metrics.media_unavailable")
    return web.Response(
        body=context.metrics.render(media),
        headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
    )


def add_to(app: web.Application) -> None:
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
