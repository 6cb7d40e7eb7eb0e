"""Rows of clips and of each time that one was played; and the directory that their files lie in."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.clip import Clip, ClipState, PlayEnd, Playing, PlayState
from conference.model.errors import ConferenceError
from conference.storage.files import remove_older
from conference.storage.rows import to_row
from conference.storage.statements import upsert
from conference.storage.tables import clip_plays, clips

_CLIP_CHANGES: Final = (
    "name",
    "state",
    "reason",
    "duration_ms",
    "width",
    "height",
    "has_picture",
    "has_sound",
    "cue_ms",
    "prepared_at_ms",
    "deleted_at_ms",
)
_PLAY_CHANGES: Final = (
    "state",
    "position_ms",
    "at_ms",
    "at_wall_ms",
    "began_ms",
    "ended_ms",
    "ended_wall_ms",
    "end",
)
_LOOK_BYTES: Final = 32 << 20  # between two looks at how much of the disk is left
_WRITE_BYTES: Final = 1 << 20  # written at once, in a thread


class SqlClips:
    """Implements services.ports.ClipRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, clip_id: str) -> Clip | None:
        return next(iter(await self._where(clips.c.id == clip_id)), None)

    async def of(self, consultation_id: str) -> list[Clip]:
        return await self._where(clips.c.consultation_id == consultation_id)

    async def queued(self) -> list[Clip]:
        return await self._where(clips.c.state == ClipState.QUEUED.value)

    async def paths(self) -> set[str]:
        found: set[str] = set()
        for each in await self._where(sa.true()):
            if each.state is ClipState.READY:
                found |= {each.path, each.poster_path}
            elif each.state is ClipState.QUEUED:
                found.add(each.original_path)
        return found

    async def save(self, saved: Iterable[Clip]) -> None:
        rows = [{name: each for name, each in to_row(one).items() if name != "progress"} for one in saved]
        if rows:
            await self._connection.execute(upsert(self._connection, clips, _CLIP_CHANGES), rows)

    async def plays(self, consultation_id: str) -> list[Playing]:
        return await self._plays(clip_plays.c.consultation_id == consultation_id)

    async def unended_plays(self) -> list[Playing]:
        return await self._plays(clip_plays.c.end.is_(None))

    async def save_play(self, playing: Playing) -> None:
        await self._connection.execute(upsert(self._connection, clip_plays, _PLAY_CHANGES), [to_row(playing)])

    async def _where(self, condition: sa.ColumnElement[bool]) -> list[Clip]:
        query = sa.select(clips).where(condition, clips.c.deleted_at_ms.is_(None))
        query = query.order_by(clips.c.added_at_ms, clips.c.id)
        return [_clip(row) for row in (await self._connection.execute(query)).mappings()]

    async def _plays(self, condition: sa.ColumnElement[bool]) -> list[Playing]:
        query = sa.select(clip_plays).where(condition)
        query = query.order_by(clip_plays.c.started_wall_ms, clip_plays.c.id)
        return [_playing(row) for row in (await self._connection.execute(query)).mappings()]


def _clip(row: RowMapping) -> Clip:
    values = {each.name: row[each.name] for each in fields(Clip) if each.name != "progress"}
    return Clip(**{**values, "state": ClipState(row["state"])})


def _playing(row: RowMapping) -> Playing:
    end = None if row["end"] is None else PlayEnd(row["end"])
    return Playing(**{**row, "state": PlayState(row["state"]), "end": end})


class DirectoryClips:
    """Implements services.ports.ClipStore: a file stands under its name whole and on the disk, or not at all."""

    def __init__(
        self,
        directory: Path,
        *,
        max_bytes: int,
        reserve_bytes: int,
        require: Callable[[], None] = lambda: None,
    ) -> None:
        """Nothing is taken that is larger than `max_bytes`, or leaves less than `reserve_bytes` on the disk, or while
        `require` raises OSError, because what is mounted there is not what it should be."""
        self._require = require
        self._directory = directory
        self._max_bytes = max_bytes
        self._reserve_bytes = reserve_bytes

    @property
    def max_bytes(self) -> int:
        return self._max_bytes

    def path(self, path: str) -> Path:
        return self._directory / path

    async def receive(self, path: str, content: AsyncIterator[bytes]) -> tuple[int, str]:
        draft = self._directory / f"{path}.{secrets.token_hex(8)}.part"
        try:
            return await self._receive(draft, self.path(path), content)
        except OSError as error:
            raise ConferenceError("storage_unavailable", str(error)) from error
        finally:
            with suppress(OSError):
                await asyncio.to_thread(draft.unlink, missing_ok=True)

    async def _receive(self, draft: Path, path: Path, content: AsyncIterator[bytes]) -> tuple[int, str]:
        size, looked_at, held, sha256 = 0, -_LOOK_BYTES, bytearray(), hashlib.sha256()
        await asyncio.to_thread(self._require)
        descriptor = await asyncio.to_thread(_opened, draft)
        try:
            async for piece in content:
                size += len(piece)
                if size > self._max_bytes:
                    raise ConferenceError("too_large")
                if size - looked_at >= _LOOK_BYTES:
                    looked_at = size
                    await asyncio.to_thread(self._require_room)
                held += piece
                if len(held) >= _WRITE_BYTES:
                    data = bytes(held)
                    held.clear()
                    await asyncio.to_thread(_written, descriptor, data, sha256)
            await asyncio.to_thread(_written, descriptor, bytes(held), sha256)
            await asyncio.to_thread(os.fsync, descriptor)
        finally:
            os.close(descriptor)
        await asyncio.to_thread(_named, draft, path)
        return size, sha256.hexdigest()

    def _require_room(self) -> None:
        if shutil.disk_usage(self._directory).free - _LOOK_BYTES < self._reserve_bytes:
            raise ConferenceError("disk_full")

    async def remove(self, *paths: str) -> None:
        await self._on_disk(lambda: self._unlink(paths))

    def _unlink(self, paths: Iterable[str]) -> None:
        for each in paths:
            self.path(each).unlink(missing_ok=True)

    async def clear(self, consultation_id: str) -> None:
        await self._on_disk(lambda: shutil.rmtree(self._directory / consultation_id, ignore_errors=True))

    async def sweep(self, kept: Collection[str], before_ms: int | None = None) -> None:
        await self._on_disk(lambda: self._sweep(frozenset(kept), before_ms))

    def _sweep(self, kept: frozenset[str], before_ms: int | None) -> None:
        for each in tuple(self._directory.glob("*/*")):
            if str(each.relative_to(self._directory)) not in kept:
                remove_older(each, before_ms)

    @staticmethod
    async def _on_disk(work: Callable[[], object]) -> None:
        try:
            await asyncio.to_thread(work)
        except OSError as error:
            raise ConferenceError("storage_unavailable", str(error)) from error


def _opened(draft: Path) -> int:
    draft.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def _written(descriptor: int, data: bytes, sha256: hashlib._Hash) -> None:
    sha256.update(data)
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _named(draft: Path, path: Path) -> None:
    draft.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)  # a name that was given stays given
    finally:
        os.close(descriptor)
