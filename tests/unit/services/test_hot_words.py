"""Terms told to engines: of the rooms that are listened to, and again after a list changed."""

from __future__ import annotations

from conference.model.audit import CLI, AuditEntry
from conference.model.terms import Term
from conference.services.hot_words import HotWords
from conference.services.term_lists import TermLists
from tests.unit.services.conftest import World
from tests.unit.services.test_transcription import Stage


async def write(world: World, owner_id: str, *terms: Term) -> None:
    async with world.database.transaction() as unit:
        await unit.terms.replace(owner_id, terms)
        await unit.audit.append(AuditEntry("c", 1, None, CLI, "terms.changed", owner_id))


async def test_engines_hear_of_the_terms_of_rooms_that_are_listened_to(world: World) -> None:
    stage = Stage(world)
    words = HotWords(TermLists(world.database), stage.transcriber, stage.transcription.listened)
    await write(world, "c", Term("张巍", "张威"), Term("河长制"), Term("张巍", "章威"))
    await words.tick()
    assert stage.transcriber.terms == {}, "nobody listens"
    await stage.begin()
    await words.tick()
    assert stage.transcriber.terms == {"c": ("河长制", "张巍")}
    await write(world, "c", Term("水费"))
    await words.tick()
    assert list(stage.transcriber.terms["c"]) == ["水费"]
