"""The rules of bodies (规则): what each may use, what it uses now, and changing the one."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

from conference.model.audit import STAFF_CHAIN, AuditEntry, Value
from conference.model.errors import ConferenceError, ForbiddenError, NotFoundError
from conference.model.organization import Organization
from conference.model.permissions import Action, require
from conference.model.rules import Fill, Rules, fill_of
from conference.services.logins import StaffMember
from conference.services.rooms import Rooms
from conference.services.staff import Staff
from conference.services.storage_watch import StorageWatch


@dataclass(frozen=True, slots=True)
class ServerRules:
    """What holds where a body has no rule: seats in a room, and days that recordings are kept; 0 for ever."""

    max_participants: int
    retention_days: int


@dataclass(frozen=True, slots=True)
class UseView:
    """What a body uses now: consultations that are live, people connected in its rooms and in the fullest of them, and
    space on the disks.

    `used_bytes` and `measured_at_ms` (UTC) are None until its files were measured once.
    """

    live: int
    present: int
    fullest: int
    used_bytes: int | None
    measured_at_ms: int | None
    fill: Fill


@dataclass(frozen=True, slots=True)
class RulesView:
    """Rules of a body beside what it uses. `may_limit`: whether who asks may change the limits, too."""

    organization: Organization
    rules: Rules
    use: UseView
    may_limit: bool


class RuleBook:
    """For administrators: of the own body and of those below."""

    def __init__(self, rooms: Rooms, staff: Staff, watch: StorageWatch, server: ServerRules) -> None:
        self._rooms = rooms
        self._staff = staff
        self._watch = watch
        self.server = server

    async def look(self, by: StaffMember) -> list[RulesView]:
        """Of every body that `by` may see, in the order of their making."""
        found = await self._staff.organizations(by)
        async with self._rooms.storage.reading() as unit:
            rules = await unit.rules.all()
            live = Counter(each.organization_id for each in await unit.consultations.live())
            owners = await unit.storage_uses.owners()
        rooms: defaultdict[str, list[int]] = defaultdict(list)
        for consultation_id, people in self._present().items():
            rooms[owners.get(consultation_id, "")].append(people)
        uses = await self._watch.uses()
        views = []
        for each in found:
            theirs, used = rules.get(each.id, Rules()), uses.get(each.id)
            used_bytes = None if used is None else used.used_bytes
            use = UseView(
                live=live[each.id],
                present=sum(rooms[each.id]),
                fullest=max(rooms[each.id], default=0),
                used_bytes=used_bytes,
                measured_at_ms=None if used is None else used.measured_at_ms,
                fill=fill_of(used_bytes or 0, theirs.max_storage_bytes),
            )
            views.append(RulesView(each, theirs, use, _may_limit(by, each)))
        return views

    def _present(self) -> dict[str, int]:
        """How many are connected, by consultation, on all nodes."""
        elsewhere = self._rooms.registry.elsewhere()
        found = {consultation_id: each.present for consultation_id, each in elsewhere.items()}
        return found | {room.id: room.connected for room in self._rooms.all()}

    async def change(self, by: StaffMember, organization_id: str, rules: Rules) -> RulesView:
        """Other rules for a body, all four at once.

        Raises forbidden for limits of the own body while another stands above it: who is limited does not lift that
        himself; limit_beyond_server for more seats than the server has; not_found.
        """
        require(by.user.role, Action.ORGANIZATION_MANAGE)
        if rules.max_participants is not None and rules.max_participants > self.server.max_participants:
            limit = self.server.max_participants
            raise ConferenceError("limit_beyond_server", f"{rules.max_participants}", limit=limit)
        visible = await self._staff.visible(by)
        async with self._rooms.storage.transaction() as unit:
            organization = await unit.organizations.get(organization_id)
            if organization is None or organization_id not in visible:
                raise NotFoundError(f"organization {organization_id}")
            before = await unit.rules.of(organization_id, lock=True)
            if not before.limits_as(rules) and not _may_limit(by, organization):
                raise ForbiddenError("limited from above only")
            if before != rules:
                await unit.rules.save(organization_id, rules)
                content: dict[str, Value] = {**before.difference(rules)}
                now_ms = self._rooms.clock.wall_ms()
                await unit.audit.append(
                    AuditEntry(STAFF_CHAIN, now_ms, None, by.actor, "rules.changed", organization_id, content)
                )
        await self._watch.tell()
        return next(each for each in await self.look(by) if each.organization.id == organization_id)


def _may_limit(by: StaffMember, organization: Organization) -> bool:
    return organization.id != by.organization.id or organization.parent_id is None
