"""Rows of the word lists of bodies, on each storage."""

from __future__ import annotations

import pytest

from conference.model.comment import Level, Word
from conference.model.errors import ConferenceError
from conference.model.organization import Level as BodyLevel
from conference.model.organization import Organization
from conference.storage.database import Database

BODIES = (
    Organization("o_city", "澄川市政协", BodyLevel.CITY, None, 1),
    Organization("o_county", "临江县政协", BodyLevel.COUNTY, "o_city", 2),
)
WORDS = [Word("互助会", Level.BLOCK, "fraud"), Word("某药酒", Level.MARK)]


@pytest.fixture
async def filled(database: Database) -> Database:
    async with database.transaction() as unit:
        for body in BODIES:
            await unit.organizations.add(body)
    return database


async def test_a_list_is_replaced_as_a_whole_and_counted(filled: Database) -> None:
    async with filled.transaction() as unit:
        assert await unit.body_words.revisions(["o_city", "o_county"]) == {"o_city": 0, "o_county": 0}
        assert await unit.body_words.replace("o_city", 0, WORDS) == 1
        assert await unit.body_words.replace("o_city", 1, WORDS[:1]) == 2
        await unit.body_words.replace("o_county", 0, WORDS)
    async with filled.transaction() as unit:
        assert await unit.body_words.of("o_city") == WORDS[:1]
        assert await unit.body_words.of("o_county") == sorted(WORDS, key=lambda each: each.text)
        assert await unit.body_words.replace("o_city", 2, []) == 3
    async with filled.reading() as unit:
        assert await unit.body_words.of("o_city") == []
        assert await unit.body_words.revisions(["o_city", "o_county"]) == {"o_city": 3, "o_county": 1}


@pytest.mark.parametrize("seen", [0, 2])
async def test_who_saw_another_list_changes_nothing(filled: Database, seen: int) -> None:
    async with filled.transaction() as unit:
        await unit.body_words.replace("o_city", 0, WORDS)
    with pytest.raises(ConferenceError, match="are not at") as caught:
        async with filled.transaction() as unit:
            await unit.body_words.replace("o_city", seen, [])
    assert caught.value.code == "edit_conflict"
    async with filled.reading() as unit:
        assert len(await unit.body_words.of("o_city")) == 2
