"""A moderator clears a flood of 2,000 comments in at most 120 actions, and lets nothing pass unseen."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from conference.model.permissions import Role
from tests.support.flood import TOPICS, FloodComment, Kind, flood
from tests.unit.signaling.harness import Client, Signalling, signalling

MOST_ACTIONS: Final = 120
PAGE: Final = 50  # what the desk shows at once
WRITERS: Final = 40  # at once
Json = Any


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Signalling]:
    async with signalling(tmp_path, trusted_proxies=("127.0.0.1",)) as running:
        yield running


async def write(server: Signalling, comments: tuple[FloodComment, ...]) -> dict[str, FloodComment]:
    """Each from a device and an address of its own; by the ids that they got."""
    url = f"{server.url}/api/v1/public/consultations/c/comments"
    waiting, made = iter(enumerate(comments)), dict[str, FloodComment]()

    async def writer(session: aiohttp.ClientSession) -> None:
        for number, comment in waiting:
            body = {"nickname": f"网友{number}", "text": comment.text, "key": f"flood-{number:04d}"}
            headers = {"X-Forwarded-For": f"198.51.{number // 250}.{number % 250 + 1}"}
            async with session.post(url, json=body, headers=headers) as response:
                assert response.status == 202, await response.text()
                made[(await response.json())["id"]] = comment

    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(WRITERS):
            group.create_task(writer(session))
    return made


class Moderator:
    """Somebody at a desk who reads what is shown, and knows of each comment that was read what it is.

    Every request is an action, and every row that is marked among others; only what moves up when rows have gone does
    so by itself. `read`: ids of comments whose own words were before the eyes. `decided_unread`: what went along with
    a row that stands for several.
    """

    def __init__(self, desk: Client, written: dict[str, FloodComment]) -> None:
        self._desk = desk
        self._written = written
        self.actions: Counter[str] = Counter()
        self.read: set[str] = set()
        self.decided_unread: set[str] = set()

    @property
    def effort(self) -> int:
        return sum(self.actions.values())

    async def _ask(self, request: str, body: Json = None, *, by_itself: bool = False) -> Json:
        self.actions[request] += not by_itself
        while not (ack := await self._desk.call(request, body))["ok"]:
            assert ack["error"]["code"] == "rate_limited", ack  # nobody reads that fast
            await asyncio.sleep(0.1)
        return ack["data"]

    def _looks(self, rows: list[Json]) -> tuple[list[Json], list[Json]]:
        """Reads the rows; the harmless ones, and those that nobody should see."""
        good, bad = list[Json](), list[Json]()
        for row in rows:
            comment_id = row["representative"]["id"]
            self.read.add(comment_id)
            (bad if self._written[comment_id].kind is Kind.VIOLATION else good).append(row)
        return good, bad

    async def _decide(self, decision: str, body: Json) -> None:
        decided = await self._ask(f"comment.{decision}", body)
        self.decided_unread |= set(decided["ids"]) - self.read

    async def _page(self, state: str, *, by_itself: bool = False, **more: Json) -> Json:
        return await self._ask(
            "comments.list", {"states": [state], "limit": PAGE, **more}, by_itself=by_itself
        )

    async def _mark(self, decision: str, rows: list[Json]) -> None:
        """Decides about some rows of those that are shown; each is marked by hand."""
        if rows:
            self.actions["mark"] += len(rows)
            ids = [row["representative"]["id"] for row in rows]
            await self._decide(decision, {"ids": ids, "group": True, "reason": "审核"})

    async def clear(self) -> None:
        topics = (await self._ask("comments.topics"))["topics"]
        for topic in topics:
            if topic["waiting"] > PAGE // 2:  # smaller ones are read page by page, with others
                await self._clear_topic(topic)
        await self._clear_pages("pending", otherwise="approve")
        await self._clear_pages("held", otherwise="reject")

    async def _clear_topic(self, topic: Json) -> None:
        """Reads all of it, turns down what does not belong before the public, and lets the rest through at once."""
        after: str | None = None
        bad, good = list[Json](), list[Json]()
        while True:
            page = await self._page("pending", topic=topic["id"], after=after)
            more_good, more_bad = self._looks(page["items"])
            good, bad = good + more_good, bad + more_bad
            if (after := page["next"]) is None:
                break
        await self._mark("reject", bad)
        if good:
            left = topic["waiting"] - waiting(bad)
            await self._decide(
                "approve", {"topic": topic["id"], "waiting": left, "up_to": page["counts"]["last_number"]}
            )

    async def _clear_pages(self, state: str, *, otherwise: str) -> None:
        """A page after the other: the exceptions are marked, the rest goes at once."""
        page = await self._page(state)
        while page["items"]:
            good, bad = self._looks(page["items"])
            exceptions, rest = (bad, good) if otherwise == "approve" else (good, bad)
            await self._mark("reject" if otherwise == "approve" else "approve", exceptions)
            if rest:
                await self._decide(otherwise, batch(rest))
            page = await self._page(state, by_itself=True)


def waiting(rows: list[Json]) -> int:
    return sum(row["states"].get("pending", 0) + row["states"].get("held", 0) for row in rows)


def batch(rows: list[Json]) -> Json:
    return {"groups": [row["id"] for row in rows], "waiting": waiting(rows), "reason": "审核"}


async def states(server: Signalling, written: dict[str, FloodComment]) -> dict[str, str]:
    """What became of each, as REST lists them."""
    found: dict[str, str] = {}
    after: str | None = ""
    headers = {"Authorization": f"Bearer {server.token(Role.SECRETARIAT)}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        while after is not None:
            query = {"limit": "200"} | ({"after": after} if after else {})
            url = f"{server.url}/api/v1/consultations/c/comments"
            async with session.get(url, params=query) as response:
                page = await response.json()
            found |= {each["id"]: each["state"] for each in page["items"]}
            after = page["next"]
    return found


def test_the_flood_is_as_it_is_said_to_be() -> None:
    comments = flood()
    kinds = Counter(each.kind for each in comments)
    assert kinds == {Kind.TOPIC: 1_740, Kind.SINGLETON: 200, Kind.VIOLATION: 60}
    assert len({each.subject for each in comments if each.kind is Kind.TOPIC}) == TOPICS
    assert len({each.text for each in comments}) == len(comments) == 2_000
    assert all(0 < len(each.text) <= 300 for each in comments)


async def test_a_flood_is_cleared_in_few_actions(server: Signalling) -> None:
    written = await write(server, flood())
    moderator = Moderator(await server.desk(Role.MODERATOR, "陈审核"), written)
    await moderator.clear()

    became = await states(server, written)
    assert became.keys() == written.keys()
    outcomes = Counter((comment.kind, became[comment_id]) for comment_id, comment in written.items())
    assert outcomes == {
        (Kind.TOPIC, "approved"): 1_740,
        (Kind.SINGLETON, "approved"): 200,
        (Kind.VIOLATION, "rejected"): 60,
    }
    swept = {written[each].text for each in moderator.decided_unread if written[each].kind is Kind.SINGLETON}
    assert not swept, "decided without having been shown"
    assert moderator.effort <= MOST_ACTIONS, moderator.actions
    print(f"{moderator.effort} actions: {dict(moderator.actions)}")
