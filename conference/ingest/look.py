"""One look at a source: its first picture as JPEG and what it sends, or why there is nothing."""

from __future__ import annotations

import io
import time
from typing import Final

import av
from PIL import Image

from conference.ingest import messages, nal
from conference.ingest.reach import SourceError
from conference.ingest.source import Source, open_clip, open_stream
from conference.ingest.transcoder import fitted
from conference.ingest_events import IngestKind, IngestReason

_PATIENCE_S: Final = 10.0
_QUALITY: Final = 80
_MOST_PIXELS: Final = 4096 * 2304


def look_at(job: messages.Job) -> messages.Look | messages.Failed:
    """Within some fifteen seconds."""
    is_clip = job.kind == IngestKind.CLIP
    try:
        if is_clip:
            source = open_clip(job.url, want_video=job.want_video, want_sound=job.want_sound)
        else:
            source = open_stream(job.url, job.transport, want_video=job.want_video, want_sound=job.want_sound)
        try:
            return _look(source)
        finally:
            source.close()
    except SourceError as error:
        return messages.Failed(error.reason.value)


def _look(source: Source) -> messages.Look:
    """Raises SourceError."""
    video = source.video
    has_sound = source.audio is not None
    if video is None:
        assert source.audio is not None
        return messages.Look(b"", 0, 0, source.audio.codec_context.name, has_sound, False)
    codec = video.codec_context.name
    length_size, sets = nal.read_extradata(bytes(video.codec_context.extradata or b""))
    needs_transcoding = codec != "h264" or not _fits(sets)
    until_s = time.monotonic() + _PATIENCE_S
    came = False
    try:
        for packet in source.container.demux(video):
            if not packet.size or time.monotonic() > until_s:
                break
            came = True
            if codec == "h264":
                picture = nal.Picture(nal.units_of(bytes(packet), length_size))
                needs_transcoding = needs_transcoding or picture.has_b or not _fits(picture.sets)
            for frame in video.codec_context.decode(packet):
                if frame.width * frame.height > _MOST_PIXELS:
                    raise SourceError(IngestReason.CODEC_UNKNOWN)
                needs_transcoding = needs_transcoding or video.codec_context.has_b_frames
                size = (frame.width, frame.height)
                return messages.Look(_jpeg(frame), *size, codec, has_sound, bool(needs_transcoding))
    except av.FFmpegError as error:
        reason = IngestReason.GARBAGE if came else IngestReason.NO_PICTURE
        raise SourceError(reason, type(error).__name__) from None
    raise SourceError(IngestReason.GARBAGE if came else IngestReason.NO_PICTURE)


def _fits(sets: list[bytes]) -> bool:
    sps = nal.first_set(sets, nal.SPS)
    return sps is None or nal.is_for_browsers(sps)


def _jpeg(frame: av.VideoFrame) -> bytes:
    width, height = fitted(frame.width, frame.height)
    out = io.BytesIO()
    small = frame.reformat(width, height, "rgb24")
    Image.fromarray(small.to_ndarray()).save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
