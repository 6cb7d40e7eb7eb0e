"""Addresses of cameras: which are taken, and what of them may be shown. Pure.

An address is a URL that names a machine: never a file, never another way of FFmpeg's. What opens something (user,
password, keys in the path or behind the question mark) is shown as HIDDEN and comes back so from a form; `completed`
puts in again what was hidden, for the same machine only: who may edit an address must not be able to send its password
elsewhere.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, unquote

from conference.model.errors import ConferenceError

SCHEMES: Final = ("rtsp", "rtsps", "rtmp", "srt", "http", "https")
MAX_LENGTH: Final = 500
MAX_CREDENTIAL: Final = 100
HIDDEN: Final = "***"
_LONGEST_SHOWN: Final = 24  # of a path's segment: longer ones are keys rather than names
_URL: Final = re.compile(r"([a-zA-Z]+)://([^/?]*)([^?]*)(?:\?(.*))?", re.DOTALL)
_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST_NAME: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\.?")
_NOT_IN_URL: Final = re.compile(r"[^!-~\u00a1-\uffef]|%[01][0-9A-Fa-f]|%7[Ff]")  # encoded, too
_PLAIN_KEYS: Final = frozenset(
    {"channel", "subtype", "stream", "transportmode", "profile", "proto", "mode", "latency", "transtype", "unicast"}
)  # fmt: skip
_PLAIN_VALUE: Final = re.compile(r"\d{1,3}|[a-z]{1,12}(_?\d{1,3})?")
_PORTS: Final = {"rtsp": 554, "rtsps": 322, "rtmp": 1935, "http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class CameraAddress:
    """The parts of an address. `path` begins with a slash or is empty; `query` is what stands behind the question
    mark, None without one."""

    scheme: str
    user: str | None
    password: str | None
    host: str
    port: int | None
    path: str
    query: str | None

    @classmethod
    def parsed(cls, text: str) -> CameraAddress:
        """Raises camera_address_wrong for whatever is no address of a camera."""
        text = text.strip()
        found = _URL.fullmatch(text)
        if not text or len(text) > MAX_LENGTH or _NOT_IN_URL.search(text) or found is None:
            raise _wrong("not a URL")
        scheme, authority, path, query = found[1].lower(), found[2], found[3], found[4]
        if scheme not in SCHEMES:
            raise _wrong(f"scheme {scheme}")
        userinfo, at, machine = authority.rpartition("@")
        user, colon, password = userinfo.partition(":")
        host, port = _machine(machine)
        if port is None and scheme == "srt":
            raise _wrong("srt without a port")
        return cls(
            scheme,
            unquote(user) if at and user else None,
            unquote(password) if colon else None,
            host,
            port,
            path,
            query,
        )

    def url(self) -> str:
        """The whole of it, as it is fetched: never shown, logged or noted."""
        userinfo = ""
        if self.user is not None or self.password is not None:
            password = "" if self.password is None else f":{quote(self.password, safe='')}"
            userinfo = f"{quote(self.user or '', safe='')}{password}@"
        query = "" if self.query is None else f"?{self.query}"
        return f"{self.scheme}://{userinfo}{self.machine}{self.path}{query}"

    @property
    def machine(self) -> str:
        """Host and port as they stand in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def place(self) -> str:
        """What the trace is told: how and where, and nothing of what stands behind it."""
        return f"{self.scheme}://{self.machine}"

    def shown(self) -> str:
        """For those who edit it: without user and password, and with HIDDEN for what may be a key."""
        path = "/".join(self._shown_segment(at, each) for at, each in enumerate(self._segments))
        query = "" if self.query is None else "?" + "&".join(map(_shown_field, self.query.split("&")))
        return f"{self.place}{path}{query}"

    @property
    def _segments(self) -> list[str]:
        return self.path.split("/")

    def _shown_segment(self, at: int, segment: str) -> str:
        is_stream_key = self.scheme == "rtmp" and at >= 2 and at == len(self._segments) - 1
        return HIDDEN if segment and (is_stream_key or len(segment) > _LONGEST_SHOWN) else segment

    def is_same_machine(self, other: CameraAddress) -> bool:
        """Whether what opens the one may be sent to the other."""
        return self._way() == other._way()

    def _way(self) -> tuple[str, str, int | None]:
        return self.scheme, self.host.lower(), self.port or _PORTS.get(self.scheme)

    def completed(self, kept: CameraAddress | None) -> CameraAddress:
        """With what was hidden in the form taken from `kept`; camera_address_wrong where that cannot be."""
        if HIDDEN not in self.path and HIDDEN not in (self.query or ""):
            return self
        if kept is None or not self.is_same_machine(kept):
            raise _wrong("hidden parts for another machine")
        path = self.path
        if HIDDEN in path:
            mine, theirs = self._segments, kept._segments
            if len(mine) != len(theirs):
                raise _wrong("hidden parts of another path")
            path = "/".join(b if a == HIDDEN else a for a, b in zip(mine, theirs, strict=True))
        return replace(self, path=path, query=_completed_query(self.query, kept.query))

    def with_credentials(self, user: str | None, password: str | None) -> CameraAddress:
        """The same way in by another name."""
        for each in (user, password):
            if each is not None and (len(each) > MAX_CREDENTIAL or not each.isprintable()):
                raise ConferenceError("bad_request", "user or password of a camera")
        return replace(self, user=user or None, password=password or None)


def _wrong(detail: str) -> ConferenceError:
    """`detail` never holds a part of the address behind its scheme."""
    return ConferenceError("camera_address_wrong", detail)


def _machine(text: str) -> tuple[str, int | None]:
    """Host and port."""
    bracketed = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::(\d{1,5}))?", text)
    if bracketed is not None:
        host, port = bracketed[1], bracketed[2]
        try:
            ipaddress.IPv6Address(host)
        except ValueError as error:
            raise _wrong("IPv6 address") from error
    else:
        host, colon, port = text.partition(":")
        if not _HOST_NAME.fullmatch(host) or (colon and not re.fullmatch(r"\d{1,5}", port)):
            raise _wrong("host")
        if re.fullmatch(r"[\d.]+", host):
            try:
                ipaddress.IPv4Address(host)
            except ValueError as error:
                raise _wrong("IPv4 address") from error
    if not port:
        return host, None
    if not 0 < int(port) < 65536:
        raise _wrong("port")
    return host, int(port)


def _shown_field(field: str) -> str:
    key, equals, value = field.partition("=")
    if not equals:
        return HIDDEN if field else field
    is_plain = key.lower() in _PLAIN_KEYS and _PLAIN_VALUE.fullmatch(value.lower())
    return field if not value or is_plain else f"{key}={HIDDEN}"


def _completed_query(query: str | None, kept: str | None) -> str | None:
    """Each hidden value by its key, and what has none by its place."""
    if query is None or HIDDEN not in query:
        return query
    theirs = (kept or "").split("&")
    by_key = {key: value for key, equals, value in (each.partition("=") for each in theirs) if equals}
    fields: list[str] = []
    for at, field in enumerate(query.split("&")):
        key, equals, value = field.partition("=")
        if equals and value == HIDDEN:
            if key not in by_key:
                raise _wrong("hidden part without a key")
            fields.append(f"{key}={by_key[key]}")
        elif field == HIDDEN:
            if at >= len(theirs):
                raise _wrong("hidden part without a place")
            fields.append(theirs[at])
        else:
            fields.append(field)
    return "&".join(fields)
