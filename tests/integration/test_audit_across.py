"""The trace across consultations through its door: pages, and places that are none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest

from conference.model.permissions import Role
from tests.integration.test_permission_doors import session_of
from tests.integration.test_rules import Office
from tests.unit.signaling.harness import signalling


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with signalling(tmp_path) as server, aiohttp.ClientSession() as http:
        yield Office(http, server, await session_of(server, Role.ADMINISTRATOR))


async def test_page_after_page_is_the_whole_once(office: Office) -> None:
    for number in range(1, 6):
        await office.put(max_live=number)
    _, whole = await office.ask("GET", "/audit")
    assert sum(each["line"]["action"] == "rules.changed" for each in whole["items"]) == 5
    found, before = [], ""
    while True:
        status, page = await office.ask("GET", f"/audit?limit=2{before}")
        assert status == 200
        found += page["items"]
        if page["next"] is None:
            break
        before = f"&before={quote(page['next'])}"
    assert found == whole["items"]


@pytest.mark.parametrize(
    "before",
    [
        "",
        "x",
        "1.2",
        "1.2.",
        "-1.2.staff",
        "1.2e3.staff",
        "１.2.staff",
        f"{'9' * 20}.1.staff",
        "1.1." + "x" * 65,
    ],
)
async def test_a_place_that_is_none_is_refused(office: Office, before: str) -> None:
    status, answer = await office.ask("GET", f"/audit?before={quote(before)}")
    assert (status, answer["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("before", "is_found"), [(f"{'9' * 19}.{'9' * 19}.staff", True), ("0.0.staff", False)]
)
async def test_a_place_beyond_all_ends_is_one(office: Office, before: str, *, is_found: bool) -> None:
    status, page = await office.ask("GET", f"/audit?before={before}")
    assert (status, bool(page["items"]), page["next"]) == (200, is_found, None)
