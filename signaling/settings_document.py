"""docs/settings.md, from the settings themselves: `python -m signaling.settings_document > docs/settings.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from signaling.settings import Settings

_HEAD = """# Settings

Every setting is an option of `yuanshang serve`, an environment variable and a key of the TOML file that `--config`
names. The command line stands above the environment, that above the file. This page is made from
`signaling/settings.py`.

| option | environment | key in the file | default | meaning |
| --- | --- | --- | --- | --- |
"""
_FOOT = """
Addresses and networks that may be several are repeated as options, separated by commas in the environment, and a list
in the file. Passwords belong into the environment or the file: everybody on the machine may read a command line.

The other commands (`yuanshang user`, `token`, `archive export`, …) take `--data-dir` (`YUANSHANG_DATA_DIR`). They work
on the database of `YUANSHANG_DATABASE_URL`, else on the one that the server of this data directory last used; what
reads files knows its shared directory in the same way (`--shared-dir` of `backup` names another).

**Several servers** share one PostgreSQL (`database_url`), one Redis (`redis_url`), one file of keys (`key_file` on
a share, or copies: docs/operation.md) and one `shared_dir`, or what one recorded cannot be had from the others
(docs/operation.md, *A shared directory*). Set `node_name` where host name and port change with a restart. With
`node_url`, by which the others reach it, each server passes on what belongs to a room of another, so that people may
come to any of them; the servers' addresses then belong into each
other's `trusted_proxies`. Media goes to the server that holds the room, by its own `media_address`: see
docs/architecture.md, *Several nodes*. `kill -USR1` drains a server: it opens no more rooms, answers 503 with
`draining` to `/readyz`, and ends when the rooms that it has are empty.
"""


def settings_document() -> str:
    """The page."""
    return _HEAD + "\n".join(_rows()) + "\n" + _FOOT


def _rows() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        default = field.default
        if default is None or default == ():
            shown = ""
        elif isinstance(default, bool):
            shown = "on" if default else "off"
        else:
            shown = f"`{default}`"
        option = f"`--{name.replace('_', '-')}`"
        yield f"| {option} | `YUANSHANG_{name.upper()}` | `{name}` | {shown} | {field.description} |"


if __name__ == "__main__":
    sys.stdout.write(settings_document())
