"""Whether anybody is there, before a library is asked that says of all trouble the same."""

from __future__ import annotations

import socket
from typing import Final
from urllib.parse import urlsplit

from conference.ingest_events import IngestReason

_PORTS: Final = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "rtmps": 443, "http": 80, "https": 443}
_SCHEMES: Final = frozenset((*_PORTS, "srt"))
_CONNECT_S: Final = 4.0


class SourceError(Exception):
    """Nothing can be had from there. `detail` names no address."""

    def __init__(self, reason: IngestReason, detail: str = "") -> None:
        super().__init__(f"{reason} {detail}".strip())
        self.reason = reason


def reach(url: str) -> str:
    """The scheme of an address behind which somebody listens; raises SourceError."""
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        raise SourceError(IngestReason.ADDRESS_WRONG) from None
    if scheme not in _SCHEMES or not host:
        raise SourceError(IngestReason.ADDRESS_WRONG)
    if scheme not in _PORTS:
        return scheme
    try:
        socket.create_connection((host, port or _PORTS[scheme]), timeout=_CONNECT_S).close()
    except (socket.gaierror, UnicodeError):
        raise SourceError(IngestReason.ADDRESS_WRONG, "unknown host") from None
    except ConnectionRefusedError:
        raise SourceError(IngestReason.REFUSED) from None
    except OSError as error:
        raise SourceError(IngestReason.UNREACHABLE, type(error).__name__) from None
    return scheme
