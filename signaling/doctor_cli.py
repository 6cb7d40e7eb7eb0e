"""The command `doctor`, with the options of `serve`: what is looked at depends on them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

_NOT_OURS: Final = ("demo", "ready_json_line")
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, for programs.")]


def doctor_like(serve: Callable[..., None]) -> Callable[..., None]:
    """The command, taking every option of `serve` that says what a server is like."""

    def doctor(**options: Any) -> None:
        """自检：Check everything a meeting stands on, and say what to do. Exit code 1 when something is 不行.

        Give the options that the server is started with. Nothing beyond this machine is asked."""
        as_json = options.pop("as_json")
        config: Path | None = options.pop("config")
        _examine(options, config, as_json=as_json)

    taken = inspect.signature(serve, eval_str=True).parameters
    kept = [each for name, each in taken.items() if name not in _NOT_OURS]
    ours = inspect.Parameter(
        "as_json", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=False, annotation=_Json
    )
    signature = inspect.Signature([*kept, ours])
    doctor.__signature__ = signature  # type: ignore[attr-defined]
    doctor.__annotations__ = {each.name: each.annotation for each in signature.parameters.values()}
    return doctor


def _examine(options: Mapping[str, Any], config: Path | None, *, as_json: bool) -> None:
    import asyncio

    from signaling import log
    from signaling.doctor.examination import examine
    from signaling.doctor.findings import Grade
    from signaling.doctor.text import doctor_json, doctor_text
    from signaling.given_settings import settings_given

    given = {
        name: ",".join(each) if isinstance(each, list) else each
        for name, each in options.items()
        if each is not None and each != []
    }
    settings = settings_given(given, config)
    with log.silenced():  # what is found is said once, in plain words
        findings = asyncio.run(examine(settings))
    typer.echo(doctor_json(findings) if as_json else doctor_text(settings, findings))
    if any(each.grade is Grade.BAD for each in findings):
        raise typer.Exit(1)
