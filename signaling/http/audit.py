"""The trace across consultations over HTTP, for administrators."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r400, r401, r403

from conference.model.audit import AuditPlace
from conference.model.errors import ConferenceError
from conference.services.audit_across import AuditFilter
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of, page_size
from signaling.http.trace import AuditLineResource

_LAST: Final = 2**62  # every database can hold it
_LONGEST: Final = 64  # of ids and names of actions


class AcrossLineResource(Resource):
    """`chain` is the id of the consultation, or `staff`; `title` is null for the latter."""

    chain: str
    title: str | None
    line: AuditLineResource


class AcrossList(Resource):
    """`next` is the `before` of the next page. A page may be short, or empty, and still have a next one: no more
    than so many lines are looked at for one. `looked_until_ms` says how far back it looked."""

    items: list[AcrossLineResource]
    next: str | None
    looked_until_ms: int | None


@documented
async def list_audit_across(
    request: web.Request,
    limit: int = 100,
    before: str | None = None,
    consultation: str | None = None,
    action: str | None = None,
    actor: str | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
) -> r200[AcrossList] | r400[Problem] | r401[Problem] | r403[Problem]:
    """
    What was done in one's organization and those below, newest first; for administrators.

    `consultation` is an id, or `staff` for matters of none. `actor` is an id or a kind of actor. Times are UTC ms.

    Security: BearerToken: []
    Tags: audit
    """
    context = request.app[CONTEXT]
    member = await context.staff_of(request)
    wanted = AuditFilter(
        consultation_id=consultation,
        action=action,
        actor=actor,
        since_ms=_bounded(since_ms),
        until_ms=_bounded(until_ms),
    )
    place = None if before is None else _place(before)
    page = await context.audit_across.page(member, wanted, place, page_size(limit))
    following = page.next
    items = [
        AcrossLineResource(
            chain=each.line.chain,
            title=page.titles.get(each.line.chain),
            line=AuditLineResource.of(each),
        )
        for each in page.lines
    ]
    return json_of(
        AcrossList(
            items=items,
            next=None if following is None else f"{following.at_ms}.{following.number}.{following.chain}",
            looked_until_ms=None if following is None else following.at_ms,
        )
    )


def _bounded(time_ms: int | None) -> int | None:
    return None if time_ms is None else min(max(time_ms, 0), _LAST)


def _place(cursor: str) -> AuditPlace:
    at_ms, _, rest = cursor.partition(".")
    number, _, chain = rest.partition(".")
    if not (_is_number(at_ms) and _is_number(number) and 0 < len(chain) <= _LONGEST):
        raise ConferenceError("bad_request", "no cursor of ours")
    return AuditPlace(min(int(at_ms), _LAST), chain, min(int(number), _LAST))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def add_to(app: web.Application) -> None:
    """The route of the trace across consultations."""
    app.router.add_get(f"{PREFIX}/audit", list_audit_across, allow_head=False)
