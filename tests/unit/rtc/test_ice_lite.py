"""ICE-lite: who may move the path for media, and who may not."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.rtc import stun
from conference.rtc.ice_lite import IceLite, Protocol, Selected
from conference.rtc.sdp import Credentials

LOCAL = Credentials("serv", "s" * 22)
REMOTE = Credentials("peer", "p" * 22)
HOME = ("192.0.2.1", 1000)
AWAY = ("198.51.100.7", 2000)


class Peer:
    """A full agent's checks."""

    def __init__(self, ice: IceLite) -> None:
        self.ice = ice

    def check(
        self,
        address: tuple[str, int] = HOME,
        protocol: Protocol = "udp",
        *,
        now: float = 0.0,
        nominate: bool = False,
        username: str = "serv:peer",
        password: str = LOCAL.pwd,
        controlling: bool = True,
    ) -> tuple[int | None, Selected | None]:
        """The response's type or error code, and the event."""
        transaction_id = os.urandom(12)
        data = stun.build_request(
            transaction_id, username, password, use_candidate=nominate, controlling=controlling
        )
        response, event = self.ice.receive(data, address, protocol, now)
        if response is None:
            return None, event
        message = stun.parse(response)
        assert message.transaction_id == transaction_id
        if message.type == stun.BINDING_SUCCESS:
            assert stun.verify(message, password)
            assert stun.mapped_address(message) == address
            return 200, event
        code = message.attributes[stun.ERROR_CODE]
        return code[2] * 100 + code[3], event


@pytest.fixture
def ice() -> IceLite:
    return IceLite(LOCAL, REMOTE)


@pytest.fixture
def peer(ice: IceLite) -> Peer:
    return Peer(ice)


def test_the_first_check_gives_a_path_and_nomination_confirms_it(ice: IceLite, peer: Peer) -> None:
    assert ice.last_check is None
    assert peer.check(now=1.0) == (200, Selected(HOME, "udp", False))
    assert peer.check(now=1.1, nominate=True) == (200, None)
    assert ice.nominated
    assert ice.selected == (HOME, "udp")
    assert ice.last_check == 1.1


def test_nomination_moves_the_path(ice: IceLite, peer: Peer) -> None:
    peer.check(HOME)
    assert peer.check(AWAY, now=0.1) == (200, None)
    assert peer.check(AWAY, now=0.2, nominate=True) == (200, Selected(AWAY, "udp", True))
    # Rebinding: the same agent nominates from another address.
    assert peer.check(("198.51.100.7", 2001), now=3.0, nominate=True)[1] is not None


def test_tcp_is_taken_only_by_nomination(ice: IceLite, peer: Peer) -> None:
    assert peer.check(HOME, "tcp") == (200, None)
    assert ice.selected is None
    peer.check(AWAY, "udp")
    assert peer.check(HOME, "tcp", now=100.0) == (200, None)
    assert peer.check(HOME, "tcp", now=100.0, nominate=True) == (200, Selected(HOME, "tcp", True))
    assert peer.check(AWAY, "udp", now=100.1) == (200, None)


def test_a_plain_check_moves_only_a_silent_path(ice: IceLite, peer: Peer) -> None:
    peer.check(HOME, nominate=True, now=0.0)
    assert peer.check(AWAY, now=7.9) == (200, None)
    assert ice.silent_for(7.9) == pytest.approx(7.9)
    ice.heard(8.0)
    assert peer.check(AWAY, now=9.9) == (200, None)
    assert peer.check(AWAY, now=10.1) == (200, Selected(AWAY, "udp", False))


def test_a_peer_that_nominates_once_is_followed_soon(ice: IceLite, peer: Peer) -> None:
    """Firefox: one nomination, then plain checks every 4 to 6 s from wherever its NAT puts it."""
    peer.check(HOME, nominate=True, now=0.0)
    peer.check(HOME, now=5.0)
    assert peer.check(AWAY, now=9.5) == (200, Selected(AWAY, "udp", False))
    # Plain on the moved path proves nothing until it is nominated or silent.
    assert peer.check(HOME, now=10.0) == (200, None)


def test_a_peer_that_repeats_nominations_may_probe_elsewhere(ice: IceLite, peer: Peer) -> None:
    """Chromium: nominating checks every 2.5 s, plain ones on its spare paths."""
    peer.check(HOME, now=0.0)
    for second in range(0, 60, 3):
        assert peer.check(HOME, nominate=True, now=second) == (200, None)
        assert peer.check(AWAY, now=second + 2.9) == (200, None)


