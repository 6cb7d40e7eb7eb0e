"""Staff: the accounts, the organizations they work for, and what of them each may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from conference.clock import Clock
from conference.model.audit import CLI, STAFF_CHAIN, AuditEntry, Personal, Value
from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError, ForbiddenError, NotFoundError
from conference.model.ids import new_id
from conference.model.organization import (
    STAFF_ROLES,
    FailedLogins,
    Level,
    Organization,
    User,
    below,
    plain_login,
    require_strong,
)
from conference.model.permissions import Action, Role, require
from conference.services.logins import StaffMember
from conference.services.passwords import Passwords
from conference.services.ports import Storage, UnitOfWork


@dataclass(frozen=True, slots=True)
class UserDraft:
    """An account that is to be made. `organization_id` None: that of who makes it."""

    login: str
    name: str
    role: Role
    password: str
    organization_id: str | None = None


class Staff:
    """`by` None is the command line, which may do everything."""

    def __init__(self, storage: Storage, passwords: Passwords, clock: Clock) -> None:
        self._storage = storage
        self._passwords = passwords
        self._clock = clock

    # ── what one may see ────────────────────────────────────────────────────────────────────────

    async def visible(self, member: StaffMember) -> frozenset[str]:
        """Ids of the organizations whose matters somebody sees: the own, and for administrators those below."""
        async with self._storage.reading() as unit:
            return await self._visible(unit, member)

    async def may_see(self, member: StaffMember, consultation: Consultation) -> bool:
        """A consultation without an organization is open to all staff."""
        owner = consultation.organization_id
        return owner in (None, member.organization.id) or owner in await self.visible(member)

    @staticmethod
    async def _visible(unit: UnitOfWork, by: StaffMember | None) -> frozenset[str]:
        if by is not None and by.user.role is not Role.ADMINISTRATOR:
            return frozenset({by.organization.id})
        everything = await unit.organizations.all()
        return frozenset(o.id for o in everything) if by is None else below(everything, by.organization.id)

    # ── organizations ───────────────────────────────────────────────────────────────────────────

    async def organizations(self, by: StaffMember | None) -> list[Organization]:
        """Those that one may see, in the order of their making."""
        self._require(by, Action.ORGANIZATION_MANAGE)
        async with self._storage.reading() as unit:
            visible = await self._visible(unit, by)
            return [each for each in await unit.organizations.all() if each.id in visible]

    async def organization_named(self, name: str, level: Level) -> Organization:
        """The one of that name, made when there is none; for the command line."""
        async with self._storage.reading() as unit:
            found = await unit.organizations.named(name)
        return found or await self.add_organization(None, name, level)

    async def add_organization(
        self, by: StaffMember | None, name: str, level: Level, parent_id: str | None = None
    ) -> Organization:
        """A new one; below the own one when nothing else is said."""
        self._require(by, Action.ORGANIZATION_MANAGE)
        if parent_id is None and by is not None:
            parent_id = by.organization.id
        organization = Organization(new_id("o"), name, level, parent_id, self._clock.wall_ms())
        async with self._storage.transaction() as unit:
            await self._require_parent(unit, by, organization)
            await unit.organizations.add(organization)
            await unit.audit.append(
                self._entry(by, "organization.added", organization.id, _told(organization))
            )
        return organization

    async def change_organization(
        self, by: StaffMember | None, organization_id: str, changes: Mapping[str, Any]
    ) -> Organization:
        """Another name, level or parent. One's own keeps its place; nothing is put below itself."""
        self._require(by, Action.ORGANIZATION_MANAGE)
        async with self._storage.transaction() as unit:
            organization = await self._organization(unit, by, organization_id)
            changed = replace(organization, **changes)
            if changed == organization:
                return organization
            everything = await unit.organizations.all()
            if changed.parent_id != organization.parent_id:
                is_own = by is not None and organization_id == by.organization.id
                if is_own or (by is not None and changed.parent_id is None):
                    raise ForbiddenError("moved from above only")
                if changed.parent_id in below(everything, organization_id):
                    raise ConferenceError("bad_request", "below itself")
            if any(o.parent_id == organization_id and o.level.is_above(changed.level) for o in everything):
                raise ConferenceError("bad_request", "a body of a higher level stands below")
            await self._require_parent(unit, by, changed)
            await unit.organizations.save(changed)
            await unit.audit.append(self._entry(by, "organization.changed", changed.id, _told(changed)))
        return changed

    async def _require_parent(self, unit: UnitOfWork, by: StaffMember | None, child: Organization) -> None:
        """The parent is one that may be seen, and of no lower level."""
        if child.parent_id is None or (by is not None and child.id == by.organization.id):
            return
        parent = await self._organization(unit, by, child.parent_id)
        if child.level.is_above(parent.level):
            raise ConferenceError("bad_request", f"{child.level} below {parent.level}")

    async def _organization(
        self, unit: UnitOfWork, by: StaffMember | None, organization_id: str
    ) -> Organization:
        organization = await unit.organizations.get(organization_id)
        if organization is None or organization_id not in await self._visible(unit, by):
            raise NotFoundError(f"organization {organization_id}")
        return organization

    # ── accounts ────────────────────────────────────────────────────────────────────────────────

    async def users(self, by: StaffMember | None) -> list[tuple[User, Organization]]:
        """The accounts of the organizations that one may see, disabled ones included."""
        self._require(by, Action.USER_MANAGE)
        async with self._storage.reading() as unit:
            visible = await self._visible(unit, by)
            known = {each.id: each for each in await unit.organizations.all()}
            return [(user, known[user.organization_id]) for user in await unit.users.of(visible)]

    async def account(self, login: str) -> User | None:
        """The account of that login; for the command line."""
        async with self._storage.reading() as unit:
            return await unit.users.by_login(plain_login(login))

    async def add_user(self, by: StaffMember | None, draft: UserDraft) -> tuple[User, Organization]:
        """A new account; login_taken, password_weak, not_found for an unknown organization."""
        self._require(by, Action.USER_MANAGE)
        _require_staff_role(draft.role)
        login = plain_login(draft.login)
        require_strong(draft.password, login)
        organization_id = draft.organization_id or (by.organization.id if by else "")
        user = User(
            id=new_id("u"),
            login=login,
            name=draft.name,
            role=draft.role,
            organization_id=organization_id,
            password_hash=await self._passwords.hash(draft.password),
            created_at_ms=self._clock.wall_ms(),
        )
        async with self._storage.transaction() as unit:
            organization = await self._organization(unit, by, organization_id)
            await unit.users.add(user)
            content: dict[str, Value] = {
                "login": Personal(login),
                "name": Personal(user.name),
                "role": user.role.value,
                "organization_id": organization_id,
            }
            await unit.audit.append(self._entry(by, "user.added", user.id, content))
        return user, organization

    async def change_user(
        self,
        by: StaffMember | None,
        user_id: str,
        changes: Mapping[str, Any],
        *,
        password: str | None = None,
        disabled: bool | None = None,
    ) -> tuple[User, Organization]:
        """`changes` of name, role and organization_id. Disabling, and another password, end all sessions.

        Nobody disables, demotes or moves himself; so of the administrators the last one stays.
        """
        self._require(by, Action.USER_MANAGE)
        if "role" in changes:
            _require_staff_role(changes["role"])
        async with self._storage.reading() as unit:
            user = await self._user(unit, by, user_id)
        if password is not None:
            require_strong(password, user.login)
        password_hash = None if password is None else await self._passwords.hash(password)
        async with self._storage.transaction() as unit:
            user = await self._user(unit, by, user_id)
            await self._require_still(unit, by)
            changed = replace(user, **changes)
            if disabled is not None and disabled != (user.disabled_at_ms is not None):
                changed = replace(changed, disabled_at_ms=self._clock.wall_ms() if disabled else None)
            organization = await self._organization(unit, by, changed.organization_id)
            if (
                by is not None
                and user_id == by.user.id
                and (
                    changed.disabled_at_ms is not None
                    or changed.role is not user.role
                    or changed.organization_id != user.organization_id
                )
            ):
                raise ForbiddenError("nobody locks himself out")
            if changed == user and password_hash is None:
                return user, organization
            if password_hash is not None:
                changed = replace(changed, password_hash=password_hash).with_failures(FailedLogins())
            await unit.users.save(changed)
            if password_hash is not None or changed.disabled_at_ms is not None:
                await unit.staff_sessions.delete_of(user_id)
            await unit.audit.append(self._entry(by, "user.changed", user_id, _difference(user, changed)))
        return changed, organization

    @staticmethod
    async def _require_still(unit: UnitOfWork, by: StaffMember | None) -> None:
        """Two who disable or demote each other at once would leave nobody: the later one is not what he was."""
        if by is None:
            return
        now = await unit.users.get(by.user.id)
        if now is None or now.disabled_at_ms is not None or now.role is not by.user.role:
            raise ForbiddenError("no administrator any more")

    async def _user(self, unit: UnitOfWork, by: StaffMember | None, user_id: str) -> User:
        user = await unit.users.get(user_id)
        if user is None or user.organization_id not in await self._visible(unit, by):
            raise NotFoundError(f"user {user_id}")
        return user

    @staticmethod
    def _require(by: StaffMember | None, action: Action) -> None:
        if by is not None:
            require(by.user.role, action)

    def _entry(
        self, by: StaffMember | None, action: str, subject: str, content: dict[str, Value]
    ) -> AuditEntry:
        actor = CLI if by is None else by.actor
        return AuditEntry(STAFF_CHAIN, self._clock.wall_ms(), None, actor, action, subject, content)


def _require_staff_role(role: Role) -> None:
    if role not in STAFF_ROLES:
        raise ConferenceError("bad_request", f"{role} is no role of staff")


def _told(organization: Organization) -> dict[str, Value]:
    o = organization
    return {"name": o.name, "level": o.level.value, "parent_id": o.parent_id}


def _difference(before: User, after: User) -> dict[str, Value]:
    """What of an account changed, without its password."""
    content: dict[str, Value] = {}
    if before.name != after.name:
        content["name"] = Personal(after.name)
    if before.role is not after.role:
        content["role"] = {"from": before.role.value, "to": after.role.value}
    if before.organization_id != after.organization_id:
        content["organization_id"] = {"from": before.organization_id, "to": after.organization_id}
    if before.password_hash != after.password_hash:
        content["new_password"] = True
    if (before.disabled_at_ms is None) != (after.disabled_at_ms is None):
        content["disabled"] = after.disabled_at_ms is not None
    return content
