"""How many files and sockets this process may have open."""

from __future__ import annotations

import contextlib
import resource

_ENOUGH = 65_536


def raise_descriptor_limit() -> None:
    """Take as many as the system allows without asking: the usual 1,024 are fewer than the people in a large room.
    Children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(hard, _ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
