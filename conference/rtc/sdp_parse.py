"""Session descriptions as peers write them: text in, one `SessionDescription` out (RFC 8866, RFC 9429).

Everything a peer may write is either understood, ignored or refused with `SdpError`. Nothing of the text is
kept but what the forwarder needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MAX_MEDIA = 200
MAX_LENGTH = 262_144

_MAX_LINES = 20_000
_MAX_SSRCS = 64  # per m-line
_MAX_EXTENSIONS = 64  # per m-line
_MAX_FEEDBACK = 16  # per payload type
_MAX_RIDS = 8  # per m-line
_MAX_FINGERPRINTS = 8

_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_KINDS = re.compile(r"[A-Za-z0-9-]{1,32}\Z", re.ASCII)
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`{|}~A-Za-z0-9]{1,64}\Z", re.ASCII)
_RID = re.compile(r"[A-Za-z0-9_-]{1,32}\Z", re.ASCII)
_ICE_VALUE = re.compile(r"[\x21-\x39\x3b-\x7e]{4,256}\Z", re.ASCII)
_HASH_NAME = re.compile(r"[a-z0-9-]{3,16}\Z", re.ASCII)
_HASH_VALUE = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){15,127}\Z", re.ASCII)
_PROTOCOL = re.compile(r"[A-Za-z0-9/]{1,32}\Z", re.ASCII)
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]", re.ASCII)

# Payload types that need no rtpmap (RFC 3551, table 4 and 5).
_STATIC_CODECS: Mapping[int, tuple[str, int, int]] = {
    0: ("PCMU", 8000, 1),
    3: ("GSM", 8000, 1),
    8: ("PCMA", 8000, 1),
    9: ("G722", 8000, 1),
    13: ("CN", 8000, 1),
    18: ("G729", 8000, 1),
    26: ("JPEG", 90000, 1),
    31: ("H261", 90000, 1),
    34: ("H263", 90000, 1),
}


class SdpError(ValueError):
    """A session description that cannot be used, or a value that must not be written into one."""


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type of an m-line. `clock_rate` in Hz; `feedback` as written after `a=rtcp-fb:<pt> `."""

    payload_type: int
    name: str
    clock_rate: int
    channels: int = 1
    fmtp: str = ""
    feedback: tuple[str, ...] = ()

    def is_called(self, name: str) -> bool:
        """Encoding names are case-insensitive (RFC 8866, section 6.6)."""
        return self.name.lower() == name.lower()

    def fmtp_value(self, key: str) -> str | None:
        """The value of one `key=value` parameter; an empty string when it stands without a value."""
        wanted = key.lower()
        for part in self.fmtp.split(";"):
            name, _, value = part.partition("=")
            if name.strip().lower() == wanted:
                return value.strip()
        return None

    @property
    def rtx_for(self) -> int | None:
        """The payload type that this one repairs (RFC 4588), or None."""
        if self.name.lower() != "rtx":
            return None
        apt = self.fmtp_value("apt")
        if apt is None or not (apt.isascii() and apt.isdigit() and len(apt) <= 3) or int(apt) > 127:
            return None
        return int(apt)


@dataclass(frozen=True, slots=True)
class Extension:
    """One `a=extmap` line (RFC 8285)."""

    id: int
    uri: str
    direction: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """ICE user fragment and password of one side (RFC 8445, section 5.3)."""

    ufrag: str
    pwd: str


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Certificate fingerprint (RFC 8122): lower-case algorithm, upper-case hex pairs with colons."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """One m-line with its attributes. `codecs` are in the order of the m-line."""

    kind: str
    mid: str
    port: int
    protocol: str
    direction: str
    bundle_only: bool
    rejected: bool
    codecs: tuple[Codec, ...]
    extensions: tuple[Extension, ...]
    stream_id: str
    track_id: str
    ssrcs: tuple[tuple[int, str], ...]  # (ssrc, cname) in order of appearance; the cname may be empty
    rtx_ssrcs: Mapping[int, int]  # primary SSRC -> RTX SSRC, from FID groups (RFC 5576)
    rids: tuple[str, ...]  # send rids in simulcast order (RFC 8853)
    rtcp_mux: bool
    rtcp_rsize: bool
    formats: str  # the m-line's own format list, to be repeated when the line is rejected

    @property
    def sends(self) -> bool:
        """Whether whoever wrote this means to send on it."""
        return not self.rejected and self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        """Whether whoever wrote this means to receive on it."""
        return not self.rejected and self.direction in ("sendrecv", "recvonly")


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A whole offer or answer; transport values are the first live m-line's, else the session's."""

    session_id: str
    session_version: int
    ice_lite: bool
    bundle: tuple[str, ...]
    media: tuple[MediaDescription, ...]
    credentials: Credentials
    fingerprints: tuple[Fingerprint, ...]
    setup: str  # "actpass", "active", "passive", "holdconn"; empty when not said


