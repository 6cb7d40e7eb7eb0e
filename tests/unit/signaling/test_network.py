"""Addresses: what is announced, and which client address is believed."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from conference.address import source_of
from signaling.network import TrustedProxies, announced_addresses, local_url_host


def client(proxies: list[str], *forwarded: str) -> str:
    headers = CIMultiDict([("X-Forwarded-For", each) for each in forwarded])
    request = make_mocked_request("GET", "/", headers=headers).clone(remote="10.0.0.1")
    return TrustedProxies(proxies).client(request)


def test_forwarded_addresses_are_believed_from_our_proxies_only() -> None:
    assert client([], "1.2.3.4") == "10.0.0.1"
    assert client(["10.0.0.0/8"], "1.2.3.4") == "1.2.3.4"
    assert client(["10.0.0.0/8"], "6.6.6.6, 1.2.3.4, 10.0.0.9") == "1.2.3.4"
    assert client(["10.0.0.0/8"], "6.6.6.6", "1.2.3.4") == "1.2.3.4"
    assert client(["10.0.0.0/8"], "not an address") == "10.0.0.1"
    assert client(["10.0.0.0/8"]) == "10.0.0.1"


@pytest.mark.parametrize(
    ("proxies", "said", "scheme"),
    [
        ([], "https", None),
        (["10.0.0.0/8"], "https", "https"),
        (["10.0.0.0/8"], "HTTP", "http"),
        (["10.0.0.0/8"], "https, http", "https"),
        (["10.0.0.0/8"], "gopher", None),
        (["192.0.2.0/24"], "https", None),
    ],
)
def test_how_the_browser_came_is_believed_from_our_proxies_only(
    proxies: list[str], said: str, scheme: str | None
) -> None:
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-Proto": said}).clone(remote="10.0.0.1")
    assert TrustedProxies(proxies).scheme(request) == scheme


@pytest.mark.parametrize(
    ("host", "said", "origin"),
    [
        ("huiyi.example.cn", "https", "https://huiyi.example.cn"),
        ("huiyi.example.cn:8443", "https", "https://huiyi.example.cn:8443"),
        ("huiyi.example.cn", "http", "http://huiyi.example.cn"),
        ("huiyi.example.cn", "", "http://huiyi.example.cn"),
    ],
)
def test_the_browser_knows_the_server_by_the_scheme_that_it_used(host: str, said: str, origin: str) -> None:
    headers = {"Host": host, "X-Forwarded-Proto": said}
    request = make_mocked_request("GET", "/a?b", headers=headers).clone(remote="10.0.0.1")
    assert TrustedProxies(["10.0.0.0/8"]).origin(request) == origin


def test_announced_addresses() -> None:
    assert announced_addresses("0.0.0.0", ["192.0.2.1"]) == ("192.0.2.1",)
    assert announced_addresses("127.0.0.1", []) == ("127.0.0.1",)
    assert all(":" not in each for each in announced_addresses("0.0.0.0", []))
    assert announced_addresses("0.0.0.0", [])


def test_url_hosts() -> None:
    assert local_url_host("0.0.0.0") == "127.0.0.1"
    assert local_url_host("::1") == "[::1]"


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_limits_count_an_ipv4_address_or_a_network_of_ipv6(address: str, source: str) -> None:
    assert source_of(address) == source
