"""Work that asks a disk which may never answer: a file server that is gone holds who asks it for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar

Result = TypeVar("Result")

PATIENCE_S: Final = 10.0


def begin(work: Callable[[], Result]) -> Future[Result]:
    """Do it in a thread of its own, which nobody waits for when the program ends."""
    done: Future[Result] = Future()
    done.set_running_or_notify_cancel()  # nobody can take it back any more

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 whatever it is belongs to who waits
            done.set_exception(error)
        else:
            done.set_result(result)

    threading.Thread(target=run, name="asks a disk", daemon=True).start()
    return done


async def in_time(work: Callable[[], Result], patience_s: float = PATIENCE_S) -> Result:
    """What `work` says; TimeoutError where it does not answer, whatever it may do later."""
    async with asyncio.timeout(patience_s):
        return await asyncio.wrap_future(begin(work))
