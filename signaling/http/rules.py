"""The rules of bodies over HTTP: what each may use and uses, and changing what it may."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r400, r401, r403, r404, r422
from pydantic import BaseModel, ConfigDict, Field

from conference.model.rules import (
    LONGEST_RETENTION_DAYS,
    MOST_LIVE,
    MOST_PARTICIPANTS,
    MOST_STORAGE_GB,
    Fill,
    Rules,
)
from conference.services.rule_book import RulesView
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of
from signaling.http.staff import OrganizationResource


class RulesBody(BaseModel):
    """All four, null where there is to be no limit, or where the server's days hold; `retention_days` 0 keeps."""

    model_config = ConfigDict(extra="forbid")

    max_live: Annotated[int, Field(ge=1, le=MOST_LIVE)] | None
    max_participants: Annotated[int, Field(ge=1, le=MOST_PARTICIPANTS)] | None
    max_storage_gb: Annotated[int, Field(ge=1, le=MOST_STORAGE_GB)] | None
    retention_days: Annotated[int, Field(ge=0, le=LONGEST_RETENTION_DAYS)] | None


class RulesResource(Resource):
    """Null: no limit, or the server's days."""

    max_live: int | None
    max_participants: int | None
    max_storage_gb: int | None
    retention_days: int | None


class UseResource(Resource):
    """Live consultations; people connected, and those in the fullest room; bytes of recordings, programs and clips,
    null until they were measured once. `fill`: near from nine tenths of `max_storage_gb` on, full at all of it."""

    live: int
    present: int
    fullest: int
    used_bytes: int | None
    measured_at_ms: int | None
    fill: Fill


class OrganizationRulesResource(Resource):
    """A body with its rules and what it uses now. `may_limit`: whether the limits may be changed, or the days alone."""

    organization: OrganizationResource
    rules: RulesResource
    use: UseResource
    may_limit: bool

    @classmethod
    def of(cls, view: RulesView) -> OrganizationRulesResource:
        return cls.model_validate(view)


class ServerRulesResource(Resource):
    """What holds where a body has no rule; `max_participants` is the most that a rule may say."""

    max_participants: int
    retention_days: int


class RulesList(Resource):
    server: ServerRulesResource
    items: list[OrganizationRulesResource]


@documented
async def list_rules(request: web.Request) -> r200[RulesList] | r401[Problem] | r403[Problem]:
    """
    What one's organization and those below may use, and use now; for administrators.

    Security: BearerToken: []
    Tags: administration
    """
    context = request.app[CONTEXT]
    views = await context.rule_book.look(await context.staff_of(request))
    server = ServerRulesResource.model_validate(context.rule_book.server)
    return json_of(RulesList(server=server, items=[OrganizationRulesResource.of(each) for each in views]))


@documented
async def change_rules(
    request: web.Request, organization_id: str, /, body: RulesBody
) -> (
    r200[OrganizationRulesResource]
    | r400[Problem]
    | r401[Problem]
    | r403[Problem]
    | r404[Problem]
    | r422[Problem]
):
    """
    Other rules for an organization. Limits of one's own are changed from above only, where somebody stands above.

    Security: BearerToken: []
    Tags: administration
    Status Codes:
        200: they hold from now on; what goes on is not stopped
        422: limit_beyond_server, with `limit`
    """
    context = request.app[CONTEXT]
    rules = Rules(**body.model_dump())
    view = await context.rule_book.change(await context.staff_of(request), organization_id, rules)
    return json_of(OrganizationRulesResource.of(view))


def add_to(app: web.Application) -> None:
    """The routes of rules."""
    app.router.add_get(f"{PREFIX}/rules", list_rules, allow_head=False)
    app.router.add_put(f"{PREFIX}/organizations/{{organization_id}}/rules", change_rules)
