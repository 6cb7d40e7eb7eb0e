"""The store beside a real journal: read, kept up while it is read, forgotten and read again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from recording.hls import store as store_module
from recording.hls.playlist import Style, media
from recording.hls.shown import Edge, Shown, View
from recording.hls.store import ProgramStore, ProgramStores, load
from tests.support.hls import media_playlist
from tests.support.program_writer import ProgramWriter

PLAIN = Style(0)


def text_of(store: ProgramStore | None) -> str | None:
    assert store is not None
    return media(store, "720p", View(), PLAIN)


async def test_what_was_told_is_what_the_journal_says(tmp_path: Path) -> None:
    stores = ProgramStores(tmp_path)
    assert await stores.find("c") is None
    writer = ProgramWriter(tmp_path / "c", lambda fact: stores.take("c", fact))
    writer.begin(0)
    store = await stores.find("c")
    assert store is not None
    writer.seconds(2)
    writer.parts(3)
    writer.kill()
    writer.begin(4_000)
    writer.seconds(2)
    writer.end()
    assert text_of(store) == text_of(load(tmp_path / "c"))
    found = media_playlist(text_of(store) or "")
    assert [each.duration_ms for each in found.segments] == [1000, 1000, 600, 1000, 1000]
    for each in found.segments:
        assert (tmp_path / "c" / each.uri).is_file()


async def test_facts_that_come_while_the_journal_is_read_are_not_lost(tmp_path: Path) -> None:
    stores = ProgramStores(tmp_path)
    writer = ProgramWriter(tmp_path / "c", lambda fact: stores.take("c", fact))
    writer.begin(0)
    writer.seconds(3)
    found = asyncio.gather(stores.find("c"), stores.find("c"))
    await asyncio.sleep(0)
    writer.seconds(2)
    writer.parts(2)
    one, other = await found
    assert one is other
    assert one is not None
    assert Shown(one, "720p", View()).edge == Edge(4, 2)
    assert one.is_running


async def test_who_waits_is_woken_by_a_part_and_at_the_end(tmp_path: Path) -> None:
    stores = ProgramStores(tmp_path)
    writer = ProgramWriter(tmp_path / "c", lambda fact: stores.take("c", fact))
    writer.begin(0)
    writer.seconds(1)
    store = await stores.find("c")
    assert store is not None
    more = store.changed("720p")
    assert more is store.changed("720p")
    writer.parts(1)
    await asyncio.wait_for(more, 1)
    more = store.changed("360p")
    writer.kill()
    await asyncio.wait_for(more, 1)
    more = store.changed("360p")
    await stores.close()
    await asyncio.wait_for(more, 1)


async def test_stores_that_nobody_asks_for_leave_the_memory_and_come_back(tmp_path: Path) -> None:
    stores = ProgramStores(tmp_path, kept=3)
    first: Any = None
    for number in range(4):
        writer = ProgramWriter(tmp_path / f"c{number}")
        writer.begin(0)
        writer.parts(1)
        writer.close()
        first = await stores.find(f"c{number}") if number == 0 else first
        await stores.find(f"c{number}")
    again = await stores.find("c0")
    assert again is not None
    assert again is not first


def test_only_the_newest_slots_remember_their_parts(tmp_path: Path) -> None:
    writer = ProgramWriter(tmp_path / "c")
    writer.begin(0)
    writer.seconds(115)
    store = load(tmp_path / "c")
    assert [bool(slot.segments["720p"].parts) for slot in store.slots] == [False] * 5 + [True] * 110


def test_a_longer_delay_takes_nothing_back(tmp_path: Path) -> None:
    store = ProgramStore(tmp_path)
    assert [store.shown_until(each) for each in (5, 9, 2, 10)] == [5, 9, 9, 10]
    assert store.shown_until(None) is None


async def test_what_another_server_writes_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_LOOK_S", 0.0)
    stores = ProgramStores(tmp_path, is_shared=True)
    writer = ProgramWriter(tmp_path / "c", lambda _fact: None)  # its facts go to the other server
    writer.begin(0)
    writer.seconds(2)
    store = await stores.find("c")
    assert store is not None
    assert store.is_running, "it is not over: the journal is held"
    more = store.changed("720p")
    writer.seconds(2)
    assert await stores.find("c") is store
    assert len(store.slots) == 4
    await asyncio.wait_for(more, 1)
    writer.kill()
    writer.close()
    assert await stores.find("c") is store
    assert not store.is_running
    writer = ProgramWriter(tmp_path / "c", lambda _fact: None)
    writer.begin(6_000)
    writer.seconds(1)
    await asyncio.gather(*(stores.find("c") for _ in range(5)))
    assert text_of(store) == text_of(load(tmp_path / "c"))
    assert "#EXT-X-DISCONTINUITY\n" in (text_of(store) or "")
    await stores.close()


async def test_who_takes_over_has_all_that_was_made_before(tmp_path: Path) -> None:
    """The playlist was asked for here while another server made the program; then that one dies."""
    stores = ProgramStores(tmp_path, is_shared=True)
    there = ProgramWriter(tmp_path / "c", lambda _fact: None)
    there.begin(0)
    there.seconds(1)
    stale = await stores.find("c")
    there.seconds(3)
    there.kill()
    there.close()
    here = ProgramWriter(tmp_path / "c", lambda fact: stores.take("c", fact))
    here.begin(8_000)
    here.seconds(2)
    here.parts(2)
    store = await stores.find("c")
    assert store is not None
    assert store is not stale
    assert [slot.number for slot in store.slots] == [0, 1, 2, 3, 4, 5]
    here.seconds(1)
    assert await stores.find("c") is store
    assert len(store.slots) == 7
    await stores.close()


async def test_a_program_that_another_server_deleted_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_LOOK_S", 0.0)
    stores = ProgramStores(tmp_path, is_shared=True)
    writer = ProgramWriter(tmp_path / "c", lambda _fact: None)
    writer.begin(0)
    writer.seconds(2)
    writer.end()
    assert await stores.find("c") is not None
    (tmp_path / "c" / "journal.jsonl").unlink()
    assert await stores.find("c") is None
    await stores.close()
