"""How a command ends that cannot be done."""

from __future__ import annotations

from typing import NoReturn

import typer


def fail(message: str, code: int = 1) -> NoReturn:
    """Say why on standard error, and end."""
    typer.echo(message, err=True)
    raise typer.Exit(code)
