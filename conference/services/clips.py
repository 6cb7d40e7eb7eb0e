"""Clips: files that are brought, prepared one after the other, listed, cued and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog

from conference.clock import Clock
from conference.model.audit import SYSTEM, Actor, AuditEntry, Personal, Value
from conference.model.briefing import plain_name
from conference.model.clip import MAX_CLIPS, Clip, ClipScope, ClipState, MadeClip
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.ids import new_id
from conference.model.permissions import Action, require
from conference.services.ports import (
    ClipMaker,
    ClipRefusedError,
    ClipStore,
    OneServer,
    Storage,
    UnitOfWork,
    Works,
)
from conference.services.trace import Bearer

log = structlog.get_logger(__name__)

_AGAIN_S: Final = 1.0
_TRIES: Final = 3  # of a process that dies
_LOOK_S: Final = 5.0  # what another node's upload left, or a database in trouble
_YOUNG_MS: Final = 3_600_000  # what is younger may be on its way, by another server on the same directory
_UPLOADS: Final = 2  # at once, of one consultation

RequireSpace = Callable[[Consultation, int], Awaitable[None]]


@dataclass(slots=True)
class _Running:
    clip: Clip
    task: asyncio.Task[MadeClip]


class Clips:
    """The queue is rows: after a crash it goes on from there. A file that was not sent whole leaves nothing."""

    def __init__(
        self,
        storage: Storage,
        store: ClipStore,
        maker: ClipMaker,
        clock: Clock,
        works: Works | None = None,
    ) -> None:
        """`works`: where other servers see the same files."""
        self._works: Works = works or OneServer()
        self._storage = storage
        self._store = store
        self._maker = maker
        self._clock = clock
        self._sent: dict[str, Clip] = {}  # being received
        self._running: _Running | None = None
        self._wake = asyncio.Event()
        self._tries: dict[str, int] = {}
        self._followers: list[Callable[[str], None]] = []
        self._is_played: Callable[[str], bool] = lambda _: False
        self._require_space: RequireSpace | None = None

    def follow(self, changed: Callable[[str], None]) -> None:
        """Have this called with the consultation whenever its list looks different."""
        self._followers.append(changed)

    def guard(self, is_played: Callable[[str], bool]) -> None:
        """`is_played`: whether the clip of this id is in a room now."""
        self._is_played = is_played

    def bound(self, require_space: RequireSpace) -> None:
        """`require_space` raises when the body of a consultation may not keep so many bytes more."""
        self._require_space = require_space

    @property
    def max_bytes(self) -> int:
        """Of a file that is taken."""
        return self._store.max_bytes

    # ── asking ──────────────────────────────────────────────────────────────────────────────────

    async def list(self, consultation_id: str, scope: ClipScope) -> list[Clip]:
        """In the order of being added, those that are still sent last."""
        async with self._storage.reading() as unit:
            kept = await unit.clips.of(consultation_id)
        sent = [each for each in self._sent.values() if each.consultation_id == consultation_id]
        return [each for each in (*map(self._seen, kept), *sent) if scope.holds(each)]

    async def ready(self, consultation_id: str, clip_id: str, scope: ClipScope) -> Clip:
        """One that can be played. not_found, clip_not_ready."""
        clip = await self._get(consultation_id, clip_id, scope)
        if clip.state is not ClipState.READY:
            raise ConferenceError("clip_not_ready", clip.state)
        return clip

    def path(self, clip: Clip) -> Path:
        """Where what is played lies."""
        return self._store.path(clip.path)

    async def poster(self, consultation_id: str, clip_id: str, scope: ClipScope) -> Path:
        """Where its picture lies; not_found where it has none."""
        clip = await self._get(consultation_id, clip_id, scope)
        path = self._store.path(clip.poster_path)
        if clip.state is not ClipState.READY or not clip.has_picture:
            raise NotFoundError(f"poster of clip {clip_id}")
        return path

    async def _get(self, consultation_id: str, clip_id: str, scope: ClipScope) -> Clip:
        async with self._storage.reading() as unit:
            return await _found(unit, consultation_id, clip_id, scope)

    def _seen(self, clip: Clip) -> Clip:
        running = self._running
        return running.clip if running is not None and running.clip.id == clip.id else clip

    # ── changing ────────────────────────────────────────────────────────────────────────────────

    async def add(
        self,
        consultation: Consultation,
        by: Bearer,
        scope: ClipScope,
        name: str,
        content: AsyncIterator[bytes],
        size_bytes: int | None,
    ) -> Clip:
        """Take a file as it comes; it is prepared afterwards. `size_bytes`: as announced, for the progress.

        too_large, disk_full, storage_quota, too_many_clips, rate_limited, invalid_state, storage_unavailable.
        """
        require(by.role, Action.CLIP_ADD)
        _require_editable(consultation)
        if size_bytes is not None and size_bytes > self._store.max_bytes:
            raise ConferenceError("too_large")
        if sum(each.consultation_id == consultation.id for each in self._sent.values()) >= _UPLOADS:
            raise ConferenceError("rate_limited", "clips")
        clip = Clip(
            id=new_id("k"),
            consultation_id=consultation.id,
            venue_id=scope.venue_id,
            name=plain_name(name) or "clip",
            size_bytes=size_bytes or 0,
            sha256="",
            added_at_ms=self._clock.wall_ms(),
            added_by=by.name,
            state=ClipState.UPLOADING,
        )
        self._sent[clip.id] = clip
        try:
            if self._require_space is not None:
                await self._require_space(consultation, size_bytes or 0)
            async with self._storage.reading() as unit:
                if len(await unit.clips.of(consultation.id)) + len(self._sent) > MAX_CLIPS:
                    raise ConferenceError("too_many_clips")
            self._changed(consultation.id)
            size, sha256 = await self._store.receive(clip.original_path, self._counted(clip.id, content))
            clip = replace(clip, state=ClipState.QUEUED, size_bytes=size, sha256=sha256)
            said: dict[str, Value] = {
                "name": Personal(clip.name),
                "sha256": sha256,
                "size_bytes": size,
                "venue": scope.venue_id,
            }
            try:
                async with self._storage.transaction() as unit:
                    await unit.clips.save([clip])
                    await unit.audit.append(self._entry(by.actor, "clip.added", clip, said))
            except BaseException:
                await self._store.remove(clip.original_path)
                raise
        finally:
            self._sent.pop(clip.id, None)
            self._changed(consultation.id)
        self._wake.set()
        return clip

    async def _counted(self, clip_id: str, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """What comes, and how far it is."""
        size = 0
        async for piece in content:
            size += len(piece)
            clip = self._sent[clip_id]
            percent = min(99, size * 100 // clip.size_bytes) if clip.size_bytes else 0
            if percent != clip.progress:
                self._sent[clip_id] = clip.at_work(ClipState.UPLOADING, percent)
                self._changed(clip.consultation_id)
            yield piece

    async def cue(
        self, consultation: Consultation, by: Bearer, scope: ClipScope, clip_id: str, cue_ms: int
    ) -> Clip:
        """Where it begins when nobody says otherwise. clip_not_ready."""
        require(by.role, Action.CLIP_ADD)
        async with self._storage.transaction() as unit:
            clip = await _found(unit, consultation.id, clip_id, scope)
            if clip.state is not ClipState.READY:
                raise ConferenceError("clip_not_ready", clip.state)
            cued = clip.cued(cue_ms)
            if cued != clip:
                await unit.clips.save([cued])
                await unit.audit.append(self._entry(by.actor, "clip.cued", cued, {"cue_ms": cued.cue_ms}))
        self._changed(consultation.id)
        return cued

    async def remove(self, consultation: Consultation, by: Bearer, scope: ClipScope, clip_id: str) -> None:
        """For good, also while it is prepared. clip_playing."""
        require(by.role, Action.CLIP_ADD)
        if self._is_played(clip_id):
            raise ConferenceError("clip_playing")
        async with self._storage.transaction() as unit:
            clip = await _found(unit, consultation.id, clip_id, scope)
            await self._strike(unit, clip, by.actor)
        await self._forget(clip)
        self._changed(consultation.id)

    async def clear(self, consultation: Consultation) -> None:
        """Its time is over (retention): all of them are deleted, with a line each."""
        async with self._storage.reading() as unit:
            found = await unit.clips.of(consultation.id)
        if found:
            async with self._storage.transaction() as unit:
                for each in found:
                    await self._strike(unit, each, SYSTEM, reason="retention")
        for each in found:
            await self._forget(each)
        await self._store.clear(consultation.id)

    async def _strike(self, unit: UnitOfWork, clip: Clip, by: Actor, **said: Value) -> None:
        await unit.clips.save([clip.deleted(self._clock.wall_ms())])
        await unit.audit.append(self._entry(by, "clip.removed", clip, {"sha256": clip.sha256, **said}))

    async def _forget(self, clip: Clip) -> None:
        """After its row was deleted: nothing prepares it any more, and its files are gone."""
        running = self._running
        if running is not None and running.clip.id == clip.id:
            running.task.cancel()
            await asyncio.wait([running.task])
        await self._store.remove(clip.original_path, clip.path, clip.poster_path)

    # ── preparing ───────────────────────────────────────────────────────────────────────────────

    async def restore(self) -> None:
        """After a start: take away what a crash left half sent, half made or without a row."""
        async with self._storage.reading() as unit:
            kept = await unit.clips.paths()
        before_ms = self._clock.wall_ms() - _YOUNG_MS if self._works.is_shared else None
        await self._store.sweep(kept, before_ms)

    async def run(self) -> None:
        """Prepare what was brought, one file after the other; runs until cancelled."""
        while True:
            if await self._prepare_next():
                continue
            self._wake.clear()
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _prepare_next(self) -> bool:
        """Prepare the oldest one whose file is here (else another node has what it was sent) and that no other server
        prepares. False when there is none."""
        async with self._storage.reading() as unit:
            queued = await unit.clips.queued()
        for clip in queued:
            if not await asyncio.to_thread(self._store.path(clip.original_path).is_file):
                continue
            async with self._works.alone(f"clip-{clip.id}") as is_ours:
                if is_ours and await self._is_queued(clip.id):
                    await self.prepare(clip)
                    return True
        return False

    async def _is_queued(self, clip_id: str) -> bool:
        """Still: another server may have prepared it before it was ours."""
        async with self._storage.reading() as unit:
            clip = await unit.clips.get(clip_id)
        return clip is not None and clip.state is ClipState.QUEUED

    async def prepare(self, clip: Clip) -> None:
        """Prepare it, and write down what became of it. A process that dies is given another try."""
        clip = clip.at_work(ClipState.CHECKING, 0)
        task = asyncio.ensure_future(self._maker.prepare(clip, self._told))
        self._running = _Running(clip, task)
        self._changed(clip.consultation_id)
        try:
            await asyncio.wait([task])
            if task.cancelled():
                return  # it was deleted
            made = task.result()
        except ClipRefusedError as error:
            await self._refused(clip, error.reason)
        else:
            self._tries.pop(clip.id, None)
            said: dict[str, Value] = {
                "duration_ms": made.duration_ms,
                "picture": made.has_picture,
                "sound": made.has_sound,
            }
            await self._written(clip.ready(self._clock.wall_ms(), made), "clip.prepared", said)
        finally:
            task.cancel()
            await asyncio.wait([task])
            self._running = None
            self._changed(clip.consultation_id)

    def _told(self, state: ClipState, percent: int) -> None:
        if self._running is not None:
            clip = self._running.clip = self._running.clip.at_work(state, percent)
            self._changed(clip.consultation_id)

    async def _refused(self, clip: Clip, reason: str) -> None:
        log.warning("clip.refused", consultation=clip.consultation_id, clip=clip.id, reason=reason)
        tries = self._tries[clip.id] = self._tries.get(clip.id, 0) + 1
        if reason == "worker_ended" and tries < _TRIES:
            await asyncio.sleep(_AGAIN_S)
            return
        del self._tries[clip.id]
        refused = clip.refused(self._clock.wall_ms(), reason)
        await self._written(refused, "clip.refused", {"reason": reason})

    async def _written(self, clip: Clip, action: str, said: dict[str, Value]) -> None:
        """Minutes of work wait for a database in trouble; what was deleted meanwhile is forgotten."""
        while True:
            try:
                async with self._storage.transaction() as unit:
                    known = await unit.clips.get(clip.id)
                    if known is not None:
                        await unit.clips.save([clip])
                        await unit.audit.append(self._entry(SYSTEM, action, clip, said))
                break
            except ConferenceError as error:
                log.warning("clip.delayed", clip=clip.id, code=error.code)
                await asyncio.sleep(_AGAIN_S)
        if known is None or clip.state is ClipState.REFUSED:
            await self._store.remove(clip.path, clip.poster_path)
        await self._store.remove(clip.original_path)

    # ── helpers ─────────────────────────────────────────────────────────────────────────────────

    def _changed(self, consultation_id: str) -> None:
        for changed in self._followers:
            changed(consultation_id)

    def _entry(self, by: Actor, action: str, clip: Clip, content: dict[str, Value]) -> AuditEntry:
        return AuditEntry(clip.consultation_id, self._clock.wall_ms(), None, by, action, clip.id, content)


async def _found(unit: UnitOfWork, consultation_id: str, clip_id: str, scope: ClipScope) -> Clip:
    clip = await unit.clips.get(clip_id)
    if clip is None or clip.consultation_id != consultation_id or not scope.holds(clip):
        raise NotFoundError(f"clip {clip_id}")
    return clip


def _require_editable(consultation: Consultation) -> None:
    if consultation.status in (Status.ENDED, Status.ARCHIVED, Status.CANCELLED):
        raise ConferenceError("invalid_state", f"{consultation.status} plays no clips")
