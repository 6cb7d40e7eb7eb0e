"""The command `serve`: from what was given on the command line to a running server."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import structlog

from conference.model.errors import ConferenceError
from signaling import log
from signaling.app import serve
from signaling.console import Ready, ready_json, ready_text
from signaling.data_dir import DataDirectoryError
from signaling.given_settings import settings_given
from signaling.start_error import StartError
from signaling.terminal import fail


def run(given: Mapping[str, Any], config: Path | None) -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = settings_given(given, config)
    log.configure(settings.log_level)

    def announce(ready: Ready) -> None:
        text = ready_json(ready) + "\n" if settings.ready_json else ready_text(ready)
        sys.stdout.write(text)
        sys.stdout.flush()

    try:
        asyncio.run(serve(settings, announce))
    except (StartError, DataDirectoryError) as error:
        fail(str(error))
    except ConferenceError as error:
        fail(error.detail or error.text)
    except ExceptionGroup as group:
        refused = group.subgroup(ConferenceError)  # by what had to be taken up before the first request
        if refused is None:
            raise
        fail("\n".join(_words(refused)))
    _leave()


def _words(group: ExceptionGroup[ConferenceError]) -> Iterator[str]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _words(error)
        else:
            yield error.detail or error.text


def _leave() -> None:
    """End at once: everything is closed by now. The interpreter would walk its whole heap first, which takes half
    a second (and many on a busy machine), and would wait for a thread whose query was cancelled at the wrong moment.
    """
    lingering = [
        each.name for each in threading.enumerate() if each is not threading.main_thread() and not each.daemon
    ]
    if lingering:
        structlog.get_logger(__name__).warning("server.threads_left", threads=lingering)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
