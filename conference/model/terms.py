"""Terms (词表): names, places and words of policy that recognition gets wrong, and how they are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_TERMS: Final = 50_000
MAX_TERM: Final = 40  # characters


@dataclass(frozen=True, slots=True)
class Term:
    """Plain text, never a pattern. Without `wrong` it is only told to engines that take hot words."""

    right: str
    wrong: str = ""
