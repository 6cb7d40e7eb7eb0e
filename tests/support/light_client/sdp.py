"""Session descriptions as the light client needs them: read what a server says, write offers and answers."""

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["audio", "video"]

MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
AUDIO_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
TRANSPORT_CC_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
ORIENTATION_URI = "urn:3gpp:video-orientation"
RID_URI = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID_URI = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"

OPUS, VP8, VP8_RTX, H264, H264_RTX = 111, 96, 97, 98, 99
EXTENSIONS = {MID_URI: 1, AUDIO_LEVEL_URI: 2, TRANSPORT_CC_URI: 3, ORIENTATION_URI: 4, RID_URI: 5}
EXTENSIONS[REPAIRED_RID_URI] = 6
_VIDEO_CODECS = {"VP8": (VP8, VP8_RTX), "H264": (H264, H264_RTX)}
_VIDEO_FEEDBACK = ("nack", "nack pli", "ccm fir", "goog-remb")
_DIRECTIONS = ("sendonly", "recvonly", "sendrecv", "inactive")


@dataclass
class MediaSection:
    """One m-line and what belongs to it."""

    kind: str
    port: int
    protocol: str
    formats: list[str]
    mid: str = ""
    direction: str = "sendrecv"
    lines: list[str] = field(default_factory=list)

    def _values(self, prefix: str) -> Iterable[str]:
        return (line[len(prefix) :] for line in self.lines if line.startswith(prefix))

    def payload_type(self, codec: str) -> int | None:
        """Payload type of the first mapping of `codec`."""
        for value in self._values("a=rtpmap:"):
            number, _, name = value.partition(" ")
            if name.partition("/")[0].lower() == codec.lower():
                return int(number)
        return None

    def codec(self, payload_type: int) -> str | None:
        """Name of the codec that is mapped to a payload type."""
        for value in self._values("a=rtpmap:"):
            number, _, name = value.partition(" ")
            if int(number) == payload_type:
                return name.partition("/")[0]
        return None

    def rtx(self) -> dict[int, int]:
        """Payload type of retransmissions → payload type of what they repeat."""
        found: dict[int, int] = {}
        for value in self._values("a=fmtp:"):
            match = re.match(r"(\d+) (?:.*;)?\s*apt=(\d+)", value)
            if match:
                found[int(match[1])] = int(match[2])
        return found

    def extension(self, uri: str) -> int | None:
        """Id of a header extension."""
        for value in self._values("a=extmap:"):
            number, _, name = value.partition(" ")
            if name.split()[0] == uri:
                return int(number.partition("/")[0])
        return None

    def ssrcs(self) -> list[int]:
        """Declared SSRCs in order of appearance."""
        return list(dict.fromkeys(int(value.split()[0]) for value in self._values("a=ssrc:")))

    def rtx_ssrcs(self) -> dict[int, int]:
        """SSRC of retransmissions → SSRC of what they repeat (FID groups)."""
        pairs = (value.split() for value in self._values("a=ssrc-group:FID "))
        return {int(pair[1]): int(pair[0]) for pair in pairs if len(pair) == 2}

    def msid(self) -> tuple[str, str] | None:
        """(stream id, track id)."""
        for value in self._values("a=msid:"):
            stream, _, track = value.partition(" ")
            return stream, track
        return None


