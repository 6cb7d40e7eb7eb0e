"""Under which payload type a receiver can take what a publisher sends."""

from __future__ import annotations

from collections.abc import Mapping

from conference.rtc.sdp import Codec, h264_profile, packetization_mode

# A decoder of a later profile also decodes the earlier ones (RFC 6184, table 5).
_RANKS = {"constrained-baseline": 0, "baseline": 1, "main": 1, "high": 2, "high-444": 3}
_UNKNOWN = 4


def match_codec(published: Codec, accepted: Mapping[int, Codec]) -> int | None:
    """The receiver's payload type for the publisher's codec, or None when it cannot decode it."""
    if not published.is_called("H264"):
        return next((number for number, codec in accepted.items() if codec.is_called(published.name)), None)
    wanted = _RANKS.get(h264_profile(published), _UNKNOWN)
    best: tuple[int, int] | None = None
    for number, codec in accepted.items():
        if not codec.is_called("H264") or packetization_mode(codec) != "1":
            continue
        rank = _RANKS.get(h264_profile(codec), -1)
        if rank >= wanted and (best is None or rank < best[0]):
            best = (rank, number)
    return None if best is None else best[1]