class _Section:
    """The lines of one m-line, or of the session before the first."""

    __slots__ = ("attributes", "media_line")

    def __init__(self, media_line: str) -> None:
        self.media_line = media_line
        self.attributes: dict[str, list[str]] = {}

    def add(self, attribute: str) -> None:
        name, _, value = attribute.partition(":")
        self.attributes.setdefault(name, []).append(value.strip())

    def has(self, name: str) -> bool:
        return name in self.attributes

    def first(self, name: str) -> str | None:
        values = self.attributes.get(name)
        return values[0] if values else None

    def all(self, name: str) -> Sequence[str]:
        return self.attributes.get(name, ())

    def direction(self) -> str | None:
        return next((word for word in _DIRECTIONS if word in self.attributes), None)


def integer(text: str, highest: int, what: str) -> int:
    """A non-negative decimal number that is not larger than `highest`."""
    if not (text.isascii() and text.isdigit() and len(text) <= 20) or int(text) > highest:
        raise SdpError(f"{what} is not a number up to {highest}")
    return int(text)


def lines_of(text: str, max_length: int) -> list[str]:
    """The `x=value` lines of a description or fragment; both line endings are taken."""
    if not isinstance(text, str) or len(text) > max_length:
        raise SdpError(f"longer than {max_length} characters")
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line]
    if len(lines) > _MAX_LINES:
        raise SdpError(f"more than {_MAX_LINES} lines")
    for line in lines:
        if len(line) < 2 or line[1] != "=" or not "a" <= line[0] <= "z":
            raise SdpError("a line is not of the form x=value")
    if any(_FORBIDDEN.search(line) for line in lines):
        raise SdpError("control character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SdpError("not text") from error
    return lines


def parse(text: str, max_media: int = MAX_MEDIA, max_length: int = MAX_LENGTH) -> SessionDescription:
    """Read an offer or an answer. Raises `SdpError`."""
    lines = lines_of(text, max_length)
    if not lines or lines[0] != "v=0":
        raise SdpError("does not begin with v=0")
    session = _Section("")
    sections: list[_Section] = []
    origin = ""
    current = session
    for line in lines:
        letter, value = line[0], line[2:]
        if letter == "m":
            if len(sections) >= max_media:
                raise SdpError(f"more than {max_media} m-lines")
            current = _Section(value)
            sections.append(current)
        elif letter == "a":
            current.add(value)
        elif letter == "o" and current is session:
            origin = value
    fields = origin.split()
    if len(fields) != 6 or len(fields[1]) > 64:
        raise SdpError("no usable o= line")
    default_direction = session.direction() or "sendrecv"
    taken = {mid for section in sections if (mid := section.first("mid"))}
    if len(taken) != sum(1 for section in sections if section.first("mid")):
        raise SdpError("two m-lines with one mid")
    media = tuple(
        _parse_media(section, index, default_direction, taken) for index, section in enumerate(sections)
    )
    live = [section for section, one in zip(sections, media, strict=True) if not one.rejected]
    places = [*live, session]
    credentials = next((found for place in places if (found := credentials_of(place.attributes))), None)
    fingerprints = next((prints for place in places if (prints := _fingerprints(place))), ())
    if live and credentials is None:
        raise SdpError("no ICE credentials")
    if live and not fingerprints:
        raise SdpError("no certificate fingerprint")
    return SessionDescription(
        session_id=fields[1],
        session_version=integer(fields[2], 2**64 - 1, "session version"),
        ice_lite=session.has("ice-lite"),
        bundle=_bundle(session),
        media=media,
        credentials=credentials or Credentials("", ""),
        fingerprints=fingerprints,
        setup=next((word for place in places if (word := place.first("setup"))), ""),
    )


def parse_fragment(text: str, max_length: int = 16_384) -> Credentials | None:
    """The credentials of a trickle-ice-sdpfrag (RFC 8840, RFC 9725 section 4.3), or None when it has none.

    Candidates in it are ignored: the server is ICE-lite and learns addresses from checks.
    """
    attributes: dict[str, list[str]] = {}
    for line in lines_of(text, max_length):
        if line[0] == "a":
            name, _, value = line[2:].partition(":")
            attributes.setdefault(name, []).append(value.strip())
    return credentials_of(attributes)


def credentials_of(attributes: Mapping[str, Sequence[str]]) -> Credentials | None:
    """The ICE credentials among attributes. One without the other is an error."""
    ufrag = attributes.get("ice-ufrag")
    pwd = attributes.get("ice-pwd")
    if not ufrag and not pwd:
        return None
    if not ufrag or not pwd or not _ICE_VALUE.match(ufrag[0]) or not _ICE_VALUE.match(pwd[0]):
        raise SdpError("malformed ICE credentials")
    if len(pwd[0]) < 22:
        raise SdpError("ICE password shorter than 22 characters")
    return Credentials(ufrag[0], pwd[0])


def _bundle(session: _Section) -> tuple[str, ...]:
    for group in session.all("group"):
        words = group.split()
        if words and words[0] == "BUNDLE":
            return tuple(words[1:])
    return ()


def _fingerprints(section: _Section) -> tuple[Fingerprint, ...]:
    found = []
    for line in section.all("fingerprint")[:_MAX_FINGERPRINTS]:
        algorithm, _, value = line.partition(" ")
        algorithm, value = algorithm.lower(), value.strip().upper()
        if not _HASH_NAME.match(algorithm) or not _HASH_VALUE.match(value):
            raise SdpError("malformed fingerprint")
        found.append(Fingerprint(algorithm, value))
    return tuple(found)


def _parse_media(section: _Section, index: int, default_direction: str, taken: set[str]) -> MediaDescription:
    words = section.media_line.split()
    if len(words) < 4 or not _KINDS.match(words[0]) or not _PROTOCOL.match(words[2]):
        raise SdpError("malformed m-line")
    kind, protocol, formats = words[0], words[2], words[3:]
    port = integer(words[1].partition("/")[0], 65535, "port")
    if len(formats) > 128 or not all(_TOKEN.match(word) for word in formats):
        raise SdpError("malformed format list")
    mid = section.first("mid")
    if not mid:  # an endpoint without BUNDLE may leave it out
        mid = f"_{index}"
        while mid in taken:
            mid += "_"
        taken.add(mid)
    elif not _TOKEN.match(mid):
        raise SdpError("malformed mid")
    bundle_only = section.has("bundle-only")
    is_rtp = kind in ("audio", "video") and protocol.endswith(
        ("RTP/SAVPF", "RTP/SAVP", "RTP/AVPF", "RTP/AVP")
    )
    stream_id, track_id, ssrcs = _sources(section)
    return MediaDescription(
        kind=kind,
        mid=mid,
        port=port,
        protocol=protocol,
        direction=section.direction() or default_direction,
        bundle_only=bundle_only,
        rejected=port == 0 and not bundle_only,
        codecs=_codecs(section, formats) if is_rtp else (),
        extensions=_extensions(section),
        stream_id=stream_id,
        track_id=track_id,
        ssrcs=ssrcs,
        rtx_ssrcs=_rtx_ssrcs(section),
        rids=_rids(section),
        rtcp_mux=section.has("rtcp-mux"),
        rtcp_rsize=section.has("rtcp-rsize"),
        formats=" ".join(formats),
    )


def _codecs(section: _Section, formats: Sequence[str]) -> tuple[Codec, ...]:
    names: dict[int, tuple[str, int, int]] = {}
    for line in section.all("rtpmap"):
        number, _, encoding = line.partition(" ")
        parts = encoding.strip().split("/")
        if len(parts) not in (2, 3) or not _TOKEN.match(parts[0]):
            raise SdpError("malformed rtpmap")
        channels = integer(parts[2], 255, "channels") if len(parts) == 3 else 1
        rate = integer(parts[1], 2**31, "clock rate")
        names[integer(number, 127, "payload type")] = (parts[0], rate, channels)
    fmtps: dict[str, str] = {}
    for line in section.all("fmtp"):
        number, _, value = line.partition(" ")
        fmtps.setdefault(number, value.strip())
    feedback: dict[str, list[str]] = {}
    for line in section.all("rtcp-fb"):
        number, _, value = line.partition(" ")
        listed = feedback.setdefault(number, [])
        if len(listed) < _MAX_FEEDBACK:
            listed.append(" ".join(value.split()))
    common = feedback.get("*", [])
    codecs: dict[int, Codec] = {}
    for word in formats:
        payload_type = integer(word, 127, "payload type")
        described = names.get(payload_type) or _STATIC_CODECS.get(payload_type)
        if described is None or payload_type in codecs:
            continue
        messages = tuple(dict.fromkeys(feedback.get(word, []) + common))[:_MAX_FEEDBACK]
        codecs[payload_type] = Codec(payload_type, *described, fmtps.get(word, ""), messages)
    return tuple(codecs.values())


def _extensions(section: _Section) -> tuple[Extension, ...]:
    found: dict[int, Extension] = {}
    lines = section.all("extmap")
    if len(lines) > _MAX_EXTENSIONS:
        raise SdpError(f"more than {_MAX_EXTENSIONS} header extensions")
    for line in lines:
        words = line.split()
        if len(words) < 2:
            raise SdpError("malformed extmap")
        number, _, direction = words[0].partition("/")
        if direction and direction not in _DIRECTIONS:
            raise SdpError("malformed extmap direction")
        identifier = integer(number, 4351, "extension id")  # 4096 and above: proposals without an id yet
        if 1 <= identifier <= 255:
            found.setdefault(identifier, Extension(identifier, words[1], direction or None))
    return tuple(found.values())


def _sources(section: _Section) -> tuple[str, str, tuple[tuple[int, str], ...]]:
    """Stream id, track id and the SSRCs with their CNAMEs (RFC 5576, RFC 8830)."""
    cnames: dict[int, str] = {}
    msid = section.first("msid") or ""
    for line in section.all("ssrc"):
        number, _, attribute = line.partition(" ")
        ssrc = integer(number, 2**32 - 1, "SSRC")
        name, _, value = attribute.partition(":")
        if ssrc not in cnames:
            if len(cnames) >= _MAX_SSRCS:
                raise SdpError(f"more than {_MAX_SSRCS} SSRCs")
            cnames[ssrc] = ""
        if name == "cname" and len(value) <= 255:
            cnames[ssrc] = value
        elif name == "msid" and not msid:
            msid = value
    words = msid.split()
    stream_id = words[0] if words and words[0] != "-" else ""
    return stream_id[:128], (words[1] if len(words) > 1 else "")[:128], tuple(cnames.items())


def _rtx_ssrcs(section: _Section) -> Mapping[int, int]:
    pairs: dict[int, int] = {}
    for line in section.all("ssrc-group")[:_MAX_SSRCS]:
        words = line.split()
        if len(words) == 3 and words[0] == "FID":
            pairs[integer(words[1], 2**32 - 1, "SSRC")] = integer(words[2], 2**32 - 1, "SSRC")
    return pairs


def _rids(section: _Section) -> tuple[str, ...]:
    declared = []
    for line in section.all("rid"):
        words = line.split()
        if len(words) < 2 or not _RID.match(words[0]):
            raise SdpError("malformed rid")
        if words[1] == "send" and words[0] not in declared:
            declared.append(words[0])
            if len(declared) > _MAX_RIDS:
                raise SdpError(f"more than {_MAX_RIDS} rids")
    words = (section.first("simulcast") or "").split()
    order = next((words[i + 1] for i in range(len(words) - 1) if words[i] == "send"), "")
    listed = [choice.split(",")[0].removeprefix("~") for choice in order.split(";")]
    ordered = [rid for rid in dict.fromkeys(listed) if rid in declared]
    return tuple(ordered or declared)
