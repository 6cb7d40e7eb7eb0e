"""Which node holds which room, and which nodes there are, in Redis."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog

from conference.model.claim import Elsewhere, Hold, NodeState
from conference.storage.ephemeral.redis import PREFIX, RedisGoneError, RedisLink

log = structlog.get_logger(__name__)

CLAIM_MS: Final = 6_000  # a node that is gone holds its rooms for this long; it renews every two seconds

# A claim is a key that expires, its value a JSON of node, life (of the process), url and how many are present. The
# sorted set beside it lists the claims by the time at which they expire. A node's own record is kept in the same way.
_CLAIM: Final = """
local key, fresh = ARGV[1] .. 'room:' .. ARGV[2], ARGV[5]
if ARGV[6] == '0' and redis.call('SET', key, fresh, 'NX', 'PX', ARGV[4]) then
  local time = redis.call('TIME')
  redis.call('ZADD', ARGV[1] .. 'rooms', time[1] * 1000 + ARGV[4], ARGV[2])
  return {'new', ''}
end
local held = redis.call('GET', key)
if held and cjson.decode(held).node == ARGV[3] then
  redis.call('SET', key, fresh, 'PX', ARGV[4])
  return {'kept', ''}
end
return {'refused', held or ''}
"""
_DOUBLES: Final = 3  # our own former life is seen once

_RELEASE: Final = """
local key = ARGV[1] .. 'room:' .. ARGV[2]
local held = redis.call('GET', key)
if held and cjson.decode(held).life == ARGV[3] then
  redis.call('DEL', key)
  redis.call('ZREM', ARGV[1] .. 'rooms', ARGV[2])
end
"""
_RENEW: Final = """
local prefix, ttl, record = ARGV[1], ARGV[2], ARGV[3]
local own, time = cjson.decode(record), redis.call('TIME')
local now, lost, elsewhere, nodes, double = time[1] * 1000, {}, {}, {}, false
local function tidy(index)
  redis.call('ZREMRANGEBYSCORE', index, '-inf', '(' .. now - 1000)
  return ipairs(redis.call('ZRANGE', index, 0, -1))
