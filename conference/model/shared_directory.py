"""By what servers of one database know the directory that they share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SharedDirectoryId:
    """`is_marked`: the directory has said the same before, so that one which says nothing is another."""

    id: str
    is_marked: bool
