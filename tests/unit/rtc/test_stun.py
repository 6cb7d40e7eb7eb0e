"""STUN against the vectors of RFC 5769 and against anything else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.rtc import stun

# RFC 5769, section 2.1 to 2.3.
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff"
    "80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf"
)
RESPONSE_V4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
    "80280004c07d4c96"
)
RESPONSE_V6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed41"
    "80280004c8fb0b4c"
)
PASSWORD = "VOkJxbRl1RmTxUk/WvJxBt"
TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")


def test_the_request_of_rfc_5769() -> None:
    message = stun.parse(REQUEST)
    assert stun.is_stun(REQUEST)
    assert message.type == stun.BINDING_REQUEST
    assert message.transaction_id == TRANSACTION
    assert message.username == "evtj:h6vY"
    assert message.attributes[stun.PRIORITY] == bytes.fromhex("6e0001ff")
    assert stun.verify(message, PASSWORD)
    assert not stun.verify(message, PASSWORD + "x")
    assert stun.peek_local_ufrag(REQUEST) == "evtj"


@pytest.mark.parametrize(
    ("data", "address"),
    [(RESPONSE_V4, ("192.0.2.1", 32853)), (RESPONSE_V6, ("2001:db8:1234:5678:11:2233:4455:6677", 32853))],
)
def test_the_responses_of_rfc_5769(data: bytes, address: tuple[str, int]) -> None:
    message = stun.parse(data)
    assert message.type == stun.BINDING_SUCCESS
    assert stun.verify(message, PASSWORD)
    assert stun.mapped_address(message) == address


@pytest.mark.parametrize("address", [("192.0.2.1", 32853), ("2001:db8::1", 1), ("fe80::1", 65535)])
def test_a_success_response_says_where_the_check_came_from(address: tuple[str, int]) -> None:
    message = stun.parse(stun.build_success(TRANSACTION, address, PASSWORD))
    assert stun.verify(message, PASSWORD)
    assert stun.mapped_address(message) == address
    assert message.transaction_id == TRANSACTION


def test_mapped_and_scoped_addresses_are_written_plainly() -> None:
    mapped = stun.parse(stun.build_success(TRANSACTION, ("::ffff:192.0.2.1", 5), PASSWORD))
    scoped = stun.parse(stun.build_success(TRANSACTION, ("fe80::2%eth0", 6), PASSWORD))
    assert stun.mapped_address(mapped) == ("192.0.2.1", 5)
    assert stun.mapped_address(scoped) == ("fe80::2", 6)
    with pytest.raises(stun.StunError):
        stun.build_success(TRANSACTION, ("not an address", 5), PASSWORD)


def test_other_peoples_stun_agrees() -> None:
    other = pytest.importorskip("aioice.stun")
    check = other.parse_message(stun.build_request(TRANSACTION, "a:b", PASSWORD, use_candidate=True))
    assert check.attributes["USERNAME"] == "a:b"
    assert "USE-CANDIDATE" in check.attributes
    check.check_message_integrity(PASSWORD.encode())
    error = other.parse_message(stun.build_error(TRANSACTION, 420, PASSWORD, [0x1C]))
    assert error.attributes["ERROR-CODE"] == (420, "Unknown Attribute")
    error.check_message_integrity(PASSWORD.encode())


def test_attributes_after_the_integrity_are_not_believed() -> None:
    plain = stun.build(stun.BINDING_REQUEST, TRANSACTION, b"\x00\x06\x00\x03a:b\x00", PASSWORD)
    cut = plain[:-8]  # without the fingerprint
    forged = cut[:2] + (len(cut) - 20 + 4).to_bytes(2, "big") + cut[4:] + b"\x00\x25\x00\x00"
    message = stun.parse(forged)
    assert stun.verify(message, PASSWORD)
    assert stun.USE_CANDIDATE not in message.attributes


@pytest.mark.parametrize(
    "data",
    [
        b"",
        REQUEST[:19],
        REQUEST[:-1],
        REQUEST + b"\0\0\0\0",
        REQUEST[:4] + b"\0\0\0\0" + REQUEST[8:],
        REQUEST[:-1] + b"\0",  # fingerprint
        REQUEST[:22] + b"\xff\xff" + REQUEST[24:],  # an attribute longer than the message
        b"\x00\x01\x07\xf0\x21\x12\xa4\x42" + bytes(12) + bytes(2032),  # too many attributes
        b"\x00\x01\x10\x00\x21\x12\xa4\x42" + bytes(12) + bytes(4096),  # too long
    ],
)
def test_what_is_not_stun_is_one_error(data: bytes) -> None:
    with pytest.raises(stun.StunError):
        stun.parse(data)


def test_peeking_needs_a_whole_ascii_name() -> None:
    def with_name(name: bytes) -> bytes:
        attribute = b"\x00\x06" + len(name).to_bytes(2, "big") + name + bytes(-len(name) & 3)
        return stun.build(stun.BINDING_REQUEST, TRANSACTION, attribute, None)

    assert stun.peek_local_ufrag(with_name(b"abcd:efgh")) == "abcd"
    assert stun.peek_local_ufrag(with_name(b"abcd")) is None
    assert stun.peek_local_ufrag(with_name(b"\xff\xfe:efgh")) is None
    assert stun.peek_local_ufrag(with_name(b"abcd:efgh")[:26]) is None
    assert stun.peek_local_ufrag(b"") is None
    assert stun.peek_local_ufrag(RESPONSE_V4) is None


@given(st.binary(max_size=200))
def test_any_bytes_give_a_message_or_a_stun_error(data: bytes) -> None:
    stun.is_stun(data)
    stun.peek_local_ufrag(data)
    with contextlib.suppress(stun.StunError):
        stun.mapped_address(stun.parse(data))


@given(
    st.sampled_from([REQUEST, RESPONSE_V4, RESPONSE_V6]),
    st.lists(st.tuples(st.integers(0, 107), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_a_changed_message_is_never_taken_for_the_old_one(
    data: bytes, changes: list[tuple[int, int]]
) -> None:
    changed = bytearray(data)
    for at, value in changes:
        changed[at % len(changed)] = value
    if bytes(changed) == data:
        return
    stun.peek_local_ufrag(bytes(changed))
    try:
        message = stun.parse(bytes(changed))
    except stun.StunError:
        return
    # Only a fingerprint that became an unknown attribute behind the integrity may still verify.
    if stun.verify(message, PASSWORD):
        assert message.attributes == stun.parse(data).attributes
