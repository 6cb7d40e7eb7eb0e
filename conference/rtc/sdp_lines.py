"""The lines that our session descriptions are made of, each checked before it is written (RFC 8866, 8839).

Whatever comes from outside passes `checked`, so that no value can add a line.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from conference.rtc.sdp_parse import Codec, Credentials, Fingerprint, MediaDescription, SdpError

PROTOCOL = "UDP/TLS/RTP/SAVPF"

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}\Z", re.ASCII)
MID = re.compile(r"[!#$%&'*+\-.^_`{|}~A-Za-z0-9]{1,64}\Z", re.ASCII)
_ICE = re.compile(r"[A-Za-z0-9+/]{4,256}\Z", re.ASCII)
_FOUNDATION = re.compile(r"[A-Za-z0-9+/]{1,32}\Z", re.ASCII)
_HASH = re.compile(r"[a-z0-9-]{3,16} [0-9A-F]{2}(:[0-9A-F]{2}){15,127}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One address of ours that peers may reach (RFC 8839, section 5.1; TCP: RFC 6544)."""

    address: str
    port: int
    protocol: Literal["udp", "tcp"]
    foundation: str
    priority: int
    component: int = 1


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """Our side of a transport. `setup` is "actpass" in an offer; in an answer "active" is a wish."""

    credentials: Credentials
    fingerprint: Fingerprint
    setup: Literal["active", "passive", "actpass"]
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class OfferSlot:
    """One m-line towards a receiver. Inactive slots keep their place and carry nothing."""

    mid: str
    kind: str
    active: bool
    stream_id: str
    track_id: str
    ssrc: int
    rtx_ssrc: int | None
    cname: str


def host_candidate(
    address: str, port: int, protocol: Literal["udp", "tcp"], local_preference: int = 65535
) -> Candidate:
    """A host candidate with the priority of RFC 8445 section 5.1.2; TCP stands below every UDP one."""
    type_preference = 126 if protocol == "udp" else 90
    priority = (type_preference << 24) | ((local_preference & 0xFFFF) << 8) | 255
    foundation = f"{protocol}{local_preference & 0xFFFF:x}"
    return Candidate(address, port, protocol, foundation, priority)


def session_lines(session_id: int, session_version: int, mids: Sequence[str]) -> list[str]:
    if not 0 <= session_id < 2**63 or not 0 <= session_version < 2**63:
        raise SdpError("session id or version out of range")
    lines = ["v=0", f"o=- {session_id} {session_version} IN IP4 127.0.0.1", "s=-", "t=0 0"]
    return [*lines, *([group_line(mids)] if mids else []), "a=ice-lite", "a=msid-semantic: WMS *"]


def group_line(mids: Sequence[str]) -> str:
    return "a=group:BUNDLE " + " ".join(checked(MID, mid) for mid in mids)


def media_lines(kind: str, protocol: str, codecs: Sequence[Codec]) -> list[str]:
    numbers = " ".join(str(codec.payload_type) for codec in codecs)
    return [f"m={kind} 9 {protocol} {numbers}", "c=IN IP4 0.0.0.0"]


def ice_lines(transport: LocalTransport) -> list[str]:
    credentials = transport.credentials
    return [
        f"a=ice-ufrag:{checked(_ICE, credentials.ufrag)}",
        f"a=ice-pwd:{checked(_ICE, credentials.pwd)}",
    ]


def candidate_lines(transport: LocalTransport) -> list[str]:
    lines = []
    for one in transport.candidates:
        try:
            address = ipaddress.ip_address(one.address)
        except ValueError as error:
            raise SdpError("a candidate's address is no IP address") from error
        if (
            one.protocol not in ("udp", "tcp")
            or not 0 < one.port < 65536
            or getattr(address, "scope_id", None)
        ):
            raise SdpError("malformed candidate")
        tcp = " tcptype passive" if one.protocol == "tcp" else ""
        foundation = checked(_FOUNDATION, one.foundation)
        lines.append(
            f"a=candidate:{foundation} {one.component:d} {one.protocol} {one.priority:d}"
            f" {address} {one.port:d} typ host{tcp}"
        )
    return [*lines, "a=end-of-candidates"]


def transport_lines(transport: LocalTransport, setup: str, with_candidates: bool) -> list[str]:
    fingerprint = f"{transport.fingerprint.algorithm} {transport.fingerprint.value}"
    lines = [*ice_lines(transport), "a=ice-options:trickle"]
    lines += [f"a=fingerprint:{checked(_HASH, fingerprint)}", f"a=setup:{setup}"]
    return lines + (candidate_lines(transport) if with_candidates else [])


def extension_lines(media: MediaDescription, extensions: Mapping[str, int]) -> list[str]:
    reverse = {"sendonly": "recvonly", "recvonly": "sendonly", "sendrecv": "sendrecv"}
    said = {one.id: one.direction for one in media.extensions}
    lines = []
    for uri, number in extensions.items():
        direction = said.get(number)
        lines.append(f"a=extmap:{number}{'/' + reverse[direction] if direction else ''} {uri}")
    return lines


def codec_lines(codecs: Sequence[Codec]) -> list[str]:
    lines = []
    for codec in codecs:
        channels = f"/{codec.channels}" if codec.channels > 1 else ""
        lines.append(f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}")
        lines += [f"a=rtcp-fb:{codec.payload_type} {one}" for one in codec.feedback]
        if codec.fmtp:
            lines.append(f"a=fmtp:{codec.payload_type} {codec.fmtp}")
    return lines


def source_lines(slot: OfferSlot, with_rtx: bool) -> list[str]:
    msid = f"{checked(_ID, slot.stream_id)} {checked(_ID, slot.track_id)}"
    cname = checked(_ID, slot.cname)
    ssrcs = [slot.ssrc] + ([slot.rtx_ssrc] if with_rtx and slot.rtx_ssrc is not None else [])
    if not all(0 < ssrc < 2**32 for ssrc in ssrcs):
        raise SdpError("SSRC out of range")
    lines = [f"a=msid:{msid}"]
    if len(ssrcs) == 2:
        lines.append(f"a=ssrc-group:FID {ssrcs[0]} {ssrcs[1]}")
    for ssrc in ssrcs:
        lines += [f"a=ssrc:{ssrc} cname:{cname}", f"a=ssrc:{ssrc} msid:{msid}"]
    return lines


def checked(pattern: re.Pattern[str], value: str) -> str:
    if not pattern.match(value):
        raise SdpError("a value has characters that must not stand in a session description")
    return value


def text_of(lines: Sequence[str]) -> str:
    return "\r\n".join(lines) + "\r\n"
