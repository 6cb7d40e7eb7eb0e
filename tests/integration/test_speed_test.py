"""How fast bytes come and go: measured by the join page, bounded by the server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from signaling.http.speed_test import AT_ONCE, LASTS_S, MAX_UPLOAD_BYTES, RATE_BPS
from tests.unit.signaling.harness import signalling

PATH = "/api/v1/network-test/bytes"


@pytest.fixture
async def http(tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    async with signalling(tmp_path) as server, aiohttp.ClientSession(server.url) as session:
        yield session


async def test_a_download_is_never_faster_than_what_a_hall_needs(http: aiohttp.ClientSession) -> None:
    began = time.monotonic()
    async with http.get(PATH) as response:
        assert response.status == 200
        body = await response.read()
    took_s = time.monotonic() - began
    assert 0 < len(body) <= RATE_BPS * LASTS_S / 8
    # The head start is over by then.
    assert len(body) * 8 / took_s < RATE_BPS * 1.2
    assert len(set(body)) > 200  # not to be made smaller on the way


async def test_an_upload_is_counted_and_bounded(http: aiohttp.ClientSession) -> None:
    async with http.post(PATH, data=bytes(100_000)) as response:
        assert await response.json() == {"size_bytes": 100_000}
    async with http.post(PATH, data=bytes(MAX_UPLOAD_BYTES + 1)) as response:
        assert (response.status, (await response.json())["code"]) == (413, "too_large")


async def test_so_many_measure_at_once_and_the_next_is_told_when_to_come_again(
    http: aiohttp.ClientSession,
) -> None:
    under_way = [await http.get(PATH) for _ in range(AT_ONCE)]
    async with http.get(PATH) as response:
        problem = await response.json()
        assert (response.status, problem["code"]) == (429, "rate_limited")
        assert problem["retry_after_s"] > 0
    await asyncio.gather(*(each.read() for each in under_way))
    async with http.post(PATH, data=b"x") as response:
        assert response.status == 200
