"""What every storage promises about venues and invitees."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from conference.model.invitee import Invitee
from conference.model.participant import EntryMeans, LeaveReason, ParticipantKind
from conference.model.permissions import Role
from conference.model.venue import Venue, VenueKind
from conference.services.warrants import Warrant, void_among
from conference.storage.database import Database
from tests.contract.test_storage import consultation, participant


def venue(number: int, **values: object) -> Venue:
    made = Venue(
        f"v{number}",
        "c",
        number,
        f"会场{number}",
        VenueKind.BRANCH,
        "三楼",
        "赵六",
        "",
        None,
        1,
        f"hv{number}",
        5,
    )
    return replace(made, **values)  # type: ignore[arg-type]


def invitee(number: int, **values: object) -> Invitee:
    made = Invitee(
        f"i{number}",
        "c",
        number,
        "张三",
        "局长",
        "农业界",
        Role.MEMBER,
        "v1",
        "13900002217",
        False,
        False,
        1,
        f"hi{number}",
        5,
    )
    return replace(made, **values)  # type: ignore[arg-type]


@pytest.fixture
async def stored(database: Database) -> Database:
    async with database.transaction() as unit:
        await unit.consultations.add(consultation())
        await unit.consultations.add(consultation("d"))
        await unit.venues.save([venue(2, entry_code="123456"), venue(1)])
        await unit.invitees.save([invitee(1), invitee(2, role=Role.CHAIR, venue_id=None)])
    return database


async def test_venues_and_invitees_come_back_by_position(stored: Database) -> None:
    async with stored.reading() as unit:
        assert await unit.venues.of("c") == [venue(1), venue(2, entry_code="123456")]
        assert await unit.invitees.of("c") == [invitee(1), invitee(2, role=Role.CHAIR, venue_id=None)]
        assert (await unit.venues.of("d"), await unit.invitees.of("d")) == ([], [])
        assert await unit.venues.get("v1") == await unit.venues.by_link("hv1") == venue(1)
        assert await unit.invitees.get("i1") == await unit.invitees.by_link("hi1") == invitee(1)
        assert await unit.venues.by_code("123456") == venue(2, entry_code="123456")
        assert await unit.venues.by_code("654321") is None
        assert (await unit.venues.next_position("c"), await unit.venues.next_position("d")) == (3, 1)
        assert await unit.invitees.next_position("c") == 3
        assert await unit.invitees.among(["i2", "nobody"]) == [invitee(2, role=Role.CHAIR, venue_id=None)]


async def test_removed_ones_are_found_by_their_ids_alone(stored: Database) -> None:
    gone, nobody = venue(2, removed_at_ms=9), invitee(1, removed_at_ms=9)
    async with stored.transaction() as unit:
        await unit.venues.save([gone])
        await unit.invitees.save([nobody])
    async with stored.reading() as unit:
        assert await unit.venues.of("c") == [venue(1)]
        assert [each.id for each in await unit.invitees.of("c")] == ["i2"]
        assert await unit.venues.by_code("123456") is None
        assert await unit.venues.by_link("hv2") is None
        assert await unit.invitees.by_link("hi1") is None
        assert (await unit.venues.get("v2"), await unit.invitees.get("i1")) == (gone, nobody)
        assert await unit.venues.among(["v2"]) == [gone]
        assert await unit.venues.next_position("c") == 3


async def test_saving_again_overwrites_but_never_moves_to_another_consultation(stored: Database) -> None:
    async with stored.transaction() as unit:
        await unit.invitees.save(
            [invitee(1, name="李四", consultation_id="d", link_revision=2, link_hash="new")]
        )
    async with stored.reading() as unit:
        assert await unit.invitees.get("i1") == invitee(1, name="李四", link_revision=2, link_hash="new")
        assert await unit.invitees.by_link("hi1") is None


@pytest.mark.parametrize("twice", [venue(3, entry_code="123456"), venue(3, link_hash="hv1")])
async def test_no_code_and_no_link_opens_two_venues(stored: Database, twice: Venue) -> None:
    with pytest.raises(IntegrityError):
        async with stored.transaction() as unit:
            await unit.venues.save([twice])


async def test_they_go_with_their_consultation(stored: Database) -> None:
    async with stored.transaction() as unit:
        await unit.consultations.delete("c")
    async with stored.reading() as unit:
        assert await unit.venues.get("v1") is None
        assert await unit.invitees.get("i1") is None


async def test_who_somebody_was_before(stored: Database) -> None:
    def was(participant_id: str, at_ms: int, **values: object) -> object:
        made = replace(participant(participant_id), joined_at_ms=at_ms, token_id="t1")
        return replace(made, **values)  # type: ignore[arg-type]

    rows = [
        was("p1", 10, invitee_id="i1", entered_by=EntryMeans.CODE, waiting_since_ms=7),
        was("p2", 11, invitee_id="i1", kind=ParticipantKind.WHIP),
        was("p3", 12, venue_id="v1", entered_by=EntryMeans.OPERATOR, leave_reason=LeaveReason.REFUSED),
        was("p4", 13, venue_id="v1", token_id="t2", entered_by=EntryMeans.CODE, in_hall=True),
        was("p5", 14, user_id="u1", token_id="t3", entered_by=EntryMeans.STAFF, removed_at_ms=20),
    ]
    async with stored.transaction() as unit:
        await unit.participants.save(rows)  # type: ignore[arg-type]

    async def ids(
        invitee_id: str | None, operated_id: str | None, token_id: str, user_id: str | None = None
    ) -> list[str]:
        async with stored.reading() as unit:
            found = await unit.participants.same_person(
                "c",
                invitee_id=invitee_id,
                operated_id=operated_id,
                token_id=token_id,
                user_id=user_id,
            )
            assert [each for each in found if each not in rows] == []
            return [each.id for each in found]

    assert await ids("i1", None, "t9") == ["p1"]
    assert await ids(None, "v1", "t9") == ["p3"]
    assert await ids(None, None, "t1") == ["p1", "p3"]
    assert await ids(None, None, "t2") == ["p4"]
    assert await ids("i9", "v1", "t1") == []
    assert await ids(None, None, "t9", "u1") == ["p5"]
    assert await ids(None, None, "t1", "u9") == []


async def test_what_a_link_opened_is_void_with_the_link(stored: Database) -> None:
    async def void(warrant: Warrant) -> bool:
        async with stored.reading() as unit:
            return warrant in await void_among(unit, [warrant])

    link = Warrant("t", Role.MEMBER, EntryMeans.INVITE, invitee_id="i1", venue_id="v1", link_revision=1)
    code = replace(link, via=EntryMeans.CODE, link_revision=None)
    operator = Warrant("t", Role.VENUE_OPERATOR, EntryMeans.OPERATOR, venue_id="v1", link_revision=1)
    assert [await void(each) for each in (link, code, operator)] == [False, False, False]
    for bad in (
        replace(link, link_revision=2),
        replace(link, role=Role.CHAIR),
        replace(link, invitee_id="i9"),
        replace(code, venue_id="v9"),
        replace(operator, link_revision=0),
        replace(operator, link_revision=None),
    ):
        assert await void(bad), bad
    async with stored.transaction() as unit:
        await unit.venues.save([venue(1, removed_at_ms=9)])
    assert [await void(each) for each in (link, code, operator)] == [False, True, True]
    async with stored.transaction() as unit:
        await unit.invitees.save([invitee(1, removed_at_ms=9)])
    assert await void(link)
