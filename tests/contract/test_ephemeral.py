"""What every store of rates and of presence promises, in memory and in Redis; and what Redis adds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from structlog.testing import capture_logs

from conference.clock import SystemClock
from conference.model.claim import Elsewhere, Hold, NodeState
from conference.model.limit import Limit
from conference.services.ports import PresenceRegistry, RateLimits
from conference.storage.ephemeral.claims import RedisPresence
from conference.storage.ephemeral.memory import MemoryPresence, MemoryRateLimits
from conference.storage.ephemeral.redis import PREFIX, RedisGoneError, RedisLink, RedisRateLimits
from tests.support.eventually import eventually
from tests.support.redis_server import RedisServer

LONG = Limit("long", 3, 60.0)
SHORT = Limit("short", 2, 0.3)
CLAIM_MS = 60_000


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest.fixture
async def open_link(server: RedisServer) -> AsyncIterator[Callable[..., RedisLink]]:
    """Links of several nodes to one empty Redis."""
    links: list[RedisLink] = []

    def link(patience_s: float = 10.0) -> RedisLink:
        links.append(RedisLink(server.url, patience_s))  # a busy machine is no lost Redis
        return links[-1]

    await link().run(lambda redis: redis.flushall())
    yield link
    for each in links:
        await each.close()


@pytest.fixture(params=["memory", "redis"])
def rates(request: pytest.FixtureRequest) -> RateLimits:
    alone = MemoryRateLimits(SystemClock())
    if request.param == "memory":
        return alone
    return RedisRateLimits(request.getfixturevalue("open_link")(), alone)


@pytest.fixture(params=["memory", "redis"])
def registry(request: pytest.FixtureRequest) -> PresenceRegistry:
    if request.param == "memory":
        return MemoryPresence("a")
    return RedisPresence(request.getfixturevalue("open_link")(), "a")


# ── rates ───────────────────────────────────────────────────────────────────────────────────────


async def test_as_many_as_the_limit_says(rates: RateLimits) -> None:
    assert [await rates.remaining(LONG, "k")] + [await rates.hit(LONG, "k") for _ in range(3)] == [3, 0, 0, 0]
    assert await rates.remaining(LONG, "k") == 0
    wait_s = await rates.hit(LONG, "k")
    assert 50 < wait_s <= 60
    assert await rates.hit(LONG, "k") <= wait_s, "what is refused does not count"


async def test_keys_and_limits_are_counted_apart(rates: RateLimits) -> None:
    for _ in range(3):
        await rates.hit(LONG, "k")
    assert await rates.remaining(LONG, "l") == 3
    assert await rates.remaining(Limit("other", 3, 60.0), "k") == 3
    assert await rates.hit(LONG, "钥匙 k:*") == 0.0


async def test_reset_forgets_one_key(rates: RateLimits) -> None:
    for key in "kkkll":
        await rates.hit(LONG, key)
    await rates.reset(LONG, "k")
    await rates.reset(LONG, "never seen")
    assert [await rates.remaining(LONG, key) for key in "kl"] == [3, 1]


async def test_hits_leave_the_window(rates: RateLimits) -> None:
    assert [await rates.hit(SHORT, "k") for _ in range(2)] == [0.0, 0.0]
    await eventually(lambda: rates.hit(SHORT, "k"), lambda wait_s: wait_s == 0.0, every_s=0.01)


async def test_many_at_once_are_counted_exactly(rates: RateLimits) -> None:
    many = Limit("many", 10, 60.0)
    waits = await asyncio.gather(*(rates.hit(many, "k") for _ in range(50)))
    assert waits.count(0.0) == 10


async def test_nodes_count_together(open_link: Callable[[], RedisLink]) -> None:
    first, second = (RedisRateLimits(open_link(), MemoryRateLimits(SystemClock())) for _ in range(2))
    assert [await first.hit(LONG, "k"), await second.hit(LONG, "k"), await first.hit(LONG, "k")] == [0, 0, 0]
    assert await second.hit(LONG, "k") > 50


async def test_without_redis_each_node_counts_for_itself(
    server: RedisServer, open_link: Callable[..., RedisLink]
) -> None:
    link = open_link(1.0)
    rates = RedisRateLimits(link, MemoryRateLimits(SystemClock()))
    await rates.hit(LONG, "k")
    server.pause()
    try:
        assert [await rates.hit(LONG, "k") for _ in range(3)] == [0.0, 0.0, 0.0]
        assert not link.is_up
        assert await rates.hit(LONG, "k") > 50
        assert await rates.remaining(LONG, "k") == 0
        with pytest.raises(RedisGoneError):
            await link.run(lambda redis: redis.ping(), probe=True)
    finally:
        server.go_on()
    await link.run(lambda redis: redis.ping(), probe=True)
    assert await rates.remaining(LONG, "k") <= 2


# ── presence ────────────────────────────────────────────────────────────────────────────────────


async def test_a_room_is_claimed_kept_and_released(registry: PresenceRegistry) -> None:
    assert await registry.claim("r", only_ours=True) == Hold("", is_ours=False)
    assert await registry.claim("r") == Hold("a", is_ours=True, is_new=True)
    assert await registry.claim("r", only_ours=True) == Hold("a", is_ours=True, is_new=False)
    assert await registry.claim("r") == Hold("a", is_ours=True, is_new=False)
    assert await registry.renew({"r": 3, "never claimed": 0}) == set()
    assert dict(registry.elsewhere()) == {}
    await registry.release("r")
    await registry.release("never claimed either")
    assert await registry.claim("r") == Hold("a", is_ours=True, is_new=True)
    assert registry.is_up


@pytest.fixture
def nodes(open_link: Callable[[], RedisLink]) -> Callable[[str], RedisPresence]:
    return lambda name: RedisPresence(open_link(), name, CLAIM_MS)


async def test_one_of_two_gets_the_room(nodes: Callable[[str], RedisPresence]) -> None:
    both = [nodes("a"), nodes("b")]
    for room in "12345678":
        holds = await asyncio.gather(*(node.claim(room) for node in both))
        assert sorted(hold.is_ours for hold in holds) == [False, True]
        winner = both[[hold.is_ours for hold in holds].index(True)].node
        assert {hold.node for hold in holds} == {winner}


async def test_others_see_who_is_where(nodes: Callable[[str], RedisPresence]) -> None:
    a, b = nodes("a"), nodes("b")
    await a.claim("r")
    await a.renew({"r": 7})
    assert await b.renew({}) == set()
    assert b.elsewhere() == {"r": Elsewhere("a", 7)}
    await a.release("r")
    await b.renew({})
    assert b.elsewhere() == {}
    assert (await b.claim("r")).is_ours


async def test_nodes_know_of_each_other(open_link: Callable[[], RedisLink]) -> None:
    a = RedisPresence(open_link(), "a", CLAIM_MS, url="http://10.0.0.1:8080")
    b, gone = RedisPresence(open_link(), "b", CLAIM_MS), RedisPresence(open_link(), "gone", claim_ms=50)
    await a.claim("r")
    await a.renew({"r": 7, "s": 2}, is_draining=True)
    await gone.renew({})
    await b.renew({})
    assert a.nodes() == (), "nobody else was there yet"
    mine = NodeState("a", "http://10.0.0.1:8080", rooms=2, present=9, is_draining=True)

    async def seen_by_b() -> tuple[NodeState, ...]:
        await b.renew({})
        return b.nodes()

    await eventually(seen_by_b, lambda nodes: nodes == (mine,))
    assert b.elsewhere()["r"] == Elsewhere("a", 7, "http://10.0.0.1:8080")
    await a.renew({})
    assert a.nodes() == (NodeState("b", None, rooms=0, present=0, is_draining=False),)


async def test_who_is_refused_learns_where_the_room_is(open_link: Callable[[], RedisLink]) -> None:
    a = RedisPresence(open_link(), "a", CLAIM_MS, url="http://10.0.0.1:8080")
    b = RedisPresence(open_link(), "b", CLAIM_MS)
    await a.claim("r")
    assert not (await b.claim("r")).is_ours
    assert b.elsewhere()["r"].url == "http://10.0.0.1:8080"


async def test_a_second_node_of_one_name_is_reported_once(open_link: Callable[[], RedisLink]) -> None:
    one, two = (RedisPresence(open_link(), "a", CLAIM_MS) for _ in range(2))
    with capture_logs() as lines:
        await one.renew({})
        await two.renew({})
        assert lines == [], "as after a restart"
        for _ in range(5):
            await one.renew({})
            await two.renew({})
    assert [line["event"] for line in lines] == ["node.name_taken"] * 2, "by each of the two"


async def test_renewing_puts_off_the_end(open_link: Callable[[], RedisLink]) -> None:
    link = open_link()
    a = RedisPresence(link, "a", CLAIM_MS)
    await a.claim("r")

    async def left_ms() -> int:
        return await link.run(lambda redis: redis.pttl(f"{PREFIX}room:r"))

    before_ms = await eventually(left_ms, lambda ms: 0 < ms < CLAIM_MS - 20, every_s=0.01)
    await a.renew({"r": 1})
    assert before_ms < await left_ms() <= CLAIM_MS


async def test_a_claim_that_nobody_renews_expires(open_link: Callable[[], RedisLink]) -> None:
    a, b = (RedisPresence(open_link(), name, claim_ms=200) for name in "ab")
    await a.claim("r")
    await eventually(lambda: b.claim("r"), lambda hold: hold.is_new, every_s=0.02)


async def test_a_lost_room_is_noticed(open_link: Callable[[], RedisLink]) -> None:
    a, b = RedisPresence(open_link(), "a", claim_ms=1), RedisPresence(open_link(), "b", CLAIM_MS)
    await a.claim("r")
    await eventually(lambda: b.claim("r"), lambda hold: hold.is_ours, every_s=0.01)
    assert await a.renew({"r": 1, "s": 1}) == {"r"}
    assert await a.claim("r") == Hold("b", is_ours=False)
    await a.release("r")
    assert await b.renew({"r": 1}) == set(), "b's claim is not a's to give up"


async def test_a_node_that_comes_back_has_its_rooms(nodes: Callable[[str], RedisPresence]) -> None:
    await nodes("a").claim("r")
    again = nodes("a")
    assert await again.claim("r") == Hold("a", is_ours=True, is_new=False)
    assert await again.renew({"r": 1}) == set()


async def test_two_nodes_of_one_name_are_found_out(nodes: Callable[[str], RedisPresence]) -> None:
    one, two = nodes("a"), nodes("a")
    await one.claim("r")
    await two.claim("r")
    assert await one.renew({"r": 1}) == {"r"}


async def test_without_redis_rooms_stay_where_they_were(
    server: RedisServer, nodes: Callable[[str], RedisPresence]
) -> None:
    a, b = nodes("a"), nodes("b")
    await a.claim("r")
    await b.renew({})
    server.kill()
    try:
        assert await b.claim("r") == Hold("a", is_ours=False)
        assert (await a.claim("r")).is_ours
        assert await a.claim("s", only_ours=True) == Hold("", is_ours=False)
        assert await a.claim("s") == Hold("a", is_ours=True, is_new=True)
        assert await a.renew({"r": 1, "s": 1}) == set()
        await a.release("s")
        assert not a.is_up
    finally:
        server.start()
    assert await a.renew({"r": 2}) == set(), "an empty Redis gets the claims again"
    assert a.is_up
    assert await b.renew({}) == set()
    assert b.elsewhere() == {"r": Elsewhere("a", 2)}
