"""The commands for staff accounts and for revoking tokens."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from conference.clock import SystemClock
from conference.model.errors import ConferenceError
from conference.services.logins import Logins, StaffMember
from conference.services.passwords import Passwords
from conference.services.staff import Staff
from conference.storage.database import Database, open_engine, sqlite_url
from signaling.cli import app
from signaling.console import Ready, ready_json, ready_text
from signaling.data_dir import DataDirectory
from signaling.demo import DEMO_LOGIN, DemoStaff, demo_staff

ADD = ("user", "add", "--login", "li", "--name", "李秘书", "--role", "secretariat")


def run(data_dir: Path, *arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data-dir", str(data_dir)], input=given)


def login(data_dir: Path, name: str, password: str) -> StaffMember:
    async def attempt() -> StaffMember:
        database = Database(open_engine(sqlite_url(DataDirectory(data_dir).database)))
        try:
            return (await Logins(database, Passwords(), SystemClock()).login(name, password))[1]
        finally:
            await database.close()

    return asyncio.run(attempt())


def test_an_account_from_adding_to_disabling(tmp_path: Path) -> None:
    made = run(tmp_path, *ADD, "--organization", "临江县政协", "--generate")
    assert made.exit_code == 0
    password = made.stdout.strip()
    member = login(tmp_path, "li", password)
    assert (member.user.name, member.organization.name) == ("李秘书", "临江县政协")
    assert run(tmp_path, "user", "list").stdout == "li\tsecretariat\t李秘书\t临江县政协\n"
    assert run(tmp_path, "user", "disable", "--login", "LI").exit_code == 0
    assert run(tmp_path, "user", "list").stdout == "li\tsecretariat\t李秘书\t临江县政协\tdisabled\n"
    with pytest.raises(ConferenceError) as caught:
        login(tmp_path, "li", password)
    assert caught.value.code == "login_failed"


def test_passwords_from_standard_input_and_from_the_prompt(tmp_path: Path) -> None:
    run(tmp_path, *ADD, "--organization", "县", "--password-stdin", given="ein langes Wort\n")
    login(tmp_path, "li", "ein langes Wort")
    wang = ("user", "add", "--login", "wang", "--name", "王", "--role", "organizer")
    prompted = run(tmp_path, *wang, given="noch ein Wort 2\nnoch ein Wort 2\n")
    assert prompted.exit_code == 0
    assert login(tmp_path, "wang", "noch ein Wort 2").organization.name == "县"


def test_what_is_refused(tmp_path: Path) -> None:
    organization = ("--organization", "县")
    for arguments, given in (
        ((*ADD, "--generate"), None),  # no organization yet
        ((*ADD, *organization, "--password-stdin"), "kurz\n"),
        ((*ADD, *organization, "--password-stdin", "--generate"), "ein langes Wort\n"),
        (("user", "add", "--login", "x y", "--name", "x", "--role", "organizer", "--generate"), None),
        (("user", "add", "--login", "x", "--name", " ", "--role", "organizer", "--generate"), None),
        (("user", "add", "--login", "x", "--name", "x", "--role", "chair", "--generate"), None),
        (("user", "disable", "--login", "nobody"), None),
        (("token-revoke", "--consultation", "nowhere", "--token-id", "t_1"), None),
        (("token-revoke", "--consultation", "c", "--token-id", "../x"), None),
    ):
        refused = run(tmp_path, *arguments, given=given)
        assert refused.exit_code == 1, arguments
        assert refused.stdout == ""
    assert run(tmp_path, "user", "list").stdout == ""


def test_a_revoked_token_stands_in_the_trace_once(tmp_path: Path) -> None:
    run(tmp_path, "consultation", "create", "--title", "协商会", "--id", "c")
    for _ in range(2):
        assert run(tmp_path, "token-revoke", "--consultation", "c", "--token-id", "t_1").exit_code == 0

    async def lines() -> list[tuple[str, str | None]]:
        database = Database(open_engine(sqlite_url(DataDirectory(tmp_path).database)))
        try:
            async with database.reading() as unit:
                assert await unit.revocations.contains("t_1")
                return [(line.action, line.subject) for line in await unit.audit.lines("c")]
        finally:
            await database.close()

    assert asyncio.run(lines()) == [("consultation.created", "c"), ("token.revoked", "t_1")]


def test_the_demo_account_has_another_password_at_every_start(tmp_path: Path) -> None:
    run(tmp_path, "migrate")

    async def start() -> str:
        database: Database = Database(open_engine(sqlite_url(DataDirectory(tmp_path).database)))
        try:
            return (await demo_staff(Staff(database, Passwords(), SystemClock()), "http://x")).password
        finally:
            await database.close()

    first, second = asyncio.run(start()), asyncio.run(start())
    assert login(tmp_path, DEMO_LOGIN, second).organization.name == "澄川市政协"
    with pytest.raises(ConferenceError):
        login(tmp_path, DEMO_LOGIN, first)


def test_the_demo_account_is_printed() -> None:
    ready = Ready("http://x", (7882,), 42, {}, None, DemoStaff("demo", "a-b-c", "http://x/"))
    staff = {"login": "demo", "password": "a-b-c", "url": "http://x/"}
    assert json.loads(ready_json(ready))["staff"] == staff
    assert "账号 demo  密码 a-b-c" in ready_text(ready)
