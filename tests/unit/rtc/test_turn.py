"""The gate before the relay: which peers a client may name, and as what the relay knows them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.rtc import stun, turn
from tests.support.turn_client import attribute, key_of, peer_attribute, peer_of

SECRET, REALM = "secret", "here"
PUBLIC, TARGET = ("203.0.113.9", 7882), ("127.0.0.1", 7882)
TRANSACTION = bytes(range(12))
USERNAME = "1800000000:p1"


def gate(*more: turn.Address) -> turn.TurnGate:
    return turn.TurnGate(secret=SECRET, realm=REALM, peers={PUBLIC, *more}, target=TARGET[0])


def request(kind: int, *peers: turn.Address, password: str | None = None) -> bytes:
    """Signed as a client does that got this credential, or another password."""
    username = attribute(stun.USERNAME, USERNAME.encode())
    named = b"".join(peer_attribute(each, TRANSACTION) for each in peers)
    password = password if password is not None else turn.credential(SECRET, USERNAME)
    return stun.build(kind, TRANSACTION, username + named, key_of(USERNAME, REALM, password))


def indication(kind: int, peer: turn.Address, data: bytes = b"packet") -> bytes:
    return stun.build(kind, TRANSACTION, peer_attribute(peer, TRANSACTION) + attribute(0x0013, data), None)


@pytest.mark.parametrize("kind", [turn.CREATE_PERMISSION, turn.CHANNEL_BIND])
def test_our_media_is_named_to_the_relay_as_it_finds_it(kind: int) -> None:
    onward = gate().from_client(request(kind, PUBLIC))
    message = stun.parse(onward)
    assert peer_of(message) == TARGET
    password = turn.credential(SECRET, USERNAME)
    assert stun.verify(message, key_of(USERNAME, REALM, password)), "signed anew"
    assert message.username == USERNAME


@pytest.mark.parametrize(
    "peer",
    [
        ("203.0.113.9", 22),
        ("203.0.113.10", 7882),
        TARGET,
        ("127.0.0.1", 53),
        ("::1", 7882),
        ("10.0.0.1", 7882),
    ],
)
def test_no_other_peer_can_be_named(peer: turn.Address) -> None:
    for frame in (
        request(turn.CREATE_PERMISSION, peer),
        request(turn.CHANNEL_BIND, peer),
        indication(turn.SEND_INDICATION, peer),
        request(turn.CREATE_PERMISSION, PUBLIC, peer),
    ):
        one = gate()
        assert one.from_client(frame) == b""
        assert one.dropped == 1


def test_a_request_that_is_not_signed_right_is_not_signed_for_its_sender() -> None:
    assert gate().from_client(request(turn.CHANNEL_BIND, PUBLIC, password="guessed")) == b""


def test_one_name_of_our_media_counts_for_a_connection() -> None:
    second = ("198.51.100.7", 7882)
    one = gate(second)
    assert one.from_client(request(turn.CREATE_PERMISSION, PUBLIC))
    assert one.from_client(request(turn.CREATE_PERMISSION, second)) == b""
    assert one.from_client(request(turn.CHANNEL_BIND, PUBLIC))


def test_what_the_relay_brings_bears_the_name_that_the_client_knows() -> None:
    one = gate()
    brought = indication(turn.DATA_INDICATION, TARGET)
    assert one.from_relay(brought) == b"", "nothing was asked for yet"
    one.from_client(indication(turn.SEND_INDICATION, PUBLIC))
    message = stun.parse(one.from_relay(brought))
    assert peer_of(message) == PUBLIC
    assert message.attributes[0x0013] == b"packet"


def test_congestion_leaves_media_out_and_answers_in() -> None:
    one = gate()
    one.from_client(indication(turn.SEND_INDICATION, PUBLIC))
    answer = stun.build(0x0109, TRANSACTION, b"", None)
    channel = b"\x40\x00\x00\x05abcde\x00\x00\x00"
    stream = channel + answer + indication(turn.DATA_INDICATION, TARGET)
    assert one.from_relay(stream, congested=True) == answer
    assert one.from_relay(channel) == channel


@given(st.lists(st.binary(max_size=30), max_size=8), st.data())
def test_frames_come_out_whole_however_they_are_cut(payloads: list[bytes], data: st.DataObject) -> None:
    frames = [b"\x40\x01" + len(each).to_bytes(2, "big") + each + bytes(-len(each) & 3) for each in payloads]
    frames.append(stun.build(turn.REFRESH, TRANSACTION, b"", None))
    stream = b"".join(frames)
    one, out, at = gate(), b"", 0
    while at < len(stream):
        size = data.draw(st.integers(1, len(stream) - at))
        out += one.from_client(stream[at : at + size])
        at += size
    assert out == stream


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_garbage_ends_the_connection_or_goes_nowhere(pieces: list[bytes]) -> None:
    one = gate()
    with contextlib.suppress(turn.TurnError):
        for each in pieces:
            one.from_client(each)
    two = gate()
    with contextlib.suppress(turn.TurnError):
        for each in pieces:
            two.from_relay(each)


@given(
    st.binary(max_size=120),
    st.sampled_from([turn.CREATE_PERMISSION, turn.CHANNEL_BIND, turn.SEND_INDICATION]),
)
def test_no_bytes_whatever_reach_another_peer(body: bytes, kind: int) -> None:
    body += bytes(-len(body) & 3)
    frame = kind.to_bytes(2, "big") + len(body).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + TRANSACTION + body
    onward = gate().from_client(frame)
    if onward:
        assert peer_of(stun.parse(onward)) == TARGET


@pytest.mark.parametrize(
    "stream", [b"\x50\x00\x00\x00", b"\x00\x01\xff\xfc", b"\x00\x01\x00\x03", b"\x40\x00\xff\xff"]
)
def test_a_stream_that_is_no_turn_is_refused(stream: bytes) -> None:
    with pytest.raises(turn.TurnError):
        gate().from_client(stream)
