"""Opening a source with FFmpeg, and why that failed in words that somebody can act on.

Addresses come from people: FFmpeg is let take the protocols of streams alone, never files or lists that name others,
and what it says of a failure is not passed on, because the address with its password stands in it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from conference.ingest.reach import SourceError, reach
from conference.ingest_events import IngestReason

_OPEN_S: Final = 10.0
READ_S: Final = 5.0  # without a packet it is gone
_PROBE_US: Final = 1_000_000
_PROTOCOLS: Final = "rtp,rtcp,udp,tcp,tls,http,https,httpproxy,rtmp,rtmps,rtmpt,rtmpe,srt,crypto,data"
_CLIP_FORMATS: Final = "mov,mp4,matroska,webm"
_RTSP: Final = ("rtsp", "rtsps")
_RTMP: Final = ("rtmp", "rtmps")


@dataclass(frozen=True, slots=True)
class Source:
    """An opened source with what is wanted of it."""

    container: InputContainer
    video: VideoStream | None
    audio: AudioStream | None
    is_live: bool  # it comes in its own time; else it is read as fast as one asks

    def close(self) -> None:
        self.container.close()


def open_stream(url: str, transport: str, *, want_video: bool, want_sound: bool) -> Source:
    """A camera or stream. Raises SourceError."""
    scheme = reach(url)
    options = {"protocol_whitelist": _PROTOCOLS, "analyzeduration": str(_PROBE_US), "fpsprobesize": "0"}
    if scheme in _RTSP:
        media = [kind for kind, wanted in (("video", want_video), ("audio", want_sound)) if wanted]
        options |= {
            "rtsp_transport": transport,
            "allowed_media_types": "+".join(media),
            "timeout": str(int(READ_S * 1e6)),
            "max_delay": "200000",
            "user_agent": "Yuanshang",
        }
    elif scheme in ("http", "https"):
        options |= {"user_agent": "Yuanshang", "rw_timeout": str(int(READ_S * 1e6))}
    elif scheme in _RTMP:
        options |= {"rtmp_live": "live", "rw_timeout": str(int(READ_S * 1e6))}
    began_s = time.monotonic()
    try:
        container = av.open(url, options=options, timeout=(_OPEN_S, READ_S))
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = _reason_of(error)
        if reason is IngestReason.GARBAGE and time.monotonic() - began_s >= READ_S:
            reason = IngestReason.NO_PICTURE  # FFmpeg says so of who never answered, too
        raise SourceError(reason, type(error).__name__) from None
    is_live = scheme in (*_RTSP, *_RTMP, "srt")
    return _chosen(container, want_video=want_video, want_sound=want_sound, is_live=is_live)


def open_clip(path: str, *, want_video: bool, want_sound: bool) -> Source:
    """A file that was prepared. Raises SourceError."""
    options = {"protocol_whitelist": "file", "format_whitelist": _CLIP_FORMATS}
    try:
        container = av.open(f"file:{path}", options=options)
    except (av.FFmpegError, OSError, ValueError) as error:
        is_there = not isinstance(error, FileNotFoundError)
        reason = IngestReason.GARBAGE if is_there else IngestReason.NOT_FOUND
        raise SourceError(reason, type(error).__name__) from None
    return _chosen(container, want_video=want_video, want_sound=want_sound, is_live=False)


def _chosen(container: InputContainer, *, want_video: bool, want_sound: bool, is_live: bool) -> Source:
    """The first track of each kind that can be decoded."""
    video = next((each for each in container.streams.video if want_video and _is_known(each)), None)
    audio = next((each for each in container.streams.audio if want_sound and _is_known(each)), None)
    if video is None and audio is None:
        container.close()
        raise SourceError(IngestReason.CODEC_UNKNOWN)
    return Source(container, video, audio, is_live)


def _is_known(stream: VideoStream | AudioStream) -> bool:
    try:
        return stream.codec_context is not None and bool(stream.codec_context.name)
    except (AttributeError, av.FFmpegError):
        return False


_REASONS: Final[tuple[tuple[type[Exception], IngestReason], ...]] = (
    (av.error.HTTPUnauthorizedError, IngestReason.PASSWORD_WRONG),
    (av.error.HTTPForbiddenError, IngestReason.PASSWORD_WRONG),
    (av.error.HTTPNotFoundError, IngestReason.NOT_FOUND),
    (av.error.HTTPServerError, IngestReason.NO_PICTURE),  # the device is there and has none
    (av.error.HTTPClientError, IngestReason.NOT_FOUND),
    (av.error.ProtocolNotFoundError, IngestReason.ADDRESS_WRONG),
    (av.error.ConnectionRefusedError, IngestReason.REFUSED),
    (av.error.ExitError, IngestReason.NO_PICTURE),  # our own patience has ended
    (av.error.TimeoutError, IngestReason.NO_PICTURE),
    (av.error.InvalidDataError, IngestReason.GARBAGE),
    (av.error.LookupError, IngestReason.CODEC_UNKNOWN),
)


def _reason_of(error: Exception) -> IngestReason:
    """For a source behind whose port somebody answered, and from which nothing came yet: one that hangs up (an RTMP
    server without an encoder does) has no picture."""
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), IngestReason.NO_PICTURE)
