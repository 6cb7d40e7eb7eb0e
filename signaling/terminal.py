"""What commands say on a terminal: how far they are, and why they end when something cannot be done."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer


def fail(message: str, code: int = 1) -> NoReturn:
    """Say why on standard error, and end."""
    typer.echo(message, err=True)
    raise typer.Exit(code)


class StatusLine:
    """One line on a terminal, written over as work goes on; nothing elsewhere. `end` is idempotent."""

    def __init__(self) -> None:
        self._shown = ""

    def show(self, line: str) -> None:
        if line != self._shown and sys.stderr.isatty():
            self._shown = line
            sys.stderr.write(f"\r{line}\033[K")
            sys.stderr.flush()

    def end(self) -> None:
        if self._shown:
            self._shown = ""
            sys.stderr.write("\n")
