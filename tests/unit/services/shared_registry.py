"""A registry of several nodes, of which a test says what the others do."""

from __future__ import annotations

from collections.abc import Mapping

from conference.model.claim import Elsewhere, Hold, NodeState
from conference.storage.ephemeral.memory import MemoryPresence


class SharedRegistry(MemoryPresence):
    """As one that other nodes use too: `others` is what they hold."""

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.others: dict[str, Elsewhere] = {}
        self.living: tuple[NodeState, ...] = ()

    @property
    def is_shared(self) -> bool:
        return True

    def elsewhere(self) -> Mapping[str, Elsewhere]:
        return self.others

    def nodes(self) -> tuple[NodeState, ...]:
        return self.living

    async def claim(self, room_id: str, *, only_ours: bool = False) -> Hold:
        if room_id in self.others:
            return Hold(self.others[room_id].node, is_ours=False)
        return await super().claim(room_id, only_ours=only_ours)
