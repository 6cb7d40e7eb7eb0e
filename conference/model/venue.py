"""Venues (会场 / 连线点): where people sit together, run by an operator."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class VenueKind(StrEnum):
    """What kind of place it is."""

    MAIN = "main"  # 主会场
    BRANCH = "branch"  # 分会场
    POINT = "point"  # 远程连线点


@dataclass(frozen=True, slots=True)
class Venue:
    """A place of one consultation. Times are UTC ms.

    `link_revision` names the operator's link that is good now, and `link_hash` is the hash of its code;
    `entry_code` is the six digits for phones in the hall, while there is one.
    """

    id: str
    consultation_id: str
    position: int
    name: str
    kind: VenueKind
    place: str
    operator_name: str
    operator_phone: str
    entry_code: str | None
    link_revision: int
    link_hash: str
    created_at_ms: int
    removed_at_ms: int | None = None
