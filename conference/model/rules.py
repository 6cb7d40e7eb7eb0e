"""Rules (规则): what one body may use of a server, and how long its recordings are kept."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

MOST_LIVE: Final = 1_000
MOST_PARTICIPANTS: Final = 5_000
MOST_STORAGE_GB: Final = 1_000_000
LONGEST_RETENTION_DAYS: Final = 36_500
GB: Final = 1_000_000_000
_NEAR: Final = 0.9


@dataclass(frozen=True, slots=True)
class Rules:
    """Of one body. None: no limit, or, of `retention_days`, what the server does for all.

    `max_live`: consultations that are live at once, rehearsals among them. `max_participants`: seats in one room.
    `max_storage_gb`: recordings, programs and clips together. `retention_days` after the end; 0 keeps for ever.
    """

    max_live: int | None = None
    max_participants: int | None = None
    max_storage_gb: int | None = None
    retention_days: int | None = None

    @property
    def max_storage_bytes(self) -> int | None:
        return None if self.max_storage_gb is None else self.max_storage_gb * GB

    def limits_as(self, other: Rules) -> bool:
        """Whether both let a body use the same."""
        ours = (self.max_live, self.max_participants, self.max_storage_gb)
        return ours == (other.max_live, other.max_participants, other.max_storage_gb)

    def difference(self, after: Rules) -> dict[str, dict[str, int | None]]:
        """What is another in `after`, from what to what."""
        return {
            each.name: {"from": getattr(self, each.name), "to": getattr(after, each.name)}
            for each in fields(self)
            if getattr(self, each.name) != getattr(after, each.name)
        }


class Fill(StrEnum):
    """How much is left of the space that a body may use."""

    OK = "ok"
    NEAR = "near"  # nine tenths are used
    FULL = "full"


def fill_of(used_bytes: int, max_bytes: int | None) -> Fill:
    """Without a limit there is always room."""
    if max_bytes is None or used_bytes < max_bytes * _NEAR:
        return Fill.OK
    return Fill.FULL if used_bytes >= max_bytes else Fill.NEAR


@dataclass(frozen=True, slots=True)
class StorageUse:
    """What the files of one body take on the disks of one node, as it was measured there. Times are UTC ms."""

    organization_id: str
    node: str
    used_bytes: int
    measured_at_ms: int
