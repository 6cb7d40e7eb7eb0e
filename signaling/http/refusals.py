"""The refusals that most handlers share, as parts of what they say that they answer."""

from __future__ import annotations

from typing import TypeAlias

from aiohttp_pydantic.oas.typing import r400, r401, r403, r404

from signaling.http.resources import Problem

# Who asks is not known or may not, or there is no such thing.
NotForThem: TypeAlias = r401[Problem] | r403[Problem] | r404[Problem]
# And what was asked could not be read.
Refused: TypeAlias = r400[Problem] | NotForThem
