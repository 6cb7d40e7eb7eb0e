"""A large file from the network: goes on where it was interrupted, and is what it should be or nothing."""

from __future__ import annotations

import hashlib
import http.client
import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, Final

from transcription.archives import Progress, sha256_of

MOST_BYTES: Final = 4 << 30
_MOST_LIST: Final = 4 << 20
_CHUNK: Final = 1 << 18
_TIMEOUT_S: Final = 30
_TRIES: Final = 5
_PAUSE_S: Final = 1.0


class DownloadError(Exception):
    """The message says why. What came is kept, unless it was the wrong file."""


def download(
    address: str, into: Path, *, sha256: str | None, listed_at: str | None, progress: Progress
) -> str:
    """The file's SHA-256. `listed_at`: a list of checksums by its makers, asked where `sha256` is None.

    Raises DownloadError, OSError.
    """
    listed = _listed(listed_at, address) if sha256 is None and listed_at is not None else None
    for tried in range(_TRIES):
        try:
            _fetch(address, into, progress)
            break
        except urllib.error.HTTPError as error:
            raise DownloadError(f"{address}: {error.code} {error.reason}") from error
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            if tried == _TRIES - 1:
                raise DownloadError(f"{address}: {error}; what came is kept, try again") from error
            time.sleep(_PAUSE_S * 2**tried)
    found = sha256_of(into, progress)
    if (sha256 is not None and found != sha256.lower()) or (listed is not None and _md5(into) != listed):
        into.unlink()
        raise DownloadError(f"{address} is another file than expected: its SHA-256 is {found}")
    return found


def _fetch(address: str, into: Path, progress: Progress) -> None:
    have = into.stat().st_size if into.exists() else 0
    request = urllib.request.Request(address, headers={"User-Agent": "yuanshang"})  # noqa: S310 - http(s), see models
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_S)  # noqa: S310
    except urllib.error.HTTPError as error:
        if have and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it is there, or the checksum will say otherwise
        raise
    with response, into.open("ab") as file:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            file.truncate(0)
            have = 0
        length = int(response.headers.get("Content-Length") or 0)
        _copy(response, file, have, have + length if length else 0, progress)


def _copy(response: IO[bytes], file: IO[bytes], have: int, whole: int, progress: Progress) -> None:
    while chunk := response.read(_CHUNK):
        file.write(chunk)
        have += len(chunk)
        if have > MOST_BYTES:
            raise DownloadError(f"more than {MOST_BYTES >> 30} GB")
        progress("download", have, whole)
    if have < whole:
        raise http.client.IncompleteRead(b"", whole - have)


def _listed(listed_at: str, address: str) -> str:
    """The MD5 that the makers name."""
    try:
        with urllib.request.urlopen(listed_at, timeout=_TIMEOUT_S) as response:  # noqa: S310
            rows = json.loads(response.read(_MOST_LIST))
        return next(str(row["md5"]) for row in rows if row["url"] == address)
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        raise DownloadError(f"{listed_at}: {error}") from error
    except (ValueError, TypeError, KeyError, StopIteration) as error:
        raise DownloadError(f"{listed_at} names no checksum of it; give one with --sha256") from error


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
