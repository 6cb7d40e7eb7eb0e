"""Cameras of venues: written down, changed, tried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from conference.clock import Clock
from conference.ingest_events import IngestFailed, IngestJob, IngestLook, Transport
from conference.model.audit import AuditEntry, Value
from conference.model.camera import MAX_CAMERAS, Camera, CameraTransport
from conference.model.camera_address import CameraAddress
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.ids import new_id
from conference.model.permissions import Action, require
from conference.services.ports import Ingests, Sealer, Storage, UnitOfWork
from conference.services.preparing import changes_between, preparable
from conference.services.trace import Bearer

_LOOKS_AT_ONCE: Final = 2
_TOLD: Final = ("label", "transport", "with_sound", "is_main", "enabled")
_CREDENTIALS: Final = ("address", "user", "password")


@dataclass(frozen=True, slots=True)
class CameraDraft:
    """What is said of a new camera. User and password may stand in the address instead."""

    label: str
    address: str
    user: str | None = None
    password: str | None = None
    transport: CameraTransport = CameraTransport.TCP
    with_sound: bool = False


class Cameras:
    """Every change of a camera by a person goes through here."""

    def __init__(self, storage: Storage, clock: Clock, sealer: Sealer, ingests: Ingests) -> None:
        self._storage = storage
        self._clock = clock
        self._sealer = sealer
        self._ingests = ingests
        self._looks = 0
        self._followers: list[Callable[[str], None]] = []

    def follow(self, changed: Callable[[str], None]) -> None:
        """Call `changed` with the consultation whose cameras are others now; it never waits."""
        self._followers.append(changed)

    async def of_venue(self, consultation_id: str, venue_id: str) -> list[Camera]:
        """By position."""
        async with self._storage.reading() as unit:
            await require_venue(unit, consultation_id, venue_id)
            return [each for each in await unit.cameras.of(consultation_id) if each.venue_id == venue_id]

    async def add(self, consultation_id: str, by: Bearer, venue_id: str, draft: CameraDraft) -> Camera:
        """A new one behind the others. The first of a venue is its main one."""
        require(by.role, Action.VENUE_EDIT)
        said = {name: getattr(draft, name) for name in _CREDENTIALS if getattr(draft, name) is not None}
        address = _addressed(None, said)
        async with self._storage.transaction() as unit:
            others = await self._others(unit, consultation_id, venue_id)
            if len(others) >= MAX_CAMERAS:
                raise ConferenceError("too_many_cameras", f"{len(others)} cameras")
            camera = Camera(
                id=new_id("m"),
                consultation_id=consultation_id,
                venue_id=venue_id,
                position=await unit.cameras.next_position(venue_id),
                label=draft.label,
                address=address.shown(),
                sealed_address=self._sealer.seal(address.url()),
                has_password=address.password is not None,
                transport=draft.transport,
                with_sound=draft.with_sound,
                is_main=not others,
                enabled=True,
                created_at_ms=self._clock.wall_ms(),
            )
            content: dict[str, Value] = {
                "venue": venue_id,
                "label": camera.label,
                "place": address.place,
                "transport": camera.transport.value,
                "with_sound": camera.with_sound,
                "is_main": camera.is_main,
            }
            await self._save(unit, by, "camera.added", camera, content)
        self._changed(consultation_id)
        return camera

    async def edit(
        self, consultation_id: str, by: Bearer, venue_id: str, camera_id: str, changes: Mapping[str, Any]
    ) -> Camera:
        """What is not named stays. An address of another machine needs its own user and password."""
        require(by.role, Action.VENUE_EDIT)
        async with self._storage.transaction() as unit:
            others = await self._others(unit, consultation_id, venue_id)
            before = self._among(others, camera_id)
            camera = replace(before, **{name: changes[name] for name in _TOLD if name in changes})
            if before.is_main:
                camera = replace(camera, is_main=True)  # until another one is named
            content = changes_between(before, camera, _TOLD, ())
            if any(name in changes for name in _CREDENTIALS):
                camera, told = self._readdressed(camera, changes)
                content.update(told)
            if camera == before:
                return before
            demoted = [replace(each, is_main=False) for each in others if camera.is_main and each.is_main]
            await self._save(
                unit,
                by,
                "camera.edited",
                camera,
                content,
                *(each for each in demoted if each.id != camera_id),
            )
        self._changed(consultation_id)
        return camera

    async def remove(self, consultation_id: str, by: Bearer, venue_id: str, camera_id: str) -> None:
        """Its address is forgotten; where it was the main one, the next takes its place."""
        require(by.role, Action.VENUE_EDIT)
        async with self._storage.transaction() as unit:
            others = await self._others(unit, consultation_id, venue_id)
            camera = self._among(others, camera_id)
            rest = [each for each in others if each.id != camera_id]
            heirs = [replace(rest[0], is_main=True)] if camera.is_main and rest else []
            content: dict[str, Value] = {"venue": venue_id, "label": camera.label}
            if heirs:
                content["main"] = heirs[0].id
            retired = camera.retired(self._clock.wall_ms())
            await self._save(unit, by, "camera.removed", retired, content, *heirs)
        self._changed(consultation_id)

    async def look(
        self, consultation_id: str, by: Bearer, venue_id: str, camera_id: str
    ) -> IngestLook | IngestFailed:
        """One picture of it, or why there is none, beside whatever else is done with it; camera_busy while others are
        looked at. Changes nothing."""
        require(by.role, Action.VENUE_EDIT)
        async with self._storage.reading() as unit:
            await preparable(unit, consultation_id)
            await require_venue(unit, consultation_id, venue_id)
            camera = self._among(await unit.cameras.of(consultation_id), camera_id)
            if camera.venue_id != venue_id:
                raise NotFoundError(f"camera {camera_id}")
        if self._looks >= _LOOKS_AT_ONCE:
            raise ConferenceError("camera_busy")
        job = IngestJob(
            ingest_id=new_id("look"),
            room_id=consultation_id,
            participant_id="",
            url=self._sealer.open(camera.sealed_address),
            transport=Transport(camera.transport.value),
            label=camera.label,
            want_sound=camera.with_sound,
        )
        self._looks += 1
        try:
            return await self._ingests.look(job)
        finally:
            self._looks -= 1

    # ── addresses ───────────────────────────────────────────────────────────────────────────────

    def _readdressed(self, camera: Camera, changes: Mapping[str, Any]) -> tuple[Camera, dict[str, Value]]:
        """With the address as it will be, and what the trace is told of it."""
        kept = self._kept(camera)
        address = _addressed(kept, changes)
        if address == kept:
            return camera, {}
        camera = replace(
            camera,
            address=address.shown(),
            sealed_address=self._sealer.seal(address.url()),
            has_password=address.password is not None,
        )
        if kept is not None and kept.place == address.place:
            return camera, {"address": "changed"}
        old = "" if kept is None else kept.place
        return camera, {"place": {"old": old, "new": address.place}}

    def _kept(self, camera: Camera) -> CameraAddress | None:
        """None for one that another server's key sealed: it has to be written anew."""
        try:
            return CameraAddress.parsed(self._sealer.open(camera.sealed_address))
        except ConferenceError:
            return None

    # ── rows ────────────────────────────────────────────────────────────────────────────────────

    async def _others(self, unit: UnitOfWork, consultation_id: str, venue_id: str) -> list[Camera]:
        """All cameras of a venue, which may be changed now."""
        await preparable(unit, consultation_id)
        await require_venue(unit, consultation_id, venue_id)
        return [each for each in await unit.cameras.of(consultation_id) if each.venue_id == venue_id]

    @staticmethod
    def _among(cameras: list[Camera], camera_id: str) -> Camera:
        for each in cameras:
            if each.id == camera_id:
                return each
        raise NotFoundError(f"camera {camera_id}")

    async def _save(
        self,
        unit: UnitOfWork,
        by: Bearer,
        action: str,
        camera: Camera,
        content: Mapping[str, Value],
        *also: Camera,
    ) -> None:
        await unit.cameras.save([camera, *also])
        now_ms = self._clock.wall_ms()
        await unit.audit.append(
            AuditEntry(camera.consultation_id, now_ms, None, by.actor, action, camera.id, content)
        )

    def _changed(self, consultation_id: str) -> None:
        for follow in self._followers:
            follow(consultation_id)


async def require_venue(unit: UnitOfWork, consultation_id: str, venue_id: str) -> None:
    """Raises not_found for one of another consultation, or one that was removed."""
    venue = await unit.venues.get(venue_id)
    if venue is None or venue.consultation_id != consultation_id or venue.removed_at_ms is not None:
        raise NotFoundError(f"venue {venue_id}")


def _addressed(kept: CameraAddress | None, said: Mapping[str, Any]) -> CameraAddress:
    """The address that is meant: what is not said stays as it was, user and password for the same machine alone."""
    if "address" not in said and kept is None:
        raise ConferenceError("camera_address_wrong", "nothing is kept")
    given = CameraAddress.parsed(said["address"]) if "address" in said else kept
    assert given is not None
    address = given.completed(kept)
    user, password = address.user, address.password
    if user is None and password is None and kept is not None and address.is_same_machine(kept):
        user, password = kept.user, kept.password
    if "user" in said:
        user = said["user"]
    if "password" in said:
        password = said["password"]
    return address.with_credentials(user, password)