def test_a_lost_tcp_connection_frees_the_path(ice: IceLite, peer: Peer) -> None:
    peer.check(HOME, "tcp", nominate=True)
    assert not ice.forget(AWAY, "tcp")
    assert ice.forget(HOME, "tcp")
    assert ice.silent_for(50.0) == 0.0
    assert peer.check(AWAY, now=0.1) == (200, Selected(AWAY, "udp", False))


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("serv:peer", "x" * 22),
        ("serv:other", LOCAL.pwd),
        ("other:peer", LOCAL.pwd),
        ("serv", LOCAL.pwd),
        ("", LOCAL.pwd),
    ],
)
def test_a_stranger_is_refused_and_moves_nothing(
    ice: IceLite, peer: Peer, username: str, password: str
) -> None:
    assert peer.check(username=username, password=password, nominate=True) == (401, None)
    assert ice.selected is None
    assert ice.last_check is None
    assert ice.unauthorized == 1


def test_refusals_are_few(ice: IceLite, peer: Peer) -> None:
    codes = [peer.check(password="x" * 22, now=1.0)[0] for _ in range(100)]
    assert codes.count(401) == 5
    assert ice.unauthorized == 100
    assert peer.check(password="x" * 22, now=1.3)[0] == 401
    assert peer.check(now=1.3)[0] == 200


def test_before_the_answer_our_own_fragment_is_enough() -> None:
    ice = IceLite(LOCAL)
    assert Peer(ice).check(username="serv:whoever")[0] == 200
    assert Peer(ice).check(username="server:whoever")[0] == 401
    ice.remote = REMOTE
    assert Peer(ice).check(username="serv:whoever")[0] == 401


def test_the_peer_must_be_controlling(ice: IceLite, peer: Peer) -> None:
    assert peer.check(controlling=False, nominate=True) == (487, None)
    assert ice.role_conflicts == 1
    assert ice.selected is None


def test_requests_without_name_or_integrity_are_bad(ice: IceLite) -> None:
    bare = stun.build(stun.BINDING_REQUEST, bytes(12), b"", None)
    response, event = ice.receive(bare, HOME, "udp", 0.0)
    assert response is not None
    assert stun.parse(response).attributes[stun.ERROR_CODE][2:4] == b"\x04\x00"
    assert event is None


def test_an_unknown_required_attribute_is_named(ice: IceLite) -> None:
    attributes = b"\x00\x06\x00\x09serv:peer\0\0\0" + b"\x00\x1c\x00\x00"
    data = stun.build(stun.BINDING_REQUEST, bytes(12), attributes, LOCAL.pwd)
    response, _ = ice.receive(data, HOME, "udp", 0.0)
    assert response is not None
    assert stun.parse(response).attributes[stun.UNKNOWN_ATTRIBUTES] == b"\x00\x1c"


def test_indications_and_responses_are_silent(ice: IceLite) -> None:
    for kind in (stun.BINDING_INDICATION, stun.BINDING_SUCCESS, stun.BINDING_ERROR, 0x0003):
        data = stun.build(kind, bytes(12), b"", LOCAL.pwd)
        assert ice.receive(data, HOME, "udp", 0.0) == (None, None)
    assert ice.selected is None


def test_consent(ice: IceLite, peer: Peer) -> None:
    assert not ice.consent_expired(1e9)
    peer.check(now=100.0)
    assert not ice.consent_expired(129.9)
    assert ice.consent_expired(130.1)
    assert ice.consent_expired(106.0, timeout_s=5.0)


def test_a_restart_keeps_the_old_credentials_until_the_new_are_used(ice: IceLite, peer: Peer) -> None:
    peer.check(HOME, nominate=True)
    fresh = Credentials("new1", "n" * 22)
    ice.restart(fresh, None)
    assert peer.check(HOME, now=1.0)[0] == 200
    assert ice.selected == (HOME, "udp")

    assert peer.check(AWAY, now=2.0, username="new1:peer", password=fresh.pwd) == (200, None)
    assert not ice.nominated
    assert peer.check(HOME, now=2.1)[0] == 401
    assert peer.check(AWAY, now=2.2, nominate=True, username="new1:peer", password=fresh.pwd) == (
        200,
        Selected(AWAY, "udp", True),
    )


@given(st.binary(max_size=150))
def test_any_bytes_leave_the_path_alone(data: bytes) -> None:
    ice = IceLite(LOCAL, REMOTE)
    _, event = ice.receive(data, HOME, "udp", 0.0)
    assert event is None
    assert ice.selected is None


@given(st.integers(0, 99), st.integers(1, 255))
def test_no_changed_check_is_accepted(at: int, flip: int) -> None:
    ice = IceLite(LOCAL, REMOTE)
    data = bytearray(stun.build_request(bytes(range(12)), "serv:peer", LOCAL.pwd, use_candidate=True))
    data[at % (len(data) - 8)] ^= flip  # all but the fingerprint, which may be left out
    assert ice.receive(bytes(data), HOME, "udp", 0.0)[1] is None
