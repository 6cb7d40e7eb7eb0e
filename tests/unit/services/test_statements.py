"""Written statements: once per key, likes once per person, private notes for those concerned."""

import pytest

from conference.events import NoteAdded, NoteUpdated, StatementAdded, StatementUpdated
from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from tests.unit.services.conftest import World


async def people(world: World) -> tuple[str, str, str]:
    return (
        await world.join("主持人", Role.CHAIR),
        await world.join("b"),
        await world.join("秘书", Role.SECRETARIAT),
    )


async def code_of(call: object) -> str:
    with pytest.raises(ConferenceError) as caught:
        await call  # type: ignore[misc]
    return caught.value.code


async def test_the_same_key_is_the_same_statement(world: World) -> None:
    _, member, _ = await people(world)
    first = await world.statements.add("c", member, "建议增设助餐点", key="k" * 8)
    again = await world.statements.add("c", member, "建议增设助餐点", key="k" * 8)
    assert again == first
    assert len(world.publisher.of_kind("b", StatementAdded)) == 1
    reply = await world.statements.add("c", member, "补充", key="l" * 8, reply_to=first.id)
    assert reply.reply_to == first.id
    assert (
        await code_of(world.statements.add("c", member, "x", key="m" * 8, reply_to="s_none")) == "not_found"
    )


async def test_each_likes_once(world: World) -> None:
    chair, member, _ = await people(world)
    statement = await world.statements.add("c", member, "好", key="k" * 8)
    for _ in range(2):
        assert (await world.statements.like("c", chair, statement.id, True)).likes == 1
    assert (await world.statements.like("c", member, statement.id, True)).likes == 2
    back = await world.statements.like("c", chair, statement.id, False)
    assert (back.likes, back.liked) == (1, False)
    assert [each.statement.likes for each in world.publisher.of_kind("b", StatementUpdated)] == [1, 2, 1]


async def test_private_notes_are_for_author_and_secretariat(world: World) -> None:
    chair, member, secretary = await people(world)
    desk = await world.desks.open("c", world.bearer(Role.MODERATOR), "台")
    note = await world.statements.add("c", member, "请关空调", key="k" * 8, private=True)
    for session, seen in (("主持人", 0), ("台", 0), ("b", 1), ("秘书", 1)):
        assert len(world.publisher.of_kind(session, NoteAdded)) == seen
        assert not world.publisher.of_kind(session, StatementAdded)
    for stranger in (chair, desk):
        assert await code_of(world.statements.take("c", chair, note.id, True)) == "not_found"
        assert (await world.statements.before("c", stranger, None, 10)).items == ()
    await world.statements.take("c", secretary, note.id, True)
    assert [each.statement.taken for each in world.publisher.of_kind("b", NoteUpdated)] == [True]
    assert (await world.arrivals.snapshot("c", chair)).statement_count == 0
    assert (await world.arrivals.snapshot("c", member)).statements[0].taken


async def test_an_answer_to_a_note_is_for_its_author_too(world: World) -> None:
    chair, member, secretary = await people(world)
    stranger = await world.join("x")
    note = await world.statements.add("c", member, "请关空调", key="k" * 8, private=True)
    answer = await world.statements.add("c", secretary, "好的", key="k" * 8, reply_to=note.id)
    assert answer.private
    thanks = await world.statements.add("c", member, "谢谢", key="l" * 8, reply_to=answer.id)
    last = await world.statements.add("c", secretary, "不客气", key="l" * 8, reply_to=thanks.id)
    thread = [note.id, answer.id, thanks.id, last.id]
    for session in ("b", "秘书"):
        assert [each.statement.id for each in world.publisher.of_kind(session, NoteAdded)] == thread
    for session in ("主持人", "x"):
        assert world.publisher.of_kind(session, NoteAdded) == []
    public = await world.statements.add("c", stranger, "公开", key="k" * 8)
    aside = await world.statements.add("c", member, "悄悄", key="m" * 8, reply_to=public.id, private=True)
    again = await world.restart()
    for room in (world, again):
        for reader in (member, secretary):
            seen = (await room.arrivals.snapshot("c", reader)).statements
            assert [each.id for each in seen] == [*thread, public.id, aside.id]
        for reader in (chair, stranger):
            assert [each.id for each in (await room.arrivals.snapshot("c", reader)).statements] == [public.id]
    assert (
        await code_of(world.statements.add("c", stranger, "?", key="n" * 8, reply_to=last.id)) == "not_found"
    )


async def test_pages_in_both_directions(world: World) -> None:
    _, member, _ = await people(world)
    ids = [(await world.statements.add("c", member, str(n), key=f"key-{n:04}")).id for n in range(5)]
    newest = await world.statements.before("c", member, None, 2)
    assert ([each.id for each in newest.items], newest.next) == (ids[3:], ids[3])
    older = await world.statements.before("c", member, newest.next, 3)
    assert ([each.id for each in older.items], older.next) == (ids[:3], None)
    page = await world.statements.after("c", world.bearer(Role.CHAIR), ids[0], 2)
    assert ([each.id for each in page.items], page.next) == (ids[1:3], ids[2])


async def test_who_may_not_and_what_a_restart_keeps(world: World) -> None:
    chair, member, _ = await people(world)
    observer = await world.join("o", Role.OBSERVER)
    assert await code_of(world.statements.add("c", observer, "x", key="k" * 8)) == "forbidden"
    statement = await world.statements.add("c", member, "留下", key="k" * 8)
    await world.statements.like("c", chair, statement.id, True)
    await world.statements.take("c", chair, statement.id, True)
    assert await code_of(world.statements.take("c", member, statement.id, False)) == "forbidden"
    again = await world.restart()
    await again.join("主持人2", Role.CHAIR, resume=world.resume("主持人"))
    kept = again.publisher.snapshot("主持人2").statements
    assert [(each.text, each.likes, each.liked, each.taken) for each in kept] == [("留下", 1, True, True)]
    assert (await again.statements.add("c", member, "留下", key="k" * 8)).id == statement.id
