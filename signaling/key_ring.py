"""The keys as a running server holds them: followed in their file, so that nobody has to restart it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final

import structlog

from conference.clock import Clock, SystemClock
from conference.model.keyset import KeySet, KeyState
from signaling.blocking import begin
from signaling.data_dir import DataDirectory, DataDirectoryError
from signaling.key_file import KeyFile

log = structlog.get_logger(__name__)

_LOOK_AGAIN_S: Final = 0.5  # however many strange tokens come
_MOMENT_S: Final = 0.2  # for which the event loop may stand still, once, before a share counts as hanging
_PATIENCE_S: Final = 4.0


class KeyRing:
    """Implements services.ports.Keys and KeyStore."""

    def __init__(self, file: KeyFile, clock: Clock, patience_s: float = _PATIENCE_S) -> None:
        """Reads it; DataDirectoryError when it cannot be. `patience_s`: after which a share counts as gone."""
        self._file = file
        self._clock = clock
        self._patience_s = patience_s
        self._stamp = file.stamp()
        self._set = file.read()
        self._looking: Future[bool] | None = None
        self._is_late = False  # somebody waited for that look in vain
        self._forgetting: Future[KeySet] | None = None
        self._is_lost = False
        self._looked_at_s = float("-inf")
        self._foreign: str | None = None
        if self._stamp is None:
            self._stamp = file.stamp()  # it was made only now
        if self._stamp is None:
            self._lose(f"{file.path}: gone")
        self._settle(self._set)

    @property
    def key_set(self) -> KeySet:
        return self._set

    @property
    def is_lost(self) -> bool:
        """The file cannot be read any more; what was read last holds."""
        return self._is_lost

    def signing(self) -> bytes:
        secret = self._set.signing.secret
        assert secret is not None, "the key that signs has a secret"
        return secret

    def accepted(self) -> Sequence[bytes]:
        return self._in(KeyState.SIGNS) + self._in(KeyState.ACCEPTED)

    def ended(self) -> Sequence[bytes]:
        return self._in(KeyState.ENDED)

    def retired(self) -> Sequence[bytes]:
        return self._in(KeyState.RETIRED)

    def is_retired(self, key_id: str) -> bool:
        key = self._set.find(key_id)
        return key is not None and key.retired_ms is not None

    def former_records(self) -> Sequence[str]:
        return tuple(each.record_key for each in reversed(self._set.keys) if each.secret is None)

    def refresh(self) -> bool:
        now_s = self._clock.monotonic()
        if now_s - self._looked_at_s < _LOOK_AGAIN_S:
            return False
        self._looked_at_s = now_s
        look = self._begin()
        if self._is_late:
            return False  # a share that hangs must not stop the event loop time and again
        try:
            return look.result(_MOMENT_S)
        except TimeoutError:
            self._is_late = True
            return False

    async def tick(self) -> None:
        """Notice what another process changed. Call every second or two."""
        try:
            async with asyncio.timeout(self._patience_s):
                await asyncio.wrap_future(self._begin())
        except TimeoutError:
            self._lose(f"{self._file.path}: no answer")

    async def forget(self, ids: frozenset[str]) -> None:
        """Drop these secrets for good. DataDirectoryError."""
        try:
            if self._forgetting is not None and not self._forgetting.done():
                raise TimeoutError  # one thread waits for the share, not one more each time
            self._forgetting = begin(lambda: self._file.change(lambda found: found.forgetting(ids)))
            async with asyncio.timeout(self._patience_s):
                after = await asyncio.wrap_future(self._forgetting)
        except TimeoutError as error:
            raise DataDirectoryError(f"{self._file.path} 没有应答 (no answer)") from error
        self._take(after)

    def _begin(self) -> Future[bool]:
        """The look that is under way, or a new one: whether the keys changed."""
        if self._looking is None or self._looking.done():
            self._is_late = False
            self._looking = begin(self._look)
        return self._looking

    def _look(self) -> bool:
        stamp = self._file.stamp()
        if stamp is not None and stamp == self._stamp:
            self._is_lost = False
            return False
        try:
            if stamp is None:
                raise DataDirectoryError(f"{self._file.path}: gone")
            found = self._file.read()
            self._settle(found)
        except DataDirectoryError as error:
            self._lose(str(error))
            return False
        self._stamp, self._is_lost = stamp, False
        return self._take(found)

    def _lose(self, why: str) -> None:
        if not self._is_lost:
            log.error("keys.unreadable", error=why)
        self._is_lost = True

    def _take(self, found: KeySet) -> bool:
        if found == self._set:
            return False
        self._set = found
        log.info("keys.changed", signs=found.signing.id, fingerprint=found.fingerprint)
        return True

    def _settle(self, found: KeySet) -> None:
        self._file.copy(found)
        foreign = self._file.foreign(found)
        if foreign is not None and foreign != self._foreign:
            log.warning("keys.foreign_token_key", key=foreign)
        self._foreign = foreign

    def _in(self, state: KeyState) -> tuple[bytes, ...]:
        now_ms = self._clock.wall_ms()
        return tuple(
            each.secret
            for each in reversed(self._set.keys)
            if each.secret is not None and each.state(now_ms) is state
        )


def key_ring(directory: DataDirectory) -> KeyRing:
    """For a command on the data directory: the keys that its server uses."""
    return KeyRing(KeyFile(directory, directory.remembered_key_file()), SystemClock())
