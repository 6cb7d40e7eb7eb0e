"""Staff over HTTP: logging in and out, accounts, organizations."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201, r204, r400, r401, r403, r404, r409, r422, r429
from pydantic import BaseModel, ConfigDict, Field

from conference.model.ids import ID_PATTERN, PLAIN_PATTERN
from conference.model.limit import Limit
from conference.model.organization import Level, Organization, User
from conference.model.permissions import Role
from conference.services.staff import UserDraft
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of, nothing

LOGINS: Final = Limit("login", 60, 60.0)  # per address: an office behind one address logs in at once

Id = Annotated[str, Field(pattern=ID_PATTERN)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=PLAIN_PATTERN)]
Login = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x20\x7f]+$")]
Password = Annotated[str, Field(max_length=1000)]
StaffRole = Literal[Role.ADMINISTRATOR, Role.ORGANIZER, Role.SECRETARIAT, Role.MODERATOR]


class _Body(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)


class LoginBody(BaseModel):
    login: Annotated[str, Field(max_length=200)]
    password: Password


class PasswordBody(BaseModel):
    old: Password
    new: Password


class UserBody(_Body):
    login: Login
    name: Name
    role: StaffRole
    organization_id: Id | None = None
    password: Password


class UserChangeBody(_Body):
    name: Name | None = None
    role: StaffRole | None = None
    organization_id: Id | None = None
    disabled: bool | None = None
    password: Password | None = None


class OrganizationBody(_Body):
    name: Name
    level: Level
    parent_id: Id | None = None


class OrganizationChangeBody(_Body):
    name: Name | None = None
    level: Level | None = None
    parent_id: Id | None = None


class OrganizationBrief(Resource):
    id: str
    name: str
    level: Level


class OrganizationResource(OrganizationBrief):
    parent_id: str | None


class OrganizationList(Resource):
    items: list[OrganizationResource]


class UserResource(Resource):
    """A staff account."""

    id: str
    login: str
    name: str
    role: Role
    organization: OrganizationBrief
    disabled: bool

    @classmethod
    def of(cls, user: User, organization: Organization) -> UserResource:
        return cls(
            id=user.id,
            login=user.login,
            name=user.name,
            role=user.role,
            organization=OrganizationBrief.model_validate(organization),
            disabled=user.disabled_at_ms is not None,
        )


class UserList(Resource):
    items: list[UserResource]


class StaffSessionResource(Resource):
    """Who has just logged in. `token` is good as Bearer until `expires_at_ms`."""

    token: str
    expires_at_ms: int
    user: UserResource


# ── sessions ────────────────────────────────────────────────────────────────────────────────────


@documented
async def login(
    request: web.Request, body: LoginBody
) -> r201[StaffSessionResource] | r400[Problem] | r401[Problem] | r429[Problem]:
    """
    Log in.

    Tags: staff
    Status Codes:
        201: logged in
        401: login_failed, with `attempts_left`
        429: login_locked, with `retry_after_s`
    """
    context = request.app[CONTEXT]
    await context.limit(LOGINS, request)
    token, member = await context.logins.login(body.login, body.password)
    user = UserResource.of(member.user, member.organization)
    return json_of(StaffSessionResource(token=token, expires_at_ms=member.expires_at_ms, user=user), 201)


@documented
async def get_own_account(request: web.Request) -> r200[UserResource] | r401[Problem]:
    """
    Who is logged in.

    Security: BearerToken: []
    Tags: staff
    """
    member = await request.app[CONTEXT].staff_of(request)
    return json_of(UserResource.of(member.user, member.organization))


@documented
async def logout(request: web.Request) -> r204 | r401[Problem]:
    """
    Log out.

    Security: BearerToken: []
    Tags: staff
    """
    context = request.app[CONTEXT]
    await context.logins.logout(await context.staff_of(request))
    return nothing()


@documented
async def change_password(
    request: web.Request, body: PasswordBody
) -> r204 | r401[Problem] | r422[Problem] | r429[Problem]:
    """
    Another password for oneself; all other sessions end.

    Security: BearerToken: []
    Tags: staff
    """
    context = request.app[CONTEXT]
    member = await context.staff_of(request)
    await context.limit(LOGINS, request)
    await context.logins.change_password(member, body.old, body.new)
    return nothing()


# ── accounts and organizations ──────────────────────────────────────────────────────────────────


@documented
async def list_users(request: web.Request) -> r200[UserList] | r401[Problem] | r403[Problem]:
    """
    The accounts of one's organization and of those below.

    Security: BearerToken: []
    Tags: staff
    """
    context = request.app[CONTEXT]
    users = await context.staff.users(await context.staff_of(request))
    return json_of(UserList(items=[UserResource.of(user, organization) for user, organization in users]))


@documented
async def add_user(
    request: web.Request, body: UserBody
) -> (
    r201[UserResource]
    | r400[Problem]
    | r401[Problem]
    | r403[Problem]
    | r404[Problem]
    | r409[Problem]
    | r422[Problem]
):
    """
    A new account; of one's own organization when none is named.

    Security: BearerToken: []
    Tags: staff
    """
    context = request.app[CONTEXT]
    draft = UserDraft(body.login, body.name, body.role, body.password, body.organization_id)
    user, organization = await context.staff.add_user(await context.staff_of(request), draft)
    return json_of(UserResource.of(user, organization), 201)


@documented
async def change_user(
    request: web.Request, user_id: str, /, body: UserChangeBody
) -> r200[UserResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r422[Problem]:
    """
    Change an account. Disabling it, or another password, ends its sessions.

    Security: BearerToken: []
    Tags: staff
    """
    context = request.app[CONTEXT]
    changes = body.model_dump(include={"name", "role", "organization_id"}, exclude_none=True)
    user, organization = await context.staff.change_user(
        await context.staff_of(request), user_id, changes, password=body.password, disabled=body.disabled
    )
    return json_of(UserResource.of(user, organization))


@documented
async def list_organizations(request: web.Request) -> r200[OrganizationList] | r401[Problem] | r403[Problem]:
    """
    One's organization and those below.

    Security: BearerToken: []
    Tags: staff
    """
    context = request.app[CONTEXT]
    found = await context.staff.organizations(await context.staff_of(request))
    return json_of(OrganizationList(items=[OrganizationResource.model_validate(each) for each in found]))


@documented
async def add_organization(
    request: web.Request, body: OrganizationBody
) -> (
    r201[OrganizationResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]
):
    """
    A new organization; below one's own when no parent is named.

    Security: BearerToken: []
    Tags: staff
    """
    context = request.app[CONTEXT]
    made = await context.staff.add_organization(
        await context.staff_of(request), body.name, body.level, body.parent_id
    )
    return json_of(OrganizationResource.model_validate(made), 201)


@documented
async def change_organization(
    request: web.Request, organization_id: str, /, body: OrganizationChangeBody
) -> (
    r200[OrganizationResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]
):
    """
    Change an organization.

    Security: BearerToken: []
    Tags: staff
    """
    context = request.app[CONTEXT]
    changed = await context.staff.change_organization(
        await context.staff_of(request), organization_id, body.model_dump(exclude_none=True)
    )
    return json_of(OrganizationResource.model_validate(changed))


def add_to(app: web.Application) -> None:
    """The routes of staff."""
    app.router.add_post(f"{PREFIX}/sessions", login)
    app.router.add_get(f"{PREFIX}/sessions/current", get_own_account, allow_head=False)
    app.router.add_delete(f"{PREFIX}/sessions/current", logout)
    app.router.add_post(f"{PREFIX}/sessions/current/password", change_password)
    app.router.add_get(f"{PREFIX}/users", list_users, allow_head=False)
    app.router.add_post(f"{PREFIX}/users", add_user)
    app.router.add_patch(f"{PREFIX}/users/{{user_id}}", change_user)
    app.router.add_get(f"{PREFIX}/organizations", list_organizations, allow_head=False)
    app.router.add_post(f"{PREFIX}/organizations", add_organization)
    app.router.add_patch(f"{PREFIX}/organizations/{{organization_id}}", change_organization)
