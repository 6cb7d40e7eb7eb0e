"""The keys of an installation: which one signs, which are accepted beside it, which are kept to read with alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from conference.model.errors import ConferenceError, NotFoundError

OLD_MS: Final = 365 * 86_400_000
"""A key is to be rotated once a year: whoever saw a backup of it should not have it for ever."""


class KeyState(StrEnum):
    """`ENDED`: its time beside a newer one is over; `RETIRED`: it leaked, nothing of it is believed any more."""

    SIGNS = "signs"
    ACCEPTED = "accepted"
    ENDED = "ended"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Key:
    """One key. Times are UTC ms. `until_ms`: how long it is accepted beside a newer one, None for the one that signs.

    `secret` is None once nothing needs it any more. `record_key` is the public half by which signed records are
    verified: it stays for ever.
    """

    id: str
    secret: bytes | None = field(repr=False)
    made_ms: int
    record_key: str
    until_ms: int | None = None
    retired_ms: int | None = None

    def state(self, now_ms: int) -> KeyState:
        if self.retired_ms is not None:
            return KeyState.RETIRED
        if self.until_ms is None:
            return KeyState.SIGNS
        return KeyState.ACCEPTED if now_ms < self.until_ms else KeyState.ENDED

    def ended_ms(self, now_ms: int) -> int | None:
        """Since when nothing of it is accepted; None while it is."""
        if self.retired_ms is not None:
            return self.retired_ms
        return self.until_ms if self.state(now_ms) is KeyState.ENDED else None


@dataclass(frozen=True, slots=True)
class KeySet:
    """All there were, the oldest first; the last one signs. ValueError when they make no sense together."""

    keys: tuple[Key, ...]

    def __post_init__(self) -> None:
        if not self.keys or len({each.id for each in self.keys}) != len(self.keys):
            raise ValueError("no keys, or one twice")
        *older, last = self.keys
        if last.secret is None or last.until_ms is not None or last.retired_ms is not None:
            raise ValueError("the last key does not sign")
        if any(each.until_ms is None and each.retired_ms is None for each in older):
            raise ValueError("two keys sign")

    @property
    def signing(self) -> Key:
        return self.keys[-1]

    @property
    def fingerprint(self) -> str:
        """The same where the same keys are accepted for as long; tells nothing about them."""
        said = "\n".join(f"{each.id} {each.until_ms} {each.retired_ms}" for each in self.keys)
        return hashlib.sha256(said.encode()).hexdigest()[:12]

    def find(self, key_id: str) -> Key | None:
        return next((each for each in self.keys if each.id == key_id), None)

    def rotated(self, new: Key, until_ms: int) -> KeySet:
        """`new` signs from now on; the one that did is accepted until then."""
        return KeySet((*self.keys[:-1], replace(self.signing, until_ms=until_ms), new))

    def retired(self, key_id: str, now_ms: int) -> KeySet:
        """Without that key from now on. not_found; invalid_state for the one that signs. Repeating it is harmless."""
        key = self.find(key_id)
        if key is None:
            raise NotFoundError(f"key {key_id}")
        if key is self.signing:
            raise ConferenceError("invalid_state", "it signs")
        if key.retired_ms is not None:
            return self
        return self._with(replace(key, retired_ms=now_ms))

    def forgetting(self, ids: frozenset[str]) -> KeySet:
        """Without the secrets of these, except the one that signs."""
        return KeySet(
            tuple(
                replace(each, secret=None) if each.id in ids and each is not self.signing else each
                for each in self.keys
            )
        )

    def _with(self, changed: Key) -> KeySet:
        return KeySet(tuple(changed if each.id == changed.id else each for each in self.keys))


def key_id(secret: bytes) -> str:
    """What a key is called: eight hex digits that follow from it and tell nothing about it."""
    return hashlib.sha256(b"yuanshang key id\0" + secret).hexdigest()[:8]
