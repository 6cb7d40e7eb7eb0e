"""Logging in, the lock after wrong passwords, accounts and organizations."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from conference.model.audit import AuditLine, verify
from conference.model.consultation import Consultation, Mode, Status
from conference.model.errors import ConferenceError
from conference.model.organization import FailedLogins, Level, Organization
from conference.model.permissions import Role
from conference.services.logins import Logins, StaffMember
from conference.services.passwords import Passwords
from conference.services.staff import Staff, UserDraft
from conference.storage.database import Database, open_engine, sqlite_url
from tests.support.trace_law import enforce_trace_law
from tests.unit.services.fakes import ManualClock

PASSWORD = "一只纸船漂过澄川河面"


@dataclass
class Office:
    """A city with two counties, and an account in each role where it is needed."""

    database: Database
    clock: ManualClock
    logins: Logins
    staff: Staff
    city: Organization
    county: Organization
    other: Organization

    async def account(
        self, login: str, role: Role = Role.SECRETARIAT, organization: Organization | None = None
    ) -> StaffMember:
        """A new account, logged in."""
        draft = UserDraft(login, f"{login}某", role, PASSWORD, (organization or self.county).id)
        await self.staff.add_user(None, draft)
        return (await self.logins.login(login, PASSWORD))[1]

    async def code(self, login: str, password: str) -> ConferenceError:
        with pytest.raises(ConferenceError) as caught:
            await self.logins.login(login, password)
        return caught.value

    async def lines(self) -> list[AuditLine]:
        async with self.database.reading() as unit:
            lines = await unit.audit.lines("staff", limit=1000)
            texts = await unit.audit.texts("staff", 1, 1000)
            assert verify(lines, texts, await unit.audit.head("staff")) is None
        return lines


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    engine = open_engine(sqlite_url(tmp_path / "db.sqlite3"))
    database = Database(engine)
    await database.migrate()
    enforce_trace_law(engine)
    clock, passwords = ManualClock(), Passwords()
    staff = Staff(database, passwords, clock)
    city = await staff.add_organization(None, "澄川市政协", Level.CITY)
    county = await staff.add_organization(None, "临江县政协", Level.COUNTY, city.id)
    other = await staff.add_organization(None, "青石县政协", Level.COUNTY, city.id)
    yield Office(database, clock, Logins(database, passwords, clock), staff, city, county, other)
    await database.close()


async def test_a_session_from_login_to_logout(office: Office) -> None:
    await office.staff.add_user(None, UserDraft(" Li ", "李", Role.ORGANIZER, PASSWORD, office.county.id))
    token, member = await office.logins.login("ＬＩ", PASSWORD)
    assert token.startswith("st_")
    assert (member.user.login, member.organization) == ("li", office.county)
    again = await office.logins.member(token)
    assert again.user.id == member.user.id
    async with office.database.reading() as unit:
        stored = await unit.staff_sessions.get(member.token_hash)
    assert stored is not None
    assert token not in repr(stored)
    await office.logins.logout(again)
    with pytest.raises(ConferenceError) as caught:
        await office.logins.member(token)
    assert caught.value.code == "session_expired"
    assert [line.action for line in await office.lines()][-3:] == [
        "user.added",
        "user.logged_in",
        "user.logged_out",
    ]


async def test_a_session_ends_after_twelve_hours(office: Office) -> None:
    await office.account("li")
    token, member = await office.logins.login("li", PASSWORD)
    assert member.expires_at_ms - office.clock.wall_ms() == 12 * 3600 * 1000
    office.clock.forward(12 * 3600 - 1)
    await office.logins.member(token)
    office.clock.forward(1)
    with pytest.raises(ConferenceError) as caught:
        await office.logins.member(token)
    assert caught.value.code == "session_expired"


@pytest.mark.parametrize("login", ["li", "nobody"])
async def test_five_wrong_passwords_lock_and_longer_each_time(office: Office, login: str) -> None:
    await office.account("li")
    left = [(await office.code(login, f"falsch{n}")).members.get("attempts_left") for n in range(4)]
    assert left == [4, 3, 2, 1]
    for seconds in (60, 120, 240, 480, 960, 1920, 3600, 3600):
        refusal = await office.code(login, "falsch")
        assert (refusal.code, refusal.members) == ("login_locked", {"retry_after_s": seconds})
        office.clock.forward(seconds - 1)
        assert (await office.code(login, PASSWORD)).members == {"retry_after_s": 1}
        office.clock.forward(1)


async def test_the_right_password_forgets_the_wrong_ones(office: Office) -> None:
    await office.account("li")
    for _ in range(4):
        await office.code("li", "falsch")
    await office.logins.login("li", PASSWORD)
    assert (await office.code("li", "falsch")).members == {"attempts_left": 4}


async def test_a_clock_set_back_does_not_lock_for_longer() -> None:
    failures = FailedLogins(4).one_more(10_000_000)
    assert failures.wait_ms(10_000_000 - 3_600_000) == 60_000
    assert failures.wait_ms(10_060_000) == 0


async def test_guesses_at_once_are_counted_one_by_one(office: Office) -> None:
    await office.account("li")
    answers = await asyncio.gather(*(office.code("li", f"falsch{n}") for n in range(40)))
    assert sorted(each.code for each in answers) == ["login_failed"] * 4 + ["login_locked"] * 36
    assert (await office.code("li", PASSWORD)).code == "login_locked"


async def test_a_storm_of_logins_leaves_the_event_loop_free(office: Office) -> None:
    await office.account("li")
    longest_s, began_s = 0.0, time.perf_counter()
    storm = asyncio.gather(*(office.code(f"nobody{n}", "falsch") for n in range(100)))
    while not storm.done():
        begin = time.perf_counter()
        await asyncio.sleep(0.001)
        longest_s = max(longest_s, time.perf_counter() - begin)
    assert {each.code for each in await storm} == {"login_failed"}
    assert longest_s < (time.perf_counter() - began_s) / 4, longest_s


async def test_a_disabled_account_is_out_at_once(office: Office) -> None:
    admin = await office.account("admin", Role.ADMINISTRATOR)
    member = await office.account("li")
    token, _ = await office.logins.login("li", PASSWORD)
    await office.staff.change_user(admin, member.user.id, {}, disabled=True)
    with pytest.raises(ConferenceError) as caught:
        await office.logins.member(token)
    assert caught.value.code == "session_expired"
    assert (await office.code("li", PASSWORD)).code == "login_failed"
    await office.staff.change_user(admin, member.user.id, {}, disabled=False)
    await office.logins.login("li", PASSWORD)


async def test_changing_the_password_ends_the_other_sessions(office: Office) -> None:
    await office.account("li")
    other, _ = await office.logins.login("li", PASSWORD)
    token, member = await office.logins.login("li", PASSWORD)
    for old, new, code in (
        ("falsch", "ein anderes Wort", "login_failed"),
        (PASSWORD, "kurz", "password_weak"),
        (PASSWORD, "x" * 300, "password_weak"),
        (PASSWORD, "x" * 20, "password_weak"),
    ):
        with pytest.raises(ConferenceError) as caught:
            await office.logins.change_password(member, old, new)
        assert caught.value.code == code
    await office.logins.change_password(member, PASSWORD, "ein anderes Wort")
    await office.logins.member(token)
    with pytest.raises(ConferenceError):
        await office.logins.member(other)
    await office.logins.login("li", "ein anderes Wort")


async def test_an_administrator_manages_below_and_never_above(office: Office) -> None:
    city = await office.account("city", Role.ADMINISTRATOR, office.city)
    county = await office.account("county", Role.ADMINISTRATOR)
    stranger = await office.account("stranger", Role.ORGANIZER, office.other)
    assert {user.login for user, _ in await office.staff.users(city)} == {"city", "county", "stranger"}
    assert [user.login for user, _ in await office.staff.users(county)] == ["county"]
    assert [each.id for each in await office.staff.organizations(county)] == [office.county.id]
    for attempt in (
        office.staff.change_user(county, stranger.user.id, {"name": "x"}),
        office.staff.change_user(county, city.user.id, {}, password="ein anderes Wort"),
        office.staff.change_user(county, county.user.id, {"organization_id": office.city.id}),
        office.staff.add_user(county, UserDraft("x", "x", Role.ADMINISTRATOR, PASSWORD, office.city.id)),
        office.staff.add_organization(county, "x", Level.COUNTY, office.city.id),
        office.staff.change_organization(county, office.city.id, {"name": "x"}),
    ):
        with pytest.raises(ConferenceError) as caught:
            await attempt
        assert caught.value.code == "not_found"
    changed, _ = await office.staff.change_user(city, stranger.user.id, {"role": Role.MODERATOR})
    assert changed.role is Role.MODERATOR


async def test_what_else_is_refused(office: Office) -> None:
    admin = await office.account("admin", Role.ADMINISTRATOR)
    clerk = await office.account("clerk")
    before = len(await office.lines())
    for attempt, code in (
        (office.staff.users(clerk), "forbidden"),
        (office.staff.organizations(clerk), "forbidden"),
        (office.staff.add_user(clerk, UserDraft("x", "x", Role.MODERATOR, PASSWORD)), "forbidden"),
        (office.staff.add_user(admin, UserDraft("x", "x", Role.CHAIR, PASSWORD)), "bad_request"),
        (office.staff.add_user(admin, UserDraft("x", "x", Role.MODERATOR, "kurz")), "password_weak"),
        (office.staff.add_user(admin, UserDraft("CLERK", "x", Role.MODERATOR, PASSWORD)), "login_taken"),
        (office.staff.change_user(admin, admin.user.id, {}, disabled=True), "forbidden"),
        (office.staff.change_user(admin, admin.user.id, {"role": Role.MODERATOR}), "forbidden"),
        (office.staff.change_user(admin, "u_none", {}), "not_found"),
        (office.staff.add_organization(admin, "x", Level.PROVINCE), "bad_request"),
        (office.staff.add_organization(admin, "青石县政协", Level.COUNTY), "organization_exists"),
        (office.staff.change_organization(admin, office.county.id, {"parent_id": None}), "forbidden"),
        (
            office.staff.change_organization(None, office.city.id, {"parent_id": office.county.id}),
            "bad_request",
        ),
        (office.staff.change_organization(None, office.county.id, {"level": Level.PROVINCE}), "bad_request"),
    ):
        with pytest.raises(ConferenceError) as caught:
            await attempt
        assert caught.value.code == code
    assert len(await office.lines()) == before


async def test_the_last_administrator_stays(office: Office) -> None:
    first = await office.account("first", Role.ADMINISTRATOR, office.city)
    second = await office.account("second", Role.ADMINISTRATOR, office.city)
    with pytest.raises(ConferenceError) as caught:  # nobody would be left above
        await office.staff.change_user(first, first.user.id, {"organization_id": office.county.id})
    assert caught.value.code == "forbidden"
    both = (
        office.staff.change_user(first, second.user.id, {}, disabled=True),
        office.staff.change_user(second, first.user.id, {"role": Role.MODERATOR}),
    )
    refused = [each for each in await asyncio.gather(*both, return_exceptions=True) if not is_done(each)]
    assert [each.code for each in refused if isinstance(each, ConferenceError)] == ["forbidden"]
    users = [user for user, _ in await office.staff.users(None)]
    left = [user for user in users if user.role is Role.ADMINISTRATOR and user.disabled_at_ms is None]
    assert len(left) == 1


def is_done(came: object) -> bool:
    return not isinstance(came, BaseException)


async def test_who_sees_which_consultation(office: Office) -> None:
    city = await office.account("city", Role.ADMINISTRATOR, office.city)
    clerk = await office.account("clerk", Role.SECRETARIAT, office.city)
    county = await office.account("county", Role.ADMINISTRATOR)
    plain = Consultation("c", "协商会", Status.DRAFT, Mode.FREE, False, False, True, 1)
    of_county = replace(plain, organization_id=office.county.id)
    of_city = replace(plain, organization_id=office.city.id)
    seen = {
        name: [await office.staff.may_see(member, each) for each in (plain, of_county, of_city)]
        for name, member in (("city", city), ("clerk", clerk), ("county", county))
    }
    assert seen == {
        "city": [True, True, True],
        "clerk": [True, False, True],
        "county": [True, True, False],
    }
