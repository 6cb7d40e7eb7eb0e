"""What goes on now, for administrators: this server, the nodes beside it, and the consultations in their rooms."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from conference.desk_views import DiskView
from conference.model.claim import Elsewhere
from conference.model.consultation import Consultation, Status
from conference.model.keyset import OLD_MS, KeySet, KeyState
from conference.model.permissions import Action, require
from conference.model.recording import RecordingState
from conference.services.disk_watch import DiskWatch
from conference.services.live_room import LiveRoom
from conference.services.logins import StaffMember
from conference.services.rooms import Rooms
from conference.services.staff import Staff


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What does not change while the server runs. `storage` is the kind of database: sqlite, postgresql."""

    version: str
    storage: str
    started_at_ms: int


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node that is known of. `rooms`: how many it holds, of whatever body; `is_draining`: it opens no more;
    `keys_differ`: what we sign it refuses."""

    name: str
    is_this: bool
    rooms: int
    is_draining: bool = False
    keys_differ: bool = False


@dataclass(frozen=True, slots=True)
class AcceptedKeyView:
    """A key beside the one that signs, and until when it is accepted; UTC ms."""

    id: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class KeysView:
    """The key that signs since `signs_since_ms`, UTC, and those that are accepted beside it; `is_old`: rotate it."""

    id: str
    signs_since_ms: int
    is_old: bool
    accepted: tuple[AcceptedKeyView, ...]


@dataclass(frozen=True, slots=True)
class OngoingView:
    """A consultation that runs, or in whose room somebody is. `present` counts those who are connected.

    `recording` is None where only the node that holds the room knows it; `node` is None while no room is open.
    """

    id: str
    title: str
    organization_id: str | None
    organization: str | None
    status: Status
    started_at_ms: int | None
    node: str | None
    present: int
    waiting: int
    recording: RecordingState | None


@dataclass(frozen=True, slots=True)
class OverviewView:
    """Everything at one moment. `redis` is None where none is configured, `disk` before the first look."""

    server: ServerFacts
    now_ms: int
    redis: bool | None
    disk: DiskView | None
    keys: KeysView
    nodes: tuple[NodeView, ...]
    ongoing: tuple[OngoingView, ...]


class KeyFacts(Protocol):
    """What is known of the keys."""

    @property
    def key_set(self) -> KeySet: ...

    @property
    def differing(self) -> tuple[str, ...]:
        """Names of other nodes that have other keys."""


class Overview:
    """Reads rows and memory; changes nothing."""

    def __init__(
        self, rooms: Rooms, staff: Staff, disk: DiskWatch, keys: KeyFacts, facts: ServerFacts
    ) -> None:
        self._rooms = rooms
        self._staff = staff
        self._disk = disk
        self._keys = keys
        self._facts = facts

    async def look(self, by: StaffMember) -> OverviewView:
        """What `by` may see of it: the own body and those below."""
        require(by.user.role, Action.ORGANIZATION_WATCH)
        registry = self._rooms.registry
        return OverviewView(
            server=self._facts,
            now_ms=self._rooms.clock.wall_ms(),
            redis=registry.is_up if registry.is_shared else None,
            disk=self._disk.seen,
            keys=keys_view(self._keys.key_set, self._rooms.clock.wall_ms()),
            nodes=nodes_of(self._rooms, self._keys.differing),
            ongoing=await self._ongoing(by),
        )

    async def _ongoing(self, by: StaffMember) -> tuple[OngoingView, ...]:
        visible = await self._staff.visible(by)
        elsewhere = self._rooms.registry.elsewhere()
        here = {room.id: room for room in self._rooms.all()}
        async with self._rooms.storage.reading() as unit:
            found = {each.id: each for each in await unit.consultations.live()}
            for consultation_id in (here.keys() | elsewhere.keys()) - found.keys():
                consultation = await unit.consultations.get(consultation_id)
                if consultation is not None:
                    found[consultation_id] = consultation
            names = {each.id: each.name for each in await unit.organizations.all()}
        seen = [each for each in found.values() if each.organization_id in (None, *visible)]
        seen.sort(key=lambda each: (not each.is_running, each.started_at_ms or 0, each.id))
        return tuple(self._view(each, here.get(each.id), elsewhere, names) for each in seen)

    def _view(
        self,
        consultation: Consultation,
        room: LiveRoom | None,
        elsewhere: Mapping[str, Elsewhere],
        names: Mapping[str, str],
    ) -> OngoingView:
        other = None if room is not None else elsewhere.get(consultation.id)
        present, waiting, node = 0, 0, None
        if room is not None:
            present, waiting, node = room.connected, len(room.waiting), self._rooms.registry.node
        elif other is not None:
            present, node = other.present, other.node
        return OngoingView(
            id=consultation.id,
            title=consultation.title,
            organization_id=consultation.organization_id,
            organization=names.get(consultation.organization_id or "", consultation.organization),
            status=consultation.status,
            started_at_ms=consultation.started_at_ms,
            node=node,
            present=present,
            waiting=waiting,
            recording=None if room is None else room.recording,
        )


def keys_view(key_set: KeySet, now_ms: int) -> KeysView:
    """What may be told of them: none of it opens anything."""
    signing = key_set.signing
    accepted = (
        AcceptedKeyView(each.id, each.until_ms)
        for each in reversed(key_set.keys)
        if each.until_ms is not None and each.state(now_ms) is KeyState.ACCEPTED
    )
    return KeysView(signing.id, signing.made_ms, now_ms - signing.made_ms > OLD_MS, tuple(accepted))


def nodes_of(rooms: Rooms, keys_differ: Collection[str] = ()) -> tuple[NodeView, ...]:
    """This node, then the others that live, by name."""
    others = (
        NodeView(each.name, False, each.rooms, each.is_draining, each.name in keys_differ)
        for each in rooms.registry.nodes()
    )
    return (NodeView(rooms.registry.node, True, len(rooms.all()), rooms.is_draining), *others)
