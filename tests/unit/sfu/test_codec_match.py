"""Under which number a receiver takes what a publisher sends."""

import pytest

from conference.rtc.sdp import Codec
from conference.sfu.codec_match import match_codec

VP8 = Codec(96, "VP8", 90000)


def h264(number: int, profile: str, mode: int = 1) -> Codec:
    return Codec(number, "H264", 90000, 1, f"packetization-mode={mode};profile-level-id={profile}")


ALL = [VP8, h264(98, "42e01f"), h264(100, "4d001f"), h264(102, "64001f"), h264(104, "f4001f")]
# What Chromium's answers keep: of High only the profile that contains it.
CHROMIUM = [VP8, h264(98, "42e01f"), h264(100, "4d001f"), h264(104, "f4001f")]


@pytest.mark.parametrize(
    ("published", "accepted", "number"),
    [
        (VP8, ALL, 96),
        (VP8, [h264(98, "42e01f")], None),
        (h264(125, "42c01f"), ALL, 98),
        (h264(125, "42001f"), ALL, 100),
        (h264(125, "4d0028"), ALL, 100),
        (h264(125, "640028"), ALL, 102),
        (h264(125, "640028"), CHROMIUM, 104),
        (h264(125, "f4001f"), ALL, 104),
        (h264(125, "58001f"), ALL, None),  # Extended: nobody decodes it
        (h264(125, "640028"), [h264(100, "4d001f")], None),
        (h264(125, "42e01f"), [VP8], None),
        (h264(125, "42e01f"), [h264(98, "42e01f", mode=0)], None),
    ],
)
def test_a_receiver_takes_the_lowest_profile_that_contains_it(
    published: Codec, accepted: list[Codec], number: int | None
) -> None:
    assert match_codec(published, {codec.payload_type: codec for codec in accepted}) == number
