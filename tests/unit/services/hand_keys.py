"""Keys that a test rotates by hand, in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from conference.clock import Clock
from conference.model.keyset import KeySet, KeyState
from signaling.key_file import key_of

FIRST, SECOND, THIRD = (key_of(each * 32, 1_000) for each in (b"k", b"2", b"3"))
"""The first is that of World."""
DAY_MS = 86_400_000


class HandKeys:
    """Implements services.ports.Keys and KeyStore, and is the file of KeyChanges."""

    def __init__(self, clock: Clock, key_set: KeySet | None = None) -> None:
        self.clock = clock
        self.key_set = key_set or KeySet((FIRST,))
        self.differing: tuple[str, ...] = ()

    def rotate(self, days: float = 30) -> None:
        """To the next of the three."""
        new = (SECOND, THIRD)[len(self.key_set.keys) - 1]
        self.key_set = self.key_set.rotated(new, self.clock.wall_ms() + int(days * DAY_MS))

    def read(self) -> KeySet:
        return self.key_set

    def change(self, how: Callable[[KeySet], KeySet]) -> KeySet:
        self.key_set = how(self.key_set)
        return self.key_set

    async def forget(self, ids: frozenset[str]) -> None:
        self.key_set = self.key_set.forgetting(ids)

    def signing(self) -> bytes:
        secret = self.key_set.signing.secret
        assert secret is not None
        return secret

    def accepted(self) -> Sequence[bytes]:
        return (*self._in(KeyState.SIGNS), *self._in(KeyState.ACCEPTED))

    def ended(self) -> Sequence[bytes]:
        return self._in(KeyState.ENDED)

    def retired(self) -> Sequence[bytes]:
        return self._in(KeyState.RETIRED)

    def is_retired(self, key_id: str) -> bool:
        key = self.key_set.find(key_id)
        return key is not None and key.retired_ms is not None

    def former_records(self) -> Sequence[str]:
        return [each.record_key for each in self.key_set.keys if each.secret is None]

    def refresh(self) -> bool:
        return False

    def _in(self, state: KeyState) -> tuple[bytes, ...]:
        now_ms = self.clock.wall_ms()
        found = (each for each in reversed(self.key_set.keys) if each.state(now_ms) is state)
        return tuple(each.secret for each in found if each.secret is not None)
