"""The commands `model …`: speech models in the data directory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from signaling.terminal import StatusLine, fail

model_app = typer.Typer(help="Speech models in the data directory.", no_args_is_help=True)

_DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="YUANSHANG_DATA_DIR", help="Directory of the server's data.")
]
_DATA_DIR = Path("data")
_BAR = 30


@model_app.command("install")
def install_model(
    what: Annotated[
        str, typer.Argument(help="zh-small (44 MB), zh-big (1.3 GB), a folder, an archive or an address.")
    ] = "zh-small",
    sha256: Annotated[str | None, typer.Option(help="SHA-256 of the archive; needed for an address.")] = None,
    data_dir: _DataDir = _DATA_DIR,
) -> None:
    """Put a speech model in place; a running server takes it within seconds. Prints its name."""
    from signaling.data_dir import DataDirectory, DataDirectoryError
    from transcription.models import ModelError, install

    directory = DataDirectory(data_dir)
    bar = _Bar()
    try:
        directory.create()
        placed = install(directory.models, what, sha256=sha256, progress=bar.show)
    except (ModelError, DataDirectoryError) as error:
        bar.end()
        fail(str(error))
    bar.end()
    typer.echo(placed.name)


@model_app.command("list")
def list_models(data_dir: _DataDir = _DATA_DIR) -> None:
    """Installed models, one a line: name, engine, MB, what is wrong; the one in use has a star."""
    from signaling.data_dir import DataDirectory
    from transcription.models import newest, table

    models = DataDirectory(data_dir).models
    used = newest(models)
    for name, engine, size_bytes, reason in table(models):
        star = "*" if used is not None and used.name == name else ""
        typer.echo("\t".join((name + star, engine, f"{size_bytes / 1e6:.0f}", reason)))


class _Bar:
    """Progress on a terminal."""

    def __init__(self) -> None:
        self._line = StatusLine()

    def show(self, doing: str, done: int, whole: int) -> None:
        filled = _BAR * done // whole if whole else 0
        share = f"[{'#' * filled:<{_BAR}}] {100 * done // whole:3d} %" if whole else f"{done / 1e6:.0f} MB"
        self._line.show(f"{doing:<10}{share}")

    def end(self) -> None:
        self._line.end()
