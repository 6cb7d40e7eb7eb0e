"""Opus packets: how long they sound (RFC 6716, section 3.1)."""

from __future__ import annotations

SAMPLE_RATE = 48000
_MAX_SAMPLES = 5760  # 120 ms


class OpusError(ValueError):
    """No Opus packet."""


def duration(packet: bytes | memoryview) -> int:
    """Samples at 48 kHz, which are ticks of RTP time. Raises `OpusError`."""
    if not len(packet):
        raise OpusError("empty")
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:
        samples = (480, 960, 1920, 2880)[config & 3]
    elif config < 16:
        samples = (480, 960)[config & 1]
    else:
        samples = (120, 240, 480, 960)[config & 3]
    frames = (1, 2, 2, 0)[code]
    if code == 3:
        if len(packet) < 2:
            raise OpusError("frame count is cut")
        frames = packet[1] & 0x3F
    if not frames or frames * samples > _MAX_SAMPLES:
        raise OpusError("frame count")
    return frames * samples


def channels(packet: bytes | memoryview) -> int:
    """1 or 2, as coded; decoders give either. Raises `OpusError`."""
    if not len(packet):
        raise OpusError("empty")
    return 2 if packet[0] & 4 else 1