class SessionDescription:
    """Just enough of a parsed session description; everything is taken to be in one bundle."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.media: list[MediaSection] = []
        self.ufrag = self.password = self.setup = ""
        self.fingerprint: tuple[str, str] | None = None
        self.candidates: list[tuple[str, int]] = []
        self.tcp_candidates: list[tuple[str, int]] = []
        self.ice_lite = False
        for line in text.replace("\r", "").split("\n"):
            self._read(line)
        # Each m-line repeats them. A server that announces several is reached through loopback first.
        self.tcp_candidates = list(dict.fromkeys(self.tcp_candidates))
        self.candidates = list(dict.fromkeys(self.candidates))
        self.candidates.sort(key=lambda address: not address[0].startswith("127."))

    def _read(self, line: str) -> None:
        if line.startswith("m="):
            kind, port, protocol, *formats = line[2:].split()
            self.media.append(MediaSection(kind, int(port), protocol, formats))
            return
        section = self.media[-1] if self.media else None
        if section is not None:
            section.lines.append(line)
        name, _, value = line.removeprefix("a=").partition(":")
        value = value.strip()
        if name == "ice-lite":
            self.ice_lite = True
        elif name == "ice-ufrag":
            self.ufrag = self.ufrag or value
        elif name == "ice-pwd":
            self.password = self.password or value
        elif name == "fingerprint" and self.fingerprint is None:
            algorithm, _, digest = value.partition(" ")
            self.fingerprint = (algorithm.lower(), digest.strip().upper())
        elif name == "setup":
            self.setup = self.setup or value
        elif name == "candidate":
            self._read_candidate(value.split())
        elif section is not None and name == "mid":
            section.mid = value
        elif section is not None and name in _DIRECTIONS:
            section.direction = name

    def _read_candidate(self, parts: list[str]) -> None:
        address = parts[4]
        if parts[1] != "1" or ":" in address or address.endswith(".local"):
            return
        if parts[2].lower() == "udp":
            self.candidates.append((address, int(parts[5])))
        elif "active" not in parts[8:]:
            self.tcp_candidates.append((address, int(parts[5])))

    def section(self, kind: Kind) -> MediaSection | None:
        """The first m-line of that kind."""
        return next((section for section in self.media if section.kind == kind), None)


@dataclass(frozen=True)
class TransportLines:
    """What our transport says of itself in each m-line."""

    ufrag: str
    password: str
    fingerprint: str
    host: str
    port: int

    def render(self, setup: str) -> list[str]:
        """The lines."""
        return [
            f"c=IN IP4 {self.host}",
            "a=rtcp:9 IN IP4 0.0.0.0",
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.password}",
            f"a=fingerprint:sha-256 {self.fingerprint}",
            f"a=setup:{setup}",
            "a=rtcp-mux",
            f"a=candidate:1 1 udp 2130706431 {self.host} {self.port} typ host",
            "a=end-of-candidates",
        ]


@dataclass(frozen=True)
class OfferedTrack:
    """One m-line of an offer. `ssrc` None: we only receive. Encodings with `rids` are not declared by SSRC."""

    kind: Kind
    ssrc: int | None = None
    rtx_ssrc: int | None = None
    codecs: Sequence[str] = ("VP8",)
    rtx: bool = False
    transport_cc: bool = False
    stream_id: str = "light"
    rids: Sequence[str] = ()


def _head(mids: Sequence[str], session_id: int, version: int) -> list[str]:
    return [
        "v=0",
        f"o=- {session_id} {version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE " + " ".join(mids),
        "a=msid-semantic: WMS *",
    ]


def _codec_lines(track: OfferedTrack) -> tuple[list[int], list[str]]:
    if track.kind == "audio":
        return [OPUS], [f"a=rtpmap:{OPUS} opus/48000/2", f"a=fmtp:{OPUS} minptime=10;useinbandfec=1"]
    feedback = (*_VIDEO_FEEDBACK, *(("transport-cc",) if track.transport_cc else ()))
    numbers: list[int] = []
    lines: list[str] = []
    for name in track.codecs:
        number, repeat = _VIDEO_CODECS[name]
        numbers.append(number)
        lines += [f"a=rtpmap:{number} {name}/90000", *(f"a=rtcp-fb:{number} {value}" for value in feedback)]
        if name == "H264":
            lines.append(
                f"a=fmtp:{number} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
            )
        if track.rtx:
            numbers.append(repeat)
            lines += [f"a=rtpmap:{repeat} rtx/90000", f"a=fmtp:{repeat} apt={number}"]
    return numbers, lines


def build_offer(
    transport: TransportLines, tracks: Sequence[OfferedTrack], session_id: int, version: int = 2
) -> str:
    """An offer: sendonly m-lines for tracks with an SSRC, recvonly for the others."""
    out = _head([str(number) for number in range(len(tracks))], session_id, version)
    for number, track in enumerate(tracks):
        formats, codec_lines = _codec_lines(track)
        out.append(f"m={track.kind} 9 UDP/TLS/RTP/SAVPF " + " ".join(map(str, formats)))
        out += transport.render("actpass")
        uris = [MID_URI, AUDIO_LEVEL_URI if track.kind == "audio" else ORIENTATION_URI]
        uris += [TRANSPORT_CC_URI] if track.transport_cc else []
        uris += [RID_URI, REPAIRED_RID_URI] if track.rids else []
        out += [f"a=mid:{number}", *(f"a=extmap:{EXTENSIONS[uri]} {uri}" for uri in uris)]
        out += ["a=sendonly" if track.ssrc is not None else "a=recvonly", "a=rtcp-rsize", *codec_lines]
        if track.ssrc is not None:
            identity = f"{track.stream_id} {track.stream_id}-{track.kind}"
            out.append(f"a=msid:{identity}")
            if track.rids:
                out += [
                    *(f"a=rid:{rid} send" for rid in track.rids),
                    f"a=simulcast:send {';'.join(track.rids)}",
                ]
                continue
            ssrcs = [track.ssrc] if track.rtx_ssrc is None else [track.ssrc, track.rtx_ssrc]
            if len(ssrcs) == 2:
                out.append("a=ssrc-group:FID " + " ".join(map(str, ssrcs)))
            out += [f"a=ssrc:{ssrc} cname:{track.stream_id}" for ssrc in ssrcs]
            out += [f"a=ssrc:{ssrc} msid:{identity}" for ssrc in ssrcs]
    return "\r\n".join(out) + "\r\n"


def build_answer(
    transport: TransportLines,
    offer: SessionDescription,
    session_id: int,
    version: int = 2,
    codecs: Sequence[str] = ("opus", "VP8", "H264", "rtx"),
    extensions: Sequence[str] = (MID_URI, AUDIO_LEVEL_URI, ORIENTATION_URI),
) -> str:
    """Answer recvonly to each m-line that sends, with those of its codecs and extensions that we know."""
    out = _head([section.mid for section in offer.media], session_id, version)
    known = {name.lower() for name in codecs}
    for section in offer.media:
        repeats = section.rtx()
        kept: set[int] = set()
        for number in map(int, section.formats):
            base = repeats.get(number, number)
            names = {(section.codec(number) or "").lower(), (section.codec(base) or "").lower()}
            if names <= known:
                kept.add(number)
        formats = [number for number in section.formats if int(number) in kept]
        out.append(
            f"m={section.kind} {9 if formats else 0} {section.protocol} "
            + " ".join(formats or section.formats[:1])
        )
        out += transport.render("active")
        active = section.direction in ("sendonly", "sendrecv") and formats
        out += [f"a=mid:{section.mid}", "a=recvonly" if active else "a=inactive"]
        for line in section.lines:
            match = re.match(r"a=(?:rtpmap|fmtp|rtcp-fb):(\d+) (.*)", line)
            told = TRANSPORT_CC_URI in extensions or not match or "transport-cc" not in match[2]
            if (match and int(match[1]) in kept and told) or (
                line.startswith("a=extmap:") and any(line.split()[1] == uri for uri in extensions)
            ):
                out.append(line)
    return "\r\n".join(out) + "\r\n"


def new_session_id() -> int:
    """For the o= line."""
    return random.getrandbits(52)
