"""The commands `keys …`: the keys of an installation, their rotation, and what to do when one leaked.

They work beside a running server, which notices within seconds.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from signaling.terminal import fail

if TYPE_CHECKING:
    from conference.model.keyset import KeySet
    from conference.services.key_changes import KeyChanges, Standing
    from conference.storage.database import Database
    from signaling.key_file import KeyFile

keys_app = typer.Typer(help="密钥：the keys that sign links and tokens.", no_args_is_help=True)

_DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="YUANSHANG_DATA_DIR", help="Directory of the server's data.")
]
_KeyFile = Annotated[
    Path | None,
    typer.Option(
        envvar="YUANSHANG_KEY_FILE", help="File of the keys. Default: the one that the server last used."
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, for programs.")]
_DATA_DIR = Path("data")

Result = TypeVar("Result")


@keys_app.command("list")
def list_keys(as_json: _Json = False, key_file: _KeyFile = None, data_dir: _DataDir = _DATA_DIR) -> None:
    """Every key: its id, its age, and whether it signs, is accepted until when, or is over."""
    from conference.clock import SystemClock
    from signaling.data_dir import DataDirectoryError
    from signaling.keys_text import keys_json, keys_text

    try:
        found = _file(data_dir, key_file).read()
    except DataDirectoryError as error:
        fail(str(error))
    now_ms = SystemClock().wall_ms()
    typer.echo(json.dumps(keys_json(found, now_ms)) if as_json else keys_text(found, now_ms))


@keys_app.command("rotate")
def rotate_keys(
    overlap: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=400,
            help="Days for which the former key is accepted. Default: 30, and until a week after the last "
            "meeting that is planned and the last link of a department.",
        ),
    ] = None,
    key_file: _KeyFile = None,
    data_dir: _DataDir = _DATA_DIR,
) -> None:
    """轮换密钥：A new key signs from now on. What the former one signed is good for the overlap; nobody is put out."""
    from signaling.keys_text import rotated_text

    async def rotate(changes: KeyChanges) -> tuple[KeySet, int, int]:
        wanted = await changes.overlap_days()
        days = wanted if overlap is None else overlap
        return await changes.rotate(days), days, wanted

    found, days, wanted = _with_changes(data_dir, key_file, rotate)
    typer.echo(rotated_text(found, days, wanted, is_shared=_is_shared(data_dir, key_file)))


@keys_app.command("retire")
def retire_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the key, as `keys list` shows it.")],
    now: Annotated[
        bool, typer.Option("--now", help="Also while a meeting goes on: who came in by it is put out.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    key_file: _KeyFile = None,
    data_dir: _DataDir = _DATA_DIR,
) -> None:
    """停用密钥：A key leaked. Nothing that it signed is believed from now on; if it signs, a new one does."""
    from conference.model.keyset import KeyState
    from signaling.keys_text import retired_text, warning_text

    async def look(changes: KeyChanges) -> Standing:
        key = file.read().find(key_id)
        if key is None:
            fail(f"没有密钥 {key_id}；用 yuanshang keys list 查看 (no such key)")
        if key.state(0) is KeyState.RETIRED:
            fail(f"密钥 {key_id} 已经停用 (it is retired already)")
        return await changes.standing_on(key)

    async def retire(changes: KeyChanges) -> KeySet:
        return await changes.retire(key_id, is_urgent=now)

    file = _file(data_dir, key_file)
    standing = _with_changes(data_dir, key_file, look)
    if standing.running and not now:
        fail(
            f"正在开会：{'、'.join(standing.running)}。凭这个密钥进来的人会被请出，要用新链接再进。\n"
            "请等散会后再停用；密钥确已被人利用、等不得，加 --now。(a meeting goes on; --now retires it all the same)"
        )
    typer.echo(warning_text(key_id, standing), err=True)
    if not yes and not typer.confirm("确定停用吗？(retire it?)", err=True):
        raise typer.Exit(1)
    typer.echo(retired_text(_with_changes(data_dir, key_file, retire), key_id))


def _file(data_dir: Path, key_file: Path | None) -> KeyFile:
    from signaling.data_dir import DataDirectory, DataDirectoryError
    from signaling.key_file import KeyFile

    directory = DataDirectory(data_dir.resolve())
    if not directory.path.is_dir():
        fail(f"{directory.path} 不存在 (no such directory)")
    try:
        return KeyFile(directory, key_file.resolve() if key_file else directory.remembered_key_file())
    except DataDirectoryError as error:
        fail(str(error))


def _is_shared(data_dir: Path, key_file: Path | None) -> bool:
    """Whether other servers, if there are any, have the same file."""
    from signaling.data_dir import DataDirectory

    directory = DataDirectory(data_dir.resolve())
    is_alone = directory.remembered_database() is None
    return is_alone or key_file is not None or directory.remembered_key_file() is not None


def _with_changes(
    data_dir: Path, key_file: Path | None, use: Callable[[KeyChanges], Awaitable[Result]]
) -> Result:
    from conference.clock import SystemClock
    from conference.services.key_changes import KeyChanges
    from signaling.key_file import new_key
    from signaling.offline import with_database

    file = _file(data_dir, key_file)

    async def run(database: Database) -> Result:
        return await use(KeyChanges(database, SystemClock(), file, new_key))

    return with_database(data_dir, run)
