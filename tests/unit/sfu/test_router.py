"""A packet leaves the same whether it goes by the batch or alone, and bears each receiver's own numbers."""

import socket
from types import SimpleNamespace
from typing import Any

import pylibsrtp
from hypothesis import given, settings
from hypothesis import strategies as st

from conference.net.batch import SendBatch
from conference.rtc.bandwidth import SendHistory
from conference.rtc.layer_selector import MAX_TEMPORAL
from conference.rtc.srtp import buffer_view
from conference.sfu import router
from conference.sfu.lane import Lane

_KEY = bytes(range(44))
_PROFILE = pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM


def _session(direction: int) -> pylibsrtp.Session:
    policy = pylibsrtp.Policy(key=_KEY, ssrc_type=direction, srtp_profile=_PROFILE)
    policy.allow_repeat_tx = True
    return pylibsrtp.Session(policy)


class _Kept:
    """A batch whose packets are read instead of sent."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        kept = self._batch = SendBatch(self._socket)
        self.view, self.offsets, self.pointers = kept.view, kept.offsets, kept.pointers
        self.lengths, self.names = kept.lengths, kept.names
        self.count = self.sent_bytes = 0
        self.sent: list[tuple[int, bytes]] = []

    def flush(self) -> None:
        for i in range(self.count):
            packet = bytes(buffer_view(self.pointers[i], self.lengths[2 * i + 1]))
            self.sent.append((self.names[8 * i], packet))
        self.count = 0

    def close(self) -> None:
        self._socket.close()


class _Alone:
    """Takes single packets, as a transport by TCP."""

    def __init__(self, offsets: tuple[int, int, int, int], number: int, wide: int) -> None:
        self.sequence_offset, self.timestamp_offset, self.picture_offset, self.tl0_offset = offsets
        self.ssrc = self.name = 1000 + number
        self.protect_errors = 0
        self.history = SendHistory()
        self.history.next = wide
        self.sent: list[bytes] = []

    def take(self, shape: router.Shape, out: bytes, sequence: int, timestamp: int, now: float) -> None:
        """What Subscription.send_alone does."""
        packet = bytearray(out)
        router._FIELDS(
            packet,
            2,
            (sequence + self.sequence_offset) & 0xFFFF,
            (timestamp + self.timestamp_offset) & 0xFFFFFFFF,
            self.ssrc,
        )
        if shape.transport_cc_id:
            number = self.history.add((now, len(packet), 0))
            packet[router.NUMBER_AT : router.NUMBER_AT + 2] = number.to_bytes(2, "big")
        self.sent.append(bytes(packet))


_shapes = st.builds(
    router.Shape,
    payload_type=st.integers(96, 127),
    audio_level_id=st.sampled_from((0, 3)),
    orientation_id=st.sampled_from((0, 4)),
    transport_cc_id=st.sampled_from((0, 5, 14)),
)
_offsets = st.tuples(
    st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.integers(0, 0x7FFF), st.integers(0, 0xFF)
)
_pictures = st.sampled_from(
    (
        b"\x90\xe0\xff\xfe\xff\x20",  # 15 bits, tl0picidx, temporal layer 0
        b"\x80\xe0\x81\x02\x03\x60",
        b"\x90\x80\x9a\xbc",  # a picture id alone
        b"\x90\xe0\x11\x22\x40",  # 7 bits
        b"\x90\x20\x00",  # none
        b"\x10",  # no extension at all
    )
)


@settings(max_examples=150, deadline=None)
@given(
    shape=_shapes,
    receivers=st.lists(_offsets, min_size=1, max_size=25),
    head=_pictures,
    payload=st.binary(min_size=4, max_size=60),
    packets=st.integers(1, 12),
    first=st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.integers(0, 1 << 20)),
    level=st.sampled_from((-1, 0x85)),
    orientation=st.sampled_from((-1, 1)),
    in_lane=st.booleans(),
)
def test_batch_and_single_packets_are_equal(
    shape: router.Shape,
    receivers: list[tuple[int, int, int, int]],
    head: bytes,
    payload: bytes,
    packets: int,
    first: tuple[int, int, int],
    level: int,
    orientation: int,
    in_lane: bool,
) -> None:
    sequence, timestamp, wide = first
    sessions = [_session(pylibsrtp.Policy.SSRC_ANY_OUTBOUND) for _ in receivers]
    batched: list[Any] = [_Alone(offsets, n, wide) for n, offsets in enumerate(receivers)]
    alone: list[Any] = [_Alone(offsets, n, wide) for n, offsets in enumerate(receivers)]
    for member, session in zip(batched, sessions, strict=True):
        member.handle = session._srtp[0]
    for member in alone:
        member.send_alone = lambda out, number, at, now, to=member: to.take(shape, out, number, at, now)
    batch = _Kept()
    source: Any = SimpleNamespace()
    groups = []
    for members, way in ((batched, batch), (alone, None)):
        group = router.Group(shape, way, Lane(source, MAX_TEMPORAL) if in_lane else None)
        group.members = members
        groups.append(group)
    for n in range(packets):
        number = (sequence + n) & 0xFFFF
        packet = bytes((0x80, 0x60)) + number.to_bytes(2, "big") + timestamp.to_bytes(4, "big") + bytes(4)
        packet += head + payload
        router.forward(groups, packet, number, timestamp, 12, len(packet), level, orientation, float(n))
    batch.flush()
    batch.close()
    inbound = {member.ssrc: _session(pylibsrtp.Policy.SSRC_ANY_INBOUND) for member in batched}
    came: dict[int, list[bytes]] = {member.ssrc: [] for member in batched}
    for name, data in batch.sent:
        came[name].append(inbound[name].unprotect(data))
    for one, other in zip(batched, alone, strict=True):
        assert came[one.ssrc] == other.sent
        assert one.history.next == other.history.next
        assert one.history.marks == other.history.marks
        assert one.protect_errors == 0
