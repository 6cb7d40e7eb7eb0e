"""Organizations (政协组织) and the people who work for them."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from conference.model.errors import ConferenceError
from conference.model.permissions import Role

STAFF_ROLES: Final = frozenset({Role.ADMINISTRATOR, Role.ORGANIZER, Role.SECRETARIAT, Role.MODERATOR})
FREE_TRIES: Final = 5  # wrong passwords before an account is locked for a while
MIN_PASSWORD_CHARS: Final = 10
MAX_PASSWORD_CHARS: Final = 256
_FIRST_LOCK_MS: Final = 60_000
_LONGEST_LOCK_MS: Final = 3_600_000


class Level(StrEnum):
    """Where a body stands."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"

    def is_above(self, other: Level) -> bool:
        """Whether a body of this level stands above one of the other."""
        order = list(Level)
        return order.index(self) < order.index(other)


@dataclass(frozen=True, slots=True)
class Organization:
    """A consultative body. Times are UTC ms."""

    id: str
    name: str
    level: Level
    parent_id: str | None
    created_at_ms: int


def below(organizations: Iterable[Organization], organization_id: str) -> frozenset[str]:
    """Ids of an organization and of everything that stands below it."""
    children: dict[str | None, list[str]] = {}
    for each in organizations:
        children.setdefault(each.parent_id, []).append(each.id)
    found: set[str] = set()
    waiting = [organization_id]
    while waiting:
        each_id = waiting.pop()
        if each_id not in found:
            found.add(each_id)
            waiting += children.get(each_id, [])
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class FailedLogins:
    """Wrong passwords since the last right one, and how long nothing is tried any more. Times are UTC ms."""

    count: int = 0
    locked_until_ms: int | None = None

    def one_more(self, now_ms: int) -> FailedLogins:
        count = self.count + 1
        return FailedLogins(count, now_ms + _lock_ms(count) if count >= FREE_TRIES else None)

    @property
    def left(self) -> int:
        """How many tries are left before the account is locked."""
        return max(0, FREE_TRIES - self.count)

    def wait_ms(self, now_ms: int) -> int:
        """How long to wait before the next try; a wall clock that was set back does not make it longer."""
        if self.locked_until_ms is None:
            return 0
        return min(max(0, self.locked_until_ms - now_ms), _lock_ms(self.count))


def _lock_ms(count: int) -> int:
    doublings = min(max(0, count - FREE_TRIES), 10)
    return min(_FIRST_LOCK_MS << doublings, _LONGEST_LOCK_MS)


def plain_login(login: str) -> str:
    """The one spelling of a login name: as it is stored and looked up."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


def new_password() -> str:
    """A made one that can be read out: no 0, 1, i, l, o."""
    letters = "23456789abcdefghjkmnpqrstuvwxyz"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def require_strong(password: str, login: str) -> None:
    """password_weak unless the password is long enough and not the login name."""
    is_login = plain_login(password) == login
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS or is_login or len(set(password)) < 2:
        raise ConferenceError("password_weak")


@dataclass(frozen=True, slots=True)
class User:
    """A staff account (工作人员账号): logs in with `login` and a password. `role` is one of STAFF_ROLES."""

    id: str
    login: str
    name: str
    role: Role
    organization_id: str
    password_hash: str
    created_at_ms: int
    failed_logins: int = 0  # since the last good one
    locked_until_ms: int | None = None
    disabled_at_ms: int | None = None

    @property
    def failures(self) -> FailedLogins:
        return FailedLogins(self.failed_logins, self.locked_until_ms)

    def with_failures(self, failures: FailedLogins) -> User:
        return replace(self, failed_logins=failures.count, locked_until_ms=failures.locked_until_ms)


@dataclass(frozen=True, slots=True)
class StaffSession:
    """Somebody who is logged in, known by the hash of the session's token."""

    token_hash: str
    user_id: str
    created_at_ms: int
    expires_at_ms: int
