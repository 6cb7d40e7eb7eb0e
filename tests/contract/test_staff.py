"""Rows of organizations, accounts and sessions of staff, on each storage."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conference.model.errors import ConferenceError
from conference.model.organization import FailedLogins, Level, Organization, StaffSession, User
from conference.model.permissions import Role
from conference.storage.database import Database

CITY = Organization("o_city", "澄川市政协", Level.CITY, None, 1)
COUNTY = Organization("o_county", "临江县政协", Level.COUNTY, "o_city", 2)
USER = User("u_1", "li", "李秘书", Role.SECRETARIAT, "o_county", "$argon2", 3)


@pytest.fixture
async def filled(database: Database) -> Database:
    async with database.transaction() as unit:
        await unit.organizations.add(CITY)
        await unit.organizations.add(COUNTY)
        await unit.users.add(USER)
    return database


async def test_organizations_come_back_as_they_went(filled: Database) -> None:
    renamed = replace(COUNTY, name="临江县委员会", level=Level.CITY)
    async with filled.transaction() as unit:
        assert await unit.organizations.all() == [CITY, COUNTY]
        assert await unit.organizations.named("澄川市政协") == CITY
        assert await unit.organizations.get("o_none") is None
        await unit.organizations.save(renamed)
    async with filled.reading() as unit:
        assert await unit.organizations.get("o_county") == renamed


async def test_names_are_taken_once(filled: Database) -> None:
    other = Organization("o_3", "澄川市政协", Level.CITY, None, 3)
    with pytest.raises(ConferenceError) as caught:
        async with filled.transaction() as unit:
            await unit.organizations.add(other)
    assert caught.value.code == "organization_exists"
    with pytest.raises(ConferenceError) as caught:
        async with filled.transaction() as unit:
            await unit.organizations.save(replace(COUNTY, name=CITY.name))
    assert caught.value.code == "organization_exists"
    with pytest.raises(ConferenceError) as caught:
        async with filled.transaction() as unit:
            await unit.users.add(replace(USER, id="u_2"))
    assert caught.value.code == "login_taken"


async def test_users_come_back_as_they_went(filled: Database) -> None:
    changed = replace(USER, name="李四", role=Role.ADMINISTRATOR, disabled_at_ms=9)
    async with filled.transaction() as unit:
        assert await unit.users.get("u_1") == USER
        assert await unit.users.by_login("li") == USER
        assert await unit.users.by_login("LI") is None
        assert await unit.users.of(["o_county"]) == [USER]
        assert await unit.users.of(["o_city"]) == []
        await unit.users.save(changed)
        await unit.users.set_failures("u_1", FailedLogins(5, 99))
        await unit.users.set_password("u_1", "$other")
    async with filled.reading() as unit:
        expected = replace(changed, failed_logins=5, locked_until_ms=99, password_hash="$other")
        assert await unit.users.get("u_1") == expected


async def test_sessions(filled: Database) -> None:
    first, second, third = (StaffSession(each * 64, "u_1", 1, 100 + int(each)) for each in "123")
    async with filled.transaction() as unit:
        for session in (first, second, third):
            await unit.staff_sessions.add(session)
    async with filled.transaction() as unit:
        assert await unit.staff_sessions.get("2" * 64) == second
        await unit.staff_sessions.delete_expired(101)
        assert await unit.staff_sessions.get("1" * 64) is None
        await unit.staff_sessions.delete_of("u_1", keep="2" * 64)
        assert await unit.staff_sessions.get("3" * 64) is None
        assert await unit.staff_sessions.get("2" * 64) == second
        await unit.staff_sessions.delete("2" * 64)
    async with filled.reading() as unit:
        assert await unit.staff_sessions.get("2" * 64) is None


async def test_which_tokens_are_revoked(database: Database) -> None:
    async with database.transaction() as unit:
        await unit.revocations.add("t_1", 1)
        await unit.revocations.add("t_2", 1)
    async with database.reading() as unit:
        assert await unit.revocations.among({"t_1", "t_3"}) == {"t_1"}
        assert await unit.revocations.among(set()) == set()
