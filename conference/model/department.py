"""Departments (办理部门) that answer, each with a link of its own instead of an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_DEPARTMENTS: Final = 200  # of one consultation
LINK_DAYS: Final = 90  # after the closing date


@dataclass(frozen=True, slots=True)
class Department:
    """Who is asked for an answer. `link_hash` is what is kept of the code in its link; the link opens nothing after
    `valid_until_wall_ms`."""

    id: str
    consultation_id: str
    name: str
    contact: str
    email: str
    phone: str
    link_revision: int
    link_hash: str
    valid_until_wall_ms: int
    created_wall_ms: int
