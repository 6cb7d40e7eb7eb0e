"""Organizations (政协组织) and the people who work for them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from conference.model.permissions import Role

STAFF_ROLES: Final = frozenset({Role.ADMINISTRATOR, Role.ORGANIZER, Role.SECRETARIAT, Role.MODERATOR})


class Level(StrEnum):
    """Where a body stands."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"


@dataclass(frozen=True, slots=True)
class Organization:
    """A consultative body. Times are UTC ms."""

    id: str
    name: str
    level: Level
    parent_id: str | None
    created_at_ms: int


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


@dataclass(frozen=True, slots=True)
class StaffSession:
    """Somebody who is logged in, known by the hash of the session's token."""

    token_hash: str
    user_id: str
    created_at_ms: int
    expires_at_ms: int
