"""Fifty come in at once, forty a second, and nobody who is inside misses anything.

Two hundred of them, and how long it all takes, are for benchmarks/join_storm.py.
"""

from __future__ import annotations

import pytest

from tests.support.server import Server
from tests.support.storm_room import storm


@pytest.mark.timeout(180)
async def test_all_come_in_and_nothing_is_lost_for_those_inside(server: Server) -> None:
    outcome = await storm(server, joiners=50, per_s=40)
    assert [each.failure for each in outcome.joined if each.failure] == []
    assert all(each.media_ms > 0 for each in outcome.joined)
    assert outcome.seen.missing == 0
    assert outcome.seen.packets > 1000, "pictures went on meanwhile"
