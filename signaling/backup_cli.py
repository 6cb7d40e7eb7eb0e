"""The commands `backup` and `restore`: a whole data directory into one place, and back into an empty one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from signaling.terminal import StatusLine, fail

if TYPE_CHECKING:
    from signaling.backup.errors import BackupError
    from signaling.backup.manifest import Manifest

_DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="YUANSHANG_DATA_DIR", help="Directory of the server's data.")
]
_SharedDir = Annotated[
    Path | None,
    typer.Option("--shared-dir", envvar="YUANSHANG_SHARED_DIR", help="Directory that several servers share."),
]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, for programs.")]
_DATA_DIR = Path("data")


def backup(
    target: Annotated[Path, typer.Argument(help="New directory, or file when the name ends with .tar.")],
    with_models: Annotated[bool, typer.Option("--with-models", help="Speech models, too.")] = False,
    database_url: Annotated[
        str | None, typer.Option(help="PostgreSQL. Default: the database that the server last used.")
    ] = None,
    as_json: _Json = False,
    data_dir: _DataDir = _DATA_DIR,
    shared_dir: _SharedDir = None,
) -> None:
    """备份：Take a backup of the whole data directory, also while a meeting is running. It holds keys: keep it safe.

    With it that of the shared directory: without --shared-dir, the one that the server last used."""
    from signaling.backup.errors import BackupError
    from signaling.backup.text import backup_text
    from signaling.backup.writer import write_backup
    from signaling.data_dir import DataDirectory
    from signaling.database import database_url as remembered

    directory = DataDirectory.remembered(data_dir, shared_dir)
    counter = _Counter("已复制")
    try:
        url = _postgresql(database_url) or remembered(directory)
        manifest = write_backup(
            directory, target, database_url=url, with_models=with_models, told=counter.add
        )
    except BackupError as error:
        counter.end()
        _refuse(error, as_json=as_json)
    counter.end()
    _say(manifest, target, as_json=as_json, text=backup_text)


def restore(
    source: Annotated[Path, typer.Argument(help="Backup: a directory or a .tar file.")],
    check: Annotated[bool, typer.Option("--check", help="Only check that the backup is whole.")] = False,
    database_url: Annotated[
        str | None, typer.Option(help="An empty PostgreSQL database, for a backup of PostgreSQL.")
    ] = None,
    as_json: _Json = False,
    data_dir: _DataDir = _DATA_DIR,
    shared_dir: _SharedDir = None,
) -> None:
    """恢复：Put a backup in place in an empty data directory, after all its hashes were checked.

    With --shared-dir recordings and programs go there, which must be empty, too."""
    from signaling.backup.errors import BackupError
    from signaling.backup.restorer import check_backup, restore_backup
    from signaling.backup.text import check_text, restore_text
    from signaling.data_dir import DataDirectory

    counter = _Counter("已核对")
    try:
        if check:
            manifest, place, text = check_backup(source, told=counter.add), source, check_text
        else:
            directory = DataDirectory.given(data_dir, shared_dir)
            url = _postgresql(database_url)
            manifest = restore_backup(source, directory, database_url=url, told=counter.add)
            place, text = directory.path, restore_text
    except BackupError as error:
        counter.end()
        _refuse(error, as_json=as_json)
    counter.end()
    _say(manifest, place, as_json=as_json, text=text)


def _postgresql(url: str | None) -> str | None:
    """As the engine wants it."""
    if url is None:
        return None
    from pydantic import ValidationError

    from signaling.settings import Settings

    try:
        return Settings(database_url=url).database_url
    except ValidationError as error:
        fail(error.errors()[0]["msg"], code=2)


def _say(manifest: Manifest, place: Path, *, as_json: bool, text: Callable[[Manifest, Path], str]) -> None:
    if not as_json:
        typer.echo(text(manifest, place))
        return
    body: dict[str, Any] = {
        "ok": True,
        "path": str(place.absolute()),
        "software": manifest.software,
        "moment_ms": manifest.moment_ms,
        "database": manifest.database,
        "schema_version": manifest.schema_version,
        "files": len(manifest.files),
        "size_bytes": manifest.size_bytes,
        "missing": manifest.missing,
    }
    typer.echo(json.dumps(body, ensure_ascii=False))


def _refuse(error: BackupError, *, as_json: bool) -> NoReturn:
    if as_json:
        said = {"code": error.code, "message": error.chinese, "detail": error.detail}
        typer.echo(json.dumps({"ok": False, "error": said}, ensure_ascii=False))
    typer.echo(str(error), err=True)
    raise typer.Exit(1)


class _Counter:
    """Gigabytes on a terminal."""

    def __init__(self, doing: str) -> None:
        self._doing = doing
        self._bytes = 0
        self._line = StatusLine()

    def add(self, size: int) -> None:
        self._bytes += size
        self._line.show(f"{self._doing} {self._bytes / 1e9:.2f} GB")

    def end(self) -> None:
        self._line.end()
