"""Rows of the transcript on each storage: segments, revisions, coverage, gaps, terms, and what a search finds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.model.terms import Term
from conference.model.transcript import (
    Coverage,
    Gap,
    GapState,
    Revision,
    RevisionKind,
    SpeakerLabel,
    TranscriptSegment,
    Word,
)
from conference.model.transcript_place import Place
from conference.storage.database import Database
from tests.contract.test_storage import consultation

SPEAKER = SpeakerLabel("王建国", Role.MEMBER, "主会场", "教授", is_certain=True)
FULL = TranscriptSegment(
    id="g1",
    consultation_id="c",
    participant_id="p1",
    speaker=SPEAKER,
    start_ms=2**33,
    end_ms=2**33 + 900,
    text="老旧小区，改造。",
    raw="老旧小区改造",
    words=(Word("老旧", 2**33, 2**33 + 300, 0.25), Word("小区改造", 2**33 + 400, 2**33 + 900)),
    engine="vosk zh-small",
    item_id="a1",
    turn_id="t1",
    automatic=(4, 7),
    is_unclear=True,
    proposal="老旧小区的改造",
    other_words=(Word("老旧小区的", 2**33, 2**33 + 400, 0.5),),
)


def segment(
    number: int, text: str = "水", *, participant_id: str = "p1", consultation_id: str = "c"
) -> TranscriptSegment:
    return TranscriptSegment(
        id=f"{consultation_id}{number:03}",
        consultation_id=consultation_id,
        participant_id=participant_id,
        speaker=SPEAKER,
        start_ms=number * 1000,
        end_ms=number * 1000 + 900,
        text=text,
        raw=text,
        words=(Word(text, number * 1000, number * 1000 + 900),),
        engine="e",
    )


@pytest.fixture(autouse=True)
async def consultations(database: Database) -> None:
    async with database.transaction() as unit:
        await unit.consultations.add(replace(consultation("c"), started_at_ms=100))
        await unit.consultations.add(replace(consultation("d"), started_at_ms=200))


async def save(database: Database, *segments: TranscriptSegment) -> None:
    async with database.transaction() as unit:
        await unit.transcript.save(segments)


async def found(
    database: Database, words: str, *, within: tuple[str, ...] = ("c", "d"), confidential: bool = False
) -> list[str]:
    async with database.reading() as unit:
        rows = await unit.transcript.search(within, words, confidential=confidential, limit=100)
    return [each.id for each in rows]


async def test_a_segment_comes_back_as_it_went(database: Database) -> None:
    await save(database, FULL)
    async with database.reading() as unit:
        assert await unit.transcript.get("g1") == FULL
        assert await unit.transcript.of("c") == [FULL]
        assert await unit.transcript.of("c", brief=True) == [replace(FULL, words=(), raw="", other_words=())]
        assert await unit.transcript.get("g2") is None
    corrected = FULL.revised(text="改造", automatic=(), is_edited=True, proposal=None)
    await save(database, corrected)
    async with database.transaction() as unit:
        assert await unit.transcript.locked(["g1", "g2", "g1"]) == {"g1": corrected}


async def test_pages_go_by_beginning_and_then_id(database: Database) -> None:
    one, two, three = segment(1), segment(2, participant_id="p2"), segment(3)
    beside = replace(two, id="c002b", participant_id="p1")
    await save(database, three, beside, one, two)
    async with database.reading() as unit:
        assert await unit.transcript.of("c") == [one, two, beside, three]
        assert await unit.transcript.of("c", limit=2) == [one, two]
        assert await unit.transcript.of("c", after="c002", limit=2) == [beside, three]
        assert await unit.transcript.of("c", after="c003") == []
        assert await unit.transcript.of("c", after="none") == []
        assert await unit.transcript.of("c", after=Place.of(two), limit=2) == [beside, three]
        gone = Place(two.start_ms, "c002a")
        assert await unit.transcript.of("c", after=gone) == [beside, three], (
            "the place stays when it was joined"
        )
        assert await unit.transcript.of("c", participant_id="p2") == [two]
        assert await unit.transcript.of("d") == []
        assert await unit.transcript.following(one) == beside
        assert await unit.transcript.following(two) is None
        assert await unit.transcript.between("c", 1900, 2001) == [two, beside]
        assert await unit.transcript.between("c", 1899, 2000) == [one]


async def test_revisions_outlive_their_segment(database: Database) -> None:
    await save(database, segment(1))
    first = Revision("c001", 2, RevisionKind.EDITED, "水", "水费", "王", "王", "u1", "李秘书", 7, "听错")
    second = replace(first, revision=3, kind=RevisionKind.JOINED, before="水费", after="", reason="")
    async with database.transaction() as unit:
        await unit.transcript.add_revisions([second, first])
        await unit.transcript.remove(["c001"])
        await unit.transcript.add_revisions([])
    async with database.reading() as unit:
        assert await unit.transcript.get("c001") is None
        assert await unit.transcript.revisions("c001") == [first, second]
        rows = [row async for row in unit.archive_rows.rows("transcript_revisions", "c")]
        assert [row["after"] for row in rows] == ["水费", ""]


async def test_coverage_that_touches_becomes_one(database: Database) -> None:
    async with database.transaction() as unit:
        for first, last in ((0, 10), (20, 30), (40, 50), (10, 15), (14, 20), (60, 70), (20, 25)):
            await unit.transcript.cover(Coverage("c", "p1", first, last))
        await unit.transcript.cover(Coverage("c", "p2", 5, 12))
        await unit.transcript.cover(Coverage("d", "p1", 30, 40))
        await unit.transcript.cover(Coverage("c", "p1", 90, 90))
    async with database.reading() as unit:
        assert [(each.from_ms, each.to_ms) for each in await unit.transcript.covered("c", "p1")] == [
            (0, 30),
            (40, 50),
            (60, 70),
        ]
        assert [each.participant_id for each in await unit.transcript.covered("c")] == [
            "p1",
            "p2",
            "p1",
            "p1",
        ]
    async with database.transaction() as unit:
        await unit.transcript.cover(Coverage("c", "p1", 25, 65))
        assert await unit.transcript.covered("c", "p1") == [Coverage("c", "p1", 0, 70)]


async def test_what_is_noted_of_a_gap_is_written_over(database: Database) -> None:
    gap = Gap("c", "p1", "王建国", 100, 200, GapState.FAILED, reason="unreadable")
    waived = replace(gap, state=GapState.WAIVED, note="调试设备")
    async with database.transaction() as unit:
        await unit.transcript.note_gap(gap)
        await unit.transcript.note_gap(waived)
        await unit.transcript.note_gap(replace(gap, from_ms=50))
        assert await unit.transcript.gaps_noted("c") == [replace(gap, from_ms=50), waived]
        assert await unit.transcript.gaps_noted("d") == []


async def test_words_of_two_characters_are_found(database: Database) -> None:
    await save(
        database,
        segment(1, "关于老旧小区，改造的问题。"),
        segment(2, "水费在2026年上调百分之三十"),
        segment(3, "Ｗi-Fi 覆盖"),
        segment(1, "小区停车，改 造", consultation_id="d"),
    )
    assert await found(database, "小区") == ["d001", "c001"]  # the newest consultation first
    assert await found(database, "小区", within=("c",)) == ["c001"]
    assert await found(database, "小区改造") == ["c001"]  # over punctuation that a machine put
    assert await found(database, "小区 改造") == ["d001", "c001"]
    assert await found(database, "区小") == []
    assert await found(database, "水") == ["c002"]
    assert await found(database, "2026年") == ["c002"]
    assert await found(database, "02") == ["c002"]
    assert await found(database, "wifi") == ["c003"]
    assert await found(database, "WI-FI覆盖") == ["c003"]
    assert await found(database, "，。%_") == []
    assert await found(database, "'\"*) OR (") == []
    assert await found(database, "") == []
    assert await found(database, "小区", within=()) == []


async def test_pairs_that_stand_apart_are_not_the_word(database: Database) -> None:
    await save(database, segment(1, "水环境的水"), segment(2, "境外环保水源"))
    assert await found(database, "水环境") == ["c001"]
    assert await found(database, "环境水") == []


async def test_the_search_follows_every_change(database: Database) -> None:
    await save(database, segment(1, "交通"), segment(2, "教育"), segment(3, "医疗"))
    await save(database, segment(1, "水利").revised(), replace(segment(2, "教育"), is_confidential=True))
    async with database.transaction() as unit:
        await unit.transcript.remove(["c003"])
    assert await found(database, "交通") == []
    assert await found(database, "水利") == ["c001"]
    assert await found(database, "医疗") == []
    assert await found(database, "教育") == []
    assert await found(database, "教育", confidential=True) == ["c002"]
    async with database.transaction() as unit:
        await unit.consultations.delete("c")
    await save(database, segment(1, "水利", consultation_id="d"))
    assert await found(database, "水利") == ["d001"]


async def test_a_search_gives_so_many(database: Database) -> None:
    await save(database, *(segment(number, "协商") for number in range(1, 8)))
    async with database.reading() as unit:
        rows = await unit.transcript.search(["c"], "协商", confidential=False, limit=3)
    assert rows == [replace(segment(number, "协商"), words=(), raw="") for number in (1, 2, 3)]


async def test_a_list_of_terms_is_replaced_as_a_whole(database: Database) -> None:
    async with database.transaction() as unit:
        await unit.terms.replace("c", [Term("张巍", "张伟"), Term("河长制")])
        await unit.terms.replace("o1", [Term("淮河"), Term("淮河", "怀河")])
        await unit.terms.replace("c", [Term("张巍", "张威"), Term("河长制"), Term("河长制")])
    async with database.reading() as unit:
        assert await unit.terms.of("c") == [Term("河长制"), Term("张巍", "张威")]
        assert await unit.terms.of("o1") == [Term("淮河"), Term("淮河", "怀河")]
        assert await unit.terms.of("d") == []
        assert [row["right"] async for row in unit.archive_rows.rows("terms", "c")] == ["河长制", "张巍"]
    async with database.transaction() as unit:
        await unit.terms.replace("c", [])
        assert await unit.terms.of("c") == []


async def test_who_was_too_late_changes_no_list(database: Database) -> None:
    wrong, right = Term("淮河", "怀河"), Term("淮河")
    async with database.transaction() as unit:
        assert await unit.terms.revisions(["c", "o1"]) == {"c": 0, "o1": 0}
        assert await unit.terms.change("c", 0, [], [wrong]) == 1
    for seen in (0, 2):
        with pytest.raises(ConferenceError) as refused:
            async with database.transaction() as unit:
                await unit.terms.change("c", seen, [wrong], [right])
        assert refused.value.code == "edit_conflict"
    async with database.transaction() as unit:
        assert await unit.terms.change("c", 1, [wrong], [right]) == 2
        assert await unit.terms.revisions(["c", "o1"]) == {"c": 2, "o1": 0}
        assert await unit.terms.of("c") == [right]
        await unit.terms.replace("c", [right])
        assert await unit.terms.revisions(["c"]) == {"c": 2}, "the same list"
        await unit.terms.replace("c", [wrong])
        assert await unit.terms.revisions(["c"]) == {"c": 3}


async def test_a_list_as_long_as_there_may_be(database: Database) -> None:
    many = [Term(f"词{number}", f"错{number}") for number in range(50_000)]
    async with database.transaction() as unit:
        await unit.terms.replace("o1", many)
        await unit.terms.replace("o1", many[1:])
        there = await unit.terms.of("o1")
        assert there == sorted(many[1:], key=lambda each: (each.wrong, each.right))
        await unit.terms.replace("o1", [])
        assert await unit.terms.of("o1") == []


async def test_the_newest_before_a_moment(database: Database) -> None:
    await save(database, *(segment(number) for number in range(6)), segment(9, consultation_id="d"))
    async with database.reading() as unit:
        rows = await unit.transcript.newest("c", 4_000, 3)
        assert await unit.transcript.newest("c", 0, 3) == []
    assert [each.id for each in rows] == ["c001", "c002", "c003"]
    assert all(each.words == () for each in rows)
