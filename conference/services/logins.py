"""Logging in: passwords, the lock after wrong ones, sessions of staff."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from conference.clock import Clock
from conference.model.audit import STAFF_CHAIN, SYSTEM, Actor, AuditEntry, Value
from conference.model.errors import ConferenceError
from conference.model.ids import hash_secret, new_secret
from conference.model.organization import (
    MAX_PASSWORD_CHARS,
    FailedLogins,
    Organization,
    StaffSession,
    User,
    plain_login,
    require_strong,
)
from conference.services.passwords import Passwords
from conference.services.ports import Storage, UnitOfWork
from conference.services.trace import Bearer

SESSION_MS: Final = 12 * 3600 * 1000
STAFF_PREFIX: Final = "st_"  # tells a session of staff from a consultation token
_LOCKS: Final = 64
_MAX_STRANGERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Somebody who is logged in."""

    user: User
    organization: Organization
    token_hash: str = ""
    expires_at_ms: int = 0

    @property
    def bearer(self) -> Bearer:
        return Bearer(self.user.role, self.user.id, self.user.name, self.user.id)

    @property
    def actor(self) -> Actor:
        return self.bearer.actor


class Logins:
    """Attempts for one login name go one after the other: nobody tries many passwords before one is counted.

    A name without an account is treated alike in everything that its caller sees.
    """

    def __init__(self, storage: Storage, passwords: Passwords, clock: Clock) -> None:
        self._storage = storage
        self._passwords = passwords
        self._clock = clock
        self._locks = [asyncio.Lock() for _ in range(_LOCKS)]
        self._strangers: OrderedDict[str, FailedLogins] = OrderedDict()

    async def login(self, login: str, password: str) -> tuple[str, StaffMember]:
        """The session's token, and who it is. login_failed with `attempts_left`, or login_locked."""
        login = plain_login(login)
        async with self._locks[hash(login) % _LOCKS]:
            async with self._storage.reading() as unit:
                user = await unit.users.by_login(login)
            if user is not None and user.disabled_at_ms is not None:
                user = None
            failures = user.failures if user else self._strangers.get(login, FailedLogins())
            self._require_unlocked(failures)
            if not await self._matches(user, password) or user is None:
                raise self._refusal(await self._failed(login, user))
            return await self._open(user)

    async def member(self, token: str | None) -> StaffMember:
        """Who holds this session; session_expired when nobody does any more."""
        if not token:
            raise ConferenceError("token_missing")
        token_hash = hash_secret(token)
        async with self._storage.reading() as unit:
            session = await unit.staff_sessions.get(token_hash)
            if session is None or session.expires_at_ms <= self._clock.wall_ms():
                raise ConferenceError("session_expired")
            user = await unit.users.get(session.user_id)
            if user is None or user.disabled_at_ms is not None:
                raise ConferenceError("session_expired", "account is disabled")
            organization = await unit.organizations.get(user.organization_id)
            if organization is None:
                raise ConferenceError("session_expired", "organization is gone")
        return StaffMember(user, organization, token_hash, session.expires_at_ms)

    async def logout(self, member: StaffMember) -> None:
        """The session opens nothing any more."""
        async with self._storage.transaction() as unit:
            await unit.staff_sessions.delete(member.token_hash)
            await unit.audit.append(self._entry(member.actor, "user.logged_out", member.user))

    async def change_password(self, member: StaffMember, old: str, new: str) -> None:
        """Another password for oneself. Other sessions of the account end."""
        login = member.user.login
        async with self._locks[hash(login) % _LOCKS]:
            async with self._storage.reading() as unit:
                user = await unit.users.get(member.user.id)
            if user is None:
                raise ConferenceError("session_expired")
            self._require_unlocked(user.failures)
            if not await self._matches(user, old):
                raise self._refusal(await self._failed(login, user))
            require_strong(new, login)
            password_hash = await self._passwords.hash(new)
            async with self._storage.transaction() as unit:
                await unit.users.set_password(user.id, password_hash)
                await unit.users.set_failures(user.id, FailedLogins())
                await unit.staff_sessions.delete_of(user.id, keep=member.token_hash)
                await unit.audit.append(self._entry(member.actor, "user.password_changed", user))

    # ── one attempt ─────────────────────────────────────────────────────────────────────────────

    async def _matches(self, user: User | None, password: str) -> bool:
        stored = user.password_hash if user else None
        return len(password) <= MAX_PASSWORD_CHARS and await self._passwords.matches(stored, password)

    async def _open(self, user: User) -> tuple[str, StaffMember]:
        token, now_ms = STAFF_PREFIX + new_secret(), self._clock.wall_ms()
        session = StaffSession(hash_secret(token), user.id, now_ms, now_ms + SESSION_MS)
        async with self._storage.transaction() as unit:
            current = await unit.users.get(user.id)
            if current is None or current.disabled_at_ms is not None:
                raise ConferenceError("login_failed", "disabled meanwhile", attempts_left=0)
            organization = await self._organization(unit, current)
            await unit.users.set_failures(user.id, FailedLogins())
            await unit.staff_sessions.delete_expired(now_ms)
            await unit.staff_sessions.add(session)
            member = StaffMember(current, organization, session.token_hash, session.expires_at_ms)
            await unit.audit.append(self._entry(member.actor, "user.logged_in", user))
        return token, member

    @staticmethod
    async def _organization(unit: UnitOfWork, user: User) -> Organization:
        organization = await unit.organizations.get(user.organization_id)
        if organization is None:
            raise ConferenceError("internal", f"{user.id} works for no organization")
        return organization

    async def _failed(self, login: str, user: User | None) -> FailedLogins:
        """Count a wrong password: with the account, or in memory where there is none."""
        now_ms = self._clock.wall_ms()
        if user is None:
            failures = self._strangers.pop(login, FailedLogins()).one_more(now_ms)
            self._strangers[login] = failures
            if len(self._strangers) > _MAX_STRANGERS:
                self._strangers.popitem(last=False)
            return failures
        async with self._storage.transaction() as unit:
            current = await unit.users.get(user.id) or user
            failures = current.failures.one_more(now_ms)
            await unit.users.set_failures(user.id, failures)
            content: dict[str, Value] = {
                "failed": failures.count,
                "locked_until_ms": failures.locked_until_ms,
            }
            await unit.audit.append(self._entry(SYSTEM, "user.login_failed", user, content))
        return failures

    def _require_unlocked(self, failures: FailedLogins) -> None:
        if failures.wait_ms(self._clock.wall_ms()) > 0:
            raise self._refusal(failures)

    def _refusal(self, failures: FailedLogins) -> ConferenceError:
        wait_ms = failures.wait_ms(self._clock.wall_ms())
        if wait_ms > 0:
            return ConferenceError("login_locked", retry_after_s=-(-wait_ms // 1000))
        return ConferenceError("login_failed", attempts_left=failures.left)

    def _entry(
        self, by: Actor, action: str, user: User, content: dict[str, Value] | None = None
    ) -> AuditEntry:
        return AuditEntry(STAFF_CHAIN, self._clock.wall_ms(), None, by, action, user.id, content or {})
