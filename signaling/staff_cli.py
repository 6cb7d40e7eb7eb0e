"""The commands `user …`: staff accounts in the data directory."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from conference.model.organization import STAFF_ROLES, Level
from conference.model.permissions import Role
from signaling.terminal import fail

if TYPE_CHECKING:
    from conference.services.staff import Staff
    from conference.storage.database import Database

user_app = typer.Typer(help="Staff accounts in the data directory.", no_args_is_help=True)

_DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="YUANSHANG_DATA_DIR", help="Directory of the server's data.")
]
_DATA_DIR = Path("data")
_MAX_LOGIN_CHARS = 64
_MAX_NAME_CHARS = 200

Result = TypeVar("Result")


@user_app.command("add")
def add_user(
    login: Annotated[str, typer.Option(help="Name to log in with.")],
    name: Annotated[str, typer.Option(help="Name shown to the others.")],
    role: Annotated[Role, typer.Option(help="administrator, organizer, secretariat or moderator.")],
    organization: Annotated[
        str | None, typer.Option(help="Organization, made when there is none of that name.")
    ] = None,
    level: Annotated[Level, typer.Option(help="Level of an organization that is made.")] = Level.COUNTY,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    generate: Annotated[bool, typer.Option("--generate", help="Make a password up and print it.")] = False,
    data_dir: _DataDir = _DATA_DIR,
) -> None:
    """Make a staff account; prints its login, or with --generate its password alone."""
    name = name.strip()
    if role not in STAFF_ROLES:
        fail(f"staff are {', '.join(sorted(STAFF_ROLES))}")
    if not 1 <= len(name) <= _MAX_NAME_CHARS:
        fail(f"the name must have 1 to {_MAX_NAME_CHARS} characters")
    if not 1 <= len(login.strip()) <= _MAX_LOGIN_CHARS or any(c.isspace() for c in login.strip()):
        fail(f"the login must have 1 to {_MAX_LOGIN_CHARS} characters and no blanks")
    if password_stdin and generate:
        fail("either --password-stdin or --generate")
    password = _password(from_stdin=password_stdin, generate=generate)

    from conference.services.staff import UserDraft

    async def add(staff: Staff) -> str:
        organization_id = await _organization_id(staff, organization, level)
        user, _ = await staff.add_user(None, UserDraft(login, name, role, password, organization_id))
        return user.login

    made = _with_staff(data_dir, add)
    typer.echo(password if generate else made)


@user_app.command("list")
def list_users(data_dir: _DataDir = _DATA_DIR) -> None:
    """Staff accounts, one a line: login, role, name, organization, and whether it is disabled."""

    async def lines(staff: Staff) -> list[str]:
        return [
            "\t".join(
                (user.login, user.role, user.name, organization.name)
                + (("disabled",) if user.disabled_at_ms is not None else ())
            )
            for user, organization in await staff.users(None)
        ]

    for line in _with_staff(data_dir, lines):
        typer.echo(line)


@user_app.command("disable")
def disable_user(
    login: Annotated[str, typer.Option(help="Name to log in with.")],
    data_dir: _DataDir = _DATA_DIR,
) -> None:
    """Disable a staff account: its sessions end, also in a running server."""

    async def disable(staff: Staff) -> None:
        user = await staff.account(login)
        if user is None:
            fail(f"no account {login}")
        await staff.change_user(None, user.id, {}, disabled=True)

    _with_staff(data_dir, disable)


def _password(*, from_stdin: bool, generate: bool) -> str:
    if generate:
        from conference.model.organization import new_password

        return new_password()
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    prompted: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return prompted


async def _organization_id(staff: Staff, name: str | None, level: Level) -> str:
    """The one that is meant: by name, or the only one there is."""
    if name is not None and name.strip():
        return (await staff.organization_named(name.strip(), level)).id
    known = await staff.organizations(None)
    if len(known) != 1:
        listed = ": " + ", ".join(each.name for each in known) if known else ""
        fail(f"say which --organization{listed}")
    return known[0].id


def _with_staff(data_dir: Path, use: Callable[[Staff], Awaitable[Result]]) -> Result:
    from conference.clock import SystemClock
    from conference.services.passwords import Passwords
    from conference.services.staff import Staff
    from signaling.offline import with_database

    async def run(database: Database) -> Result:
        return await use(Staff(database, Passwords(), SystemClock()))

    return with_database(data_dir, run)
