"""Invitees (受邀人): those who are expected, each with a personal link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from conference.model.permissions import Role

INVITED_ROLES: Final = (
    Role.CHAIR,
    Role.MEMBER,
    Role.DEPARTMENT,
    Role.EXPERT,
    Role.CITIZEN,
    Role.OBSERVER,
    Role.SECRETARIAT,
    Role.MODERATOR,
)


@dataclass(frozen=True, slots=True)
class Invitee:
    """A person who is expected. Empty strings where nothing is known. Times are UTC ms.

    `link_revision` names the personal link that is good now, and `link_hash` is the hash of its code.
    """

    id: str
    consultation_id: str
    position: int
    name: str
    title: str  # 单位职务
    sector: str  # 界别
    role: Role
    venue_id: str | None  # None: takes part from afar
    phone: str
    large_text: bool
    excused: bool  # has asked for leave (已请假)
    link_revision: int
    link_hash: str
    created_at_ms: int
    removed_at_ms: int | None = None