end
for i = 4, #ARGV, 2 do
  local held = redis.call('GET', prefix .. 'room:' .. ARGV[i])
  if held and cjson.decode(held).life ~= own.life then
    lost[#lost + 1] = {ARGV[i], cjson.decode(held).node}
  else
    local fresh = {node = own.node, life = own.life, url = own.url, present = tonumber(ARGV[i + 1])}
    redis.call('SET', prefix .. 'room:' .. ARGV[i], cjson.encode(fresh), 'PX', ttl)
    redis.call('ZADD', prefix .. 'rooms', now + ttl, ARGV[i])
  end
end
for _, room in tidy(prefix .. 'rooms') do
  local held = redis.call('GET', prefix .. 'room:' .. room)
  if held then
    local claim = cjson.decode(held)
    if claim.node ~= own.node then
      elsewhere[#elsewhere + 1] = {room, claim.node, claim.present, claim.url}
    end
  end
end
local before = redis.call('GET', prefix .. 'node:' .. own.node)
double = before and cjson.decode(before).life ~= own.life
redis.call('SET', prefix .. 'node:' .. own.node, record, 'PX', ttl)
redis.call('ZADD', prefix .. 'nodes', now + ttl, own.node)
for _, name in tidy(prefix .. 'nodes') do
  local other = name ~= own.node and redis.call('GET', prefix .. 'node:' .. name)
  if other then
    nodes[#nodes + 1] = cjson.decode(other)
  end
end
return {cjson.encode(lost), cjson.encode(elsewhere), cjson.encode(nodes), double and 1 or 0}
"""


class RedisPresence:
    """Implements services.ports.PresenceRegistry.

    `node` is the same after a restart, so that a node gets its rooms back at once; the life of the process is
    not, so that two nodes of one name are found out.
    """

    def __init__(
        self,
        link: RedisLink,
        node: str,
        claim_ms: int = CLAIM_MS,
        *,
        url: str | None = None,
        keys: Callable[[], str] = str,
    ) -> None:
        """`url`: how the other nodes reach us, None if they are not to send anybody on. `keys`: the fingerprint of our
        keys now."""
        self._link = link
        self._node = node
        self._url = url or ""
        self._keys = keys
        self._life = secrets.token_hex(8)
        self._claim_ms = claim_ms
        self._held: set[str] = set()
        self._elsewhere: dict[str, Elsewhere] = {}
        self._nodes: tuple[NodeState, ...] = ()
        self._doubles = 0

    @property
    def node(self) -> str:
        return self._node

    @property
    def is_shared(self) -> bool:
        return True

    @property
    def is_up(self) -> bool:
        return self._link.is_up

    def elsewhere(self) -> Mapping[str, Elsewhere]:
        return self._elsewhere

    def nodes(self) -> tuple[NodeState, ...]:
        return self._nodes

    async def claim(self, room_id: str, *, only_ours: bool = False) -> Hold:
        value = json.dumps(self._self() | {"present": 0})
        try:
            arguments = (room_id, self._node, self._claim_ms, value, int(only_ours))
            outcome, held = await self._eval(_CLAIM, *arguments)
        except RedisGoneError:
            outcome, held = self._unheard(room_id, only_ours), b""
        if outcome != b"refused":
            self._elsewhere.pop(room_id, None)
            self._held.add(room_id)
            return Hold(self._node, is_ours=True, is_new=outcome == b"new")
        if held:
            claim = json.loads(held)
            self._elsewhere[room_id] = _elsewhere(claim["node"], claim["present"], claim.get("url"))
        other = self._elsewhere.get(room_id)
        return Hold("" if other is None else other.node, is_ours=False)

    def _unheard(self, room_id: str, only_ours: bool) -> bytes:
        """Without Redis what was last heard holds: a room of another node is not opened a second time."""
        if room_id in self._held:
            return b"kept"
        return b"refused" if only_ours or room_id in self._elsewhere else b"new"

    async def release(self, room_id: str) -> None:
        self._held.discard(room_id)
        try:
            await self._eval(_RELEASE, room_id, self._life)
        except RedisGoneError:
            return  # it expires

    async def renew(self, present: Mapping[str, int], *, is_draining: bool = False) -> set[str]:
        record = self._self() | {
            "rooms": len(present),
            "present": sum(present.values()),
            "draining": is_draining,
            "keys": self._keys(),
        }
        pairs = [each for pair in present.items() for each in pair]
        try:
            *lists, double = await self._eval(_RENEW, self._claim_ms, json.dumps(record), *pairs, probe=True)
        except RedisGoneError:
            return set()
        lost, elsewhere, nodes = (json.loads(each) or [] for each in lists)
        self._elsewhere = {str(room): _elsewhere(*claim) for room, *claim in elsewhere}
        self._nodes = tuple(sorted((_node(each) for each in nodes), key=lambda node: node.name))
        self._warn_of_double(bool(double))
        for room, node in lost:
            self._held.discard(room)
            log.error("room.claim_lost", room=room, to=node, same_name=node == self._node)
        return {str(room) for room, _ in lost}

    def _self(self) -> dict[str, Any]:
        return {"node": self._node, "life": self._life, "url": self._url}

    def _warn_of_double(self, is_double: bool) -> None:
        """Once what our life before left is overwritten, another life under our name is another node."""
        self._doubles += is_double
        if is_double and self._doubles == _DOUBLES:
            log.error("node.name_taken", node=self._node)

    async def _eval(self, script: str, *arguments: str | int, probe: bool = False) -> Any:
        return await self._link.run(lambda redis: redis.eval(script, 0, PREFIX, *arguments), probe=probe)


def _elsewhere(node: str, present: float, url: str | None = None) -> Elsewhere:
    return Elsewhere(str(node), int(present), url or None)


def _node(record: Mapping[str, Any]) -> NodeState:
    return NodeState(
        name=str(record["node"]),
        url=record.get("url") or None,
        rooms=int(record["rooms"]),
        present=int(record["present"]),
        is_draining=bool(record["draining"]),
        keys=str(record.get("keys", "")),
    )


async def nodes_heard(link: RedisLink) -> tuple[NodeState, ...]:
    """All nodes that live, for whoever is none. Raises RedisGoneError."""
    names: list[bytes] = await link.run(lambda redis: redis.zrange(f"{PREFIX}nodes", 0, -1), probe=True)
    records: list[bytes | None] = []
    if names:
        places = [f"{PREFIX}node:{name.decode()}" for name in names]
        records = await link.run(lambda redis: redis.mget(places))
    return tuple(_node(json.loads(each)) for each in records if each)
