"""The trace over HTTP: its lines, and the archive package of a consultation."""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any, Final

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r400, r401, r403, r404, r429

from conference.model.permissions import Action
from conference.services.audit import TraceLine
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of, page_size

_CHUNK_BYTES: Final = 256 * 1024
_LAST: Final = 2**62  # no line has a number as high, and every database can hold it


class AuditLineResource(Resource):
    """One line of the trace. `names` holds the names that `content` has the salted hashes of."""

    number: int
    at_ms: int
    program_time_ms: int | None
    actor_kind: str
    actor_id: str | None
    action: str
    subject: str | None
    content: dict[str, Any]
    names: dict[str, str]
    hash: str

    @classmethod
    def of(cls, traced: TraceLine) -> AuditLineResource:
        line = traced.line
        return cls(
            number=line.number,
            at_ms=line.at_ms,
            program_time_ms=line.program_time_ms,
            actor_kind=line.actor_kind,
            actor_id=line.actor_id,
            action=line.action,
            subject=line.subject,
            content=json.loads(line.content),
            names=traced.names,
            hash=line.hash,
        )


class AuditList(Resource):
    items: list[AuditLineResource]
    next: int | None


@documented
async def list_audit(
    request: web.Request,
    cid: str,
    /,
    limit: int = 100,
    after: int = 0,
    action: str | None = None,
    actor: str | None = None,
    newest: bool = False,
    before: int | None = None,
) -> r200[AuditList] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The trace: what was done, by whom and when, in order, or the newest first.

    `actor` is an id or a kind of actor. `next` is the `after` of the next page, with `newest` its `before`.

    Security: BearerToken: []
    Tags: audit
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.AUDIT_READ)
    page, more = await context.trace.page(
        cid,
        after=min(max(after, 0), _LAST),
        limit=page_size(limit),
        action=action,
        actor=actor,
        newest=newest,
        before=None if before is None else min(max(before, 0), _LAST),
    )
    return json_of(
        AuditList(
            items=[AuditLineResource.of(each) for each in page], next=page[-1].line.number if more else None
        )
    )


@documented
async def get_archive(
    request: web.Request, cid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem]:
    """
    The archive package: a ZIP that `yuanshang archive verify` checks without a server.

    Security: BearerToken: []
    Tags: archive
    Status Codes:
        429: others wait for theirs; try again
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.ARCHIVE_READ)
    with await context.archives.build(cid) as package:
        response = web.StreamResponse(
            headers={
                "Content-Type": "application/zip",
                "Content-Disposition": f'attachment; filename="{cid}.zip"',
                "Cache-Control": "no-store",
            }
        )
        response.content_length = os.fstat(package.fileno()).st_size
        await response.prepare(request)
        while chunk := await asyncio.to_thread(package.read, _CHUNK_BYTES):
            await response.write(chunk)
        await response.write_eof()
    return response


def add_to(app: web.Application) -> None:
    """The routes of the trace."""
    consultation = f"{PREFIX}/consultations/{{cid}}"
    app.router.add_get(f"{consultation}/audit", list_audit, allow_head=False)
    app.router.add_get(f"{consultation}/archive", get_archive, allow_head=False)
