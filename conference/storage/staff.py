"""Rows of organizations, of the accounts of those who work for them, and of who is logged in."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.errors import ConferenceError
from conference.model.organization import FailedLogins, Organization, StaffSession, User
from conference.storage.rows import to_organization, to_row, to_staff_session, to_user
from conference.storage.tables import organizations, staff_sessions, users


class SqlOrganizations:
    """Implements services.ports.OrganizationRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, organization_id: str) -> Organization | None:
        return await self._one(organizations.c.id == organization_id)

    async def named(self, name: str) -> Organization | None:
        return await self._one(organizations.c.name == name)

    async def all(self) -> list[Organization]:
        query = sa.select(organizations).order_by(organizations.c.created_at_ms, organizations.c.id)
        return [to_organization(row) for row in (await self._connection.execute(query)).mappings()]

    async def add(self, organization: Organization) -> None:
        await self._write(sa.insert(organizations).values(to_row(organization)), organization)

    async def save(self, organization: Organization) -> None:
        statement = sa.update(organizations).where(organizations.c.id == organization.id)
        await self._write(statement.values(to_row(organization)), organization)

    async def _one(self, condition: sa.ColumnElement[bool]) -> Organization | None:
        query = sa.select(organizations).where(condition)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return None if row is None else to_organization(row)

    async def _write(self, statement: sa.Insert | sa.Update, organization: Organization) -> None:
        try:
            await self._connection.execute(statement)
        except IntegrityError as error:
            raise ConferenceError("organization_exists", organization.name) from error


class SqlUsers:
    """Implements services.ports.UserRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, user_id: str) -> User | None:
        return await self._one(users.c.id == user_id)

    async def by_login(self, login: str) -> User | None:
        return await self._one(users.c.login == login)

    async def of(self, organization_ids: Iterable[str]) -> list[User]:
        query = sa.select(users).where(users.c.organization_id.in_(list(organization_ids)))
        rows = await self._connection.execute(query.order_by(users.c.created_at_ms, users.c.id))
        return [to_user(row) for row in rows.mappings()]

    async def add(self, user: User) -> None:
        try:
            await self._connection.execute(sa.insert(users).values(to_row(user)))
        except IntegrityError as error:
            raise ConferenceError("login_taken", user.login) from error

    async def save(self, user: User) -> None:
        await self._connection.execute(sa.update(users).where(users.c.id == user.id).values(to_row(user)))

    async def set_password(self, user_id: str, password_hash: str) -> None:
        await self._set(user_id, password_hash=password_hash)

    async def set_failures(self, user_id: str, failures: FailedLogins) -> None:
        await self._set(user_id, failed_logins=failures.count, locked_until_ms=failures.locked_until_ms)

    async def _set(self, user_id: str, **values: str | int | None) -> None:
        await self._connection.execute(sa.update(users).where(users.c.id == user_id).values(**values))

    async def _one(self, condition: sa.ColumnElement[bool]) -> User | None:
        row = (await self._connection.execute(sa.select(users).where(condition))).mappings().one_or_none()
        return None if row is None else to_user(row)


class SqlStaffSessions:
    """Implements services.ports.StaffSessionRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, token_hash: str) -> StaffSession | None:
        query = sa.select(staff_sessions).where(staff_sessions.c.token_hash == token_hash)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return None if row is None else to_staff_session(row)

    async def add(self, session: StaffSession) -> None:
        await self._connection.execute(sa.insert(staff_sessions).values(to_row(session)))

    async def delete(self, token_hash: str) -> None:
        await self._delete(staff_sessions.c.token_hash == token_hash)

    async def delete_of(self, user_id: str, *, keep: str | None = None) -> None:
        condition = staff_sessions.c.user_id == user_id
        if keep is not None:
            condition &= staff_sessions.c.token_hash != keep
        await self._delete(condition)

    async def delete_expired(self, now_ms: int) -> None:
        await self._delete(staff_sessions.c.expires_at_ms <= now_ms)

    async def _delete(self, condition: sa.ColumnElement[bool]) -> None:
        await self._connection.execute(sa.delete(staff_sessions).where(condition))
