"""The law of the kills: whatever a service writes into the trace has a case in which it is killed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from conference import services
from tests.unit.storage import (
    airing_stage,
    clips_stage,
    comments_stage,
    exports_stage,
    keys_stage,
    listening_stage,
    minutes_stage,
    preparing_stage,
    proceedings_stage,
    rehearsals_stage,
    responses_stage,
    transcript_stage,
)

SERVICES = Path(services.__path__[0])
ACTION = re.compile(r"[a-z]+\.[a-z_]+")
STAGES = (
    airing_stage,
    clips_stage,
    comments_stage,
    exports_stage,
    keys_stage,
    listening_stage,
    minutes_stage,
    preparing_stage,
    proceedings_stage,
    rehearsals_stage,
    responses_stage,
    transcript_stage,
)
KILLED = {kind.split()[0] for stage in STAGES for kind in stage.KINDS}


def _actions(tree: ast.AST) -> Iterator[str]:
    """Names of actions in the code; `thing.*` where the verb is computed. What is logged is none."""
    if isinstance(tree, ast.Call) and ast.unparse(tree.func).startswith("log."):
        return
    match tree:
        case ast.Constant(value=str(text)) if ACTION.fullmatch(text):
            yield text
        case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]) if re.fullmatch(r"[a-z]+\.", start):
            yield f"{start}*"
    for child in ast.iter_child_nodes(tree):
        yield from _actions(child)


def _written() -> set[str]:
    return {each for path in SERVICES.rglob("*.py") for each in _actions(ast.parse(path.read_text("utf-8")))}


def test_every_action_of_the_services_is_killed() -> None:
    written = _written()
    assert {"floor.granted", "participant.*", "user.logged_in"} <= written, "nothing is found any more"
    computed = {each[:-1] for each in written if each.endswith("*")}
    missing = written - KILLED - {f"{each}*" for each in computed}
    assert missing == set()
    assert {each for each in computed if not any(kind.startswith(each) for kind in KILLED)} == set()


def test_every_kind_is_an_action_of_the_services() -> None:
    """Its own test sees to it that the line is really written."""
    written = _written()
    computed = tuple(each[:-1] for each in written if each.endswith("*"))
    assert {kind for kind in KILLED if kind not in written and not kind.startswith(computed)} == set()
