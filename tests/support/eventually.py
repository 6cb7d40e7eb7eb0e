"""Waiting for a condition with a deadline: tests wait for what must become true, never for seconds."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")


class NeverHappenedError(AssertionError):
    """The condition did not become true before the deadline."""


@overload
async def eventually(
    probe: Callable[[], Awaitable[T]],
    until: Callable[[Any], object] = ...,
    *,
    timeout_s: float = ...,
    every_s: float = ...,
    what: str = ...,
) -> T: ...


@overload
async def eventually(
    probe: Callable[[], T],
    until: Callable[[Any], object] = ...,
    *,
    timeout_s: float = ...,
    every_s: float = ...,
    what: str = ...,
) -> T: ...


async def eventually(
    probe: Callable[[], Any],
    until: Callable[[Any], object] = bool,
    *,
    timeout_s: float = 10.0,
    every_s: float = 0.05,
    what: str = "",
) -> Any:
    """Call `probe` until `until` accepts its result; give that result back.

    A failed assertion inside the probe counts as "not yet". The error tells the last result.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        trouble: AssertionError | None = None
        seen: object = None
        try:
            value = probe()
            result = await value if inspect.isawaitable(value) else value
            if until(result):
                return result
            seen = result
        except NeverHappenedError:
            raise
        except AssertionError as error:
            trouble = error
        if time.monotonic() >= deadline:
            title = what or getattr(probe, "__name__", "condition")
            last = f"last failure: {trouble}" if trouble else f"last result: {_short(seen)}"
            raise NeverHappenedError(f"{title}: not within {timeout_s:g} s; {last}") from trouble
        await asyncio.sleep(every_s)


def eventually_sync(
    probe: Callable[[], T],
    until: Callable[[T], object] = bool,
    *,
    timeout_s: float = 10.0,
    every_s: float = 0.05,
    what: str = "",
) -> T:
    """The same for code without an event loop."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = probe()
        if until(result):
            return result
        if time.monotonic() >= deadline:
            title = what or getattr(probe, "__name__", "condition")
            raise NeverHappenedError(f"{title}: not within {timeout_s:g} s; last result: {_short(result)}")
        time.sleep(every_s)


def _short(value: object, limit: int = 2000) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "…"
