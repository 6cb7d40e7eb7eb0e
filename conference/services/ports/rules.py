"""Rows of the rules of bodies, and what measures their files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from conference.model.rules import Rules, StorageUse


class RulesRepository(Protocol):
    """Rows of rules, at most one for each body."""

    async def of(self, organization_id: str | None, *, lock: bool = False) -> Rules:
        """Those of that body; empty ones where none were made. `lock`: nobody else who locks reads them before this
        transaction ends."""

    async def all(self) -> dict[str, Rules]:
        """By the id of the body; only bodies for which some were made."""

    async def save(self, organization_id: str, rules: Rules) -> None:
        """Insert or overwrite."""


class StorageUseRepository(Protocol):
    """Rows of what the files of bodies take on each node."""

    async def owners(self) -> dict[str, str]:
        """Whose each consultation is: the id of its body by its own; those of no body are left out."""

    async def since(self, wall_ms: int) -> list[StorageUse]:
        """What was measured then or later, on all nodes."""

    async def measured(self, node: str, uses: Iterable[StorageUse], *, forget_before_ms: int) -> None:
        """This in place of what was measured on that node before; of nodes that have not measured since
        `forget_before_ms`, nothing stays."""


class StorageMeter(Protocol):
    """Measures what the files of consultations take on this node's disk."""

    async def measure(self) -> Mapping[str, int]:
        """Bytes of recordings, programs and clips, by the id of the consultation. Raises OSError."""
