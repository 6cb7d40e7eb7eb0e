"""Which codecs and header extensions we take, and the fixed numbers that we offer them under.

Publishers: Opus; VP8, then H264 in constrained baseline; Main and High only from those who have nothing else,
cameras and encoders. Receivers: whatever of VP8 and H264 they decode, so that any publisher can reach them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from conference.rtc.sdp_parse import Codec, MediaDescription

# Payload types of the offers that the server makes.
OPUS = 111
VP8 = 96
VP8_RTX = 97
H264_BASELINE = 98
H264_BASELINE_RTX = 99
H264_MAIN = 100
H264_MAIN_RTX = 101
H264_HIGH = 102
H264_HIGH_RTX = 103
H264_HIGH_444 = 104
H264_HIGH_444_RTX = 105

# Header extension ids of the offers that the server makes.
AUDIO_LEVEL = 1
VIDEO_ORIENTATION = 4
TRANSPORT_CC = 5

MID_URI = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID_URI = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID_URI = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
AUDIO_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME_URI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
VIDEO_ORIENTATION_URI = "urn:3gpp:video-orientation"
TRANSPORT_CC_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

PUBLISHER_EXTENSIONS = frozenset(
    {
        MID_URI,
        RID_URI,
        REPAIRED_RID_URI,
        AUDIO_LEVEL_URI,
        ABS_SEND_TIME_URI,
        VIDEO_ORIENTATION_URI,
        TRANSPORT_CC_URI,
    }
)
PLAYER_EXTENSIONS = frozenset({AUDIO_LEVEL_URI, VIDEO_ORIENTATION_URI, TRANSPORT_CC_URI})

VIDEO_FEEDBACK = ("nack", "nack pli", "ccm fir")
# What receivers are offered besides: who does not number packets over the whole transport may say a rate.
_OFFERED_FEEDBACK = (*VIDEO_FEEDBACK, "transport-cc", "goog-remb")

_OPUS_KEYS = ("minptime", "useinbandfec", "usedtx")
_NUMBER = re.compile(r"[0-9]{1,9}\Z", re.ASCII)
_PROFILE = re.compile(r"[0-9A-Fa-f]{6}\Z", re.ASCII)
_BASELINE_DEFAULT = "42e01f"  # what senders without profile-level-id mean in practice


def _h264(payload_type: int, rtx: int, profile_level_id: str) -> tuple[Codec, Codec]:
    fmtp = f"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={profile_level_id}"
    return Codec(payload_type, "H264", 90000, 1, fmtp, _OFFERED_FEEDBACK), _rtx(rtx, payload_type)


def _rtx(payload_type: int, primary: int) -> Codec:
    return Codec(payload_type, "rtx", 90000, 1, f"apt={primary}")


OFFERED_AUDIO = (Codec(OPUS, "opus", 48000, 2, "minptime=10;useinbandfec=1", ("transport-cc",)),)
OFFERED_VIDEO = (
    Codec(VP8, "VP8", 90000, 1, "", _OFFERED_FEEDBACK),
    _rtx(VP8_RTX, VP8),
    *_h264(H264_BASELINE, H264_BASELINE_RTX, "42e01f"),
    *_h264(H264_MAIN, H264_MAIN_RTX, "4d001f"),
    *_h264(H264_HIGH, H264_HIGH_RTX, "64001f"),
    # Chromium's software decoder goes by this name only, and decodes High as every decoder of this profile does.
    *_h264(H264_HIGH_444, H264_HIGH_444_RTX, "f4001f"),
)


def profile_level_id(codec: Codec) -> str:
    """Six lower-case hex digits (RFC 6184, section 8.1)."""
    value = codec.fmtp_value("profile-level-id") or ""
    return value.lower() if _PROFILE.match(value) else _BASELINE_DEFAULT


def h264_profile(codec: Codec) -> str:
    """ "constrained-baseline", "baseline", "main", "high", "high-444" or "other" (RFC 6184, table 5)."""
    value = profile_level_id(codec)
    profile, constraints = int(value[:2], 16), int(value[2:4], 16)
    if (
        (profile == 0x42 and constraints & 0x40)
        or (profile == 0x4D and constraints & 0x80)
        or (profile == 0x58 and constraints & 0xC0 == 0xC0)
    ):
        return "constrained-baseline"
    return {0x42: "baseline", 0x4D: "main", 0x64: "high", 0xF4: "high-444"}.get(profile, "other")


def packetization_mode(codec: Codec) -> str:
    return codec.fmtp_value("packetization-mode") or "0"


def choose_for_publisher(media: MediaDescription) -> tuple[Codec, ...]:
    """What a publisher may send on this m-line, best first, each with its RTX; empty: nothing."""
    if media.kind == "audio":
        return tuple(_answer_opus(codec) for codec in _opus(media))[:1]
    if media.kind != "video":
        return ()
    h264 = [codec for codec in media.codecs if codec.is_called("H264") and codec.clock_rate == 90000]
    whole = [codec for codec in h264 if packetization_mode(codec) == "1"]
    chosen = _vp8(media)[:1] + [one for one in whole if h264_profile(one) == "constrained-baseline"]
    # Cameras and encoders that know one profile only: theirs. Mode 0 has no fragments, so every receiver of
    # mode 1 can read it.
    chosen = chosen or whole or [codec for codec in h264 if packetization_mode(codec) == "0"]
    return _with_rtx(media, [_answer_video(codec) for codec in chosen])


def choose_for_player(media: MediaDescription) -> tuple[Codec, ...]:
    """What we may send to a receiver that made this offer, under its payload types."""
    if media.kind == "audio":
        return tuple(_answer_opus(codec) for codec in _opus(media))[:1]
    if media.kind != "video":
        return ()
    h264 = [
        codec
        for codec in media.codecs
        if codec.is_called("H264") and codec.clock_rate == 90000 and packetization_mode(codec) == "1"
    ]
    return _with_rtx(media, [_answer_video(codec) for codec in _vp8(media)[:1] + h264])


def choose_extensions(
    media: MediaDescription, wanted: frozenset[str], ours: str, codecs: Sequence[Codec]
) -> Mapping[str, int]:
    """URI to the offer's id, of the extensions that we take part in with direction `ours`.

    The transport-wide sequence number is taken only where its feedback is: who adds it waits for reports.
    """
    refused = "sendonly" if ours == "sendonly" else "recvonly"  # the offerer's direction that excludes ours
    feedback = any("transport-cc" in codec.feedback for codec in codecs)
    return {
        extension.uri: extension.id
        for extension in media.extensions
        if extension.uri in wanted
        and extension.direction not in (refused, "inactive")
        and (extension.uri != TRANSPORT_CC_URI or feedback)
    }


def _opus(media: MediaDescription) -> list[Codec]:
    return [codec for codec in media.codecs if codec.is_called("opus") and codec.clock_rate == 48000]


def _vp8(media: MediaDescription) -> list[Codec]:
    return [codec for codec in media.codecs if codec.is_called("VP8") and codec.clock_rate == 90000]


def _answer_opus(codec: Codec) -> Codec:
    values = [(key, codec.fmtp_value(key) or "") for key in _OPUS_KEYS]
    fmtp = ";".join(f"{key}={value}" for key, value in values if _NUMBER.match(value))
    feedback = tuple(one for one in codec.feedback if one == "transport-cc")
    return Codec(codec.payload_type, "opus", 48000, 2, fmtp, feedback)


def _answer_video(codec: Codec) -> Codec:
    wanted = [*VIDEO_FEEDBACK, "transport-cc" if "transport-cc" in codec.feedback else "goog-remb"]
    feedback = tuple(one for one in wanted if one in codec.feedback)
    if codec.is_called("VP8"):
        return Codec(codec.payload_type, "VP8", 90000, 1, "", feedback)
    # Only what was offered comes back: GStreamer intersects its own stream with what the answer names.
    parts = []
    if codec.fmtp_value("level-asymmetry-allowed") == "1":
        parts.append("level-asymmetry-allowed=1")
    if codec.fmtp_value("packetization-mode") is not None:
        parts.append("packetization-mode=" + ("1" if packetization_mode(codec) == "1" else "0"))
    if codec.fmtp_value("profile-level-id") is not None:
        parts.append(f"profile-level-id={profile_level_id(codec)}")
    return Codec(codec.payload_type, "H264", 90000, 1, ";".join(parts), feedback)


def _with_rtx(media: MediaDescription, codecs: Sequence[Codec]) -> tuple[Codec, ...]:
    repair: dict[int, int] = {}
    for codec in media.codecs:
        if (primary := codec.rtx_for) is not None:
            repair.setdefault(primary, codec.payload_type)
    found: list[Codec] = []
    for codec in codecs:
        found.append(codec)
        if codec.payload_type in repair:
            found.append(_rtx(repair[codec.payload_type], codec.payload_type))
    return tuple(found)
