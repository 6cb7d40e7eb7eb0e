"""Answers to a search of the network, real and malicious ones."""

from __future__ import annotations

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from conference.ingest.discovery import Search
from conference.ingest_events import DeviceFound

ID = "3f1c5b6e-8a57-4bd0-9d31-6d0a9f9b7c11"
URN = "urn:uuid:11223344-5566-7788-99aa-bbccddeeff00"
SCOPES = (
    "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/location/city/hangzhou "
    "onvif://www.onvif.org/hardware/DS-2CD2T46 onvif://www.onvif.org/name/HIKVISION%20%E4%B8%BB%E5%B8%AD%E5%8F%B0"
)


def answer(
    xaddrs: str = "http://192.168.1.64/onvif/device_service",
    *,
    urn: str = URN,
    types: str = "dn:NetworkVideoTransmitter",
    scopes: str = SCOPES,
    relates: str | None = f"urn:uuid:{ID}",
    before: str = "",
    matches: int = 1,
) -> bytes:
    match = (
        f"<d:ProbeMatch><a:EndpointReference><a:Address>{urn}</a:Address></a:EndpointReference>"
        f"<d:Types>{types}</d:Types><d:Scopes>{scopes}</d:Scopes><d:XAddrs>{xaddrs}</d:XAddrs>"
        "<d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch>"
    )
    header = "" if relates is None else f"<a:RelatesTo>{relates}</a:RelatesTo>"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}'
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">'
        f"<s:Header>{header}</s:Header><s:Body><d:ProbeMatches>{match * matches}</d:ProbeMatches></s:Body></s:Envelope>"
    ).encode()


def found(*answers: bytes, sender: str = "192.168.1.64") -> list[DeviceFound]:
    search = Search(ID)
    for each in answers:
        search.receive(each, sender)
    return search.found


def test_the_question_is_for_cameras() -> None:
    probe = fromstring(Search(ID).probe)
    types = probe.find(".//{http://schemas.xmlsoap.org/ws/2005/04/discovery}Types")
    message = probe.find(".//{http://schemas.xmlsoap.org/ws/2004/08/addressing}MessageID")
    assert types is not None
    assert message is not None
    assert (types.text, message.text) == ("n:NetworkVideoTransmitter", f"urn:uuid:{ID}")


def test_a_device_has_its_name_and_hardware() -> None:
    assert found(answer()) == [
        DeviceFound(
            "http://192.168.1.64/onvif/device_service", "192.168.1.64", "HIKVISION 主席台", "DS-2CD2T46"
        )
    ]
    (bare,) = found(answer("http://192.168.1.64:8000/onvif/device_service", scopes=""))
    assert (bare.host, bare.name, bare.hardware) == ("192.168.1.64:8000", "", "")


def test_one_that_answers_often_is_one() -> None:
    again = answer("http://10.0.0.64/onvif/device_service")
    assert [each.host for each in found(answer(), answer(), again, answer(urn=URN.upper()))] == [
        "192.168.1.64"
    ]
    assert len(found(answer(urn=""), answer(urn=""))) == 1
    assert len(found(answer(urn="urn:uuid:a"), answer(urn="urn:uuid:b"))) == 1, "by its address"


def test_they_come_in_the_order_of_their_addresses() -> None:
    hosts = ["192.168.1.100", "192.168.1.9", "kamera-1", "192.168.1.10"]
    answers = [answer(f"http://{each}/onvif/device_service", urn=each) for each in hosts]
    assert [each.host for each in found(*answers)] == [
        "192.168.1.9",
        "192.168.1.10",
        "192.168.1.100",
        "kamera-1",
    ]


@pytest.mark.parametrize(
    ("said", "host"),
    [
        ("http://169.254.7.7/onvif/x http://192.168.1.64/onvif/x", "192.168.1.64"),
        ("http://10.0.0.1/onvif/x http://192.168.1.64/onvif/x", "192.168.1.64"),
        ("http://169.254.7.7/onvif/x http://10.0.0.1/onvif/x", "10.0.0.1"),
        ("http://[fe80::1]/onvif/x http://[2001:db8::1]/onvif/x http://10.0.0.1/x", "10.0.0.1"),
        ("http://admin:pw@192.168.1.64/onvif/x", "192.168.1.64"),
        ("rtsp://192.168.1.64/x nonsense http://10.0.0.1/onvif/x", "10.0.0.1"),
    ],
)
def test_of_several_addresses_the_one_that_can_be_reached(said: str, host: str) -> None:
    (device,) = found(answer(said))
    assert device.host == host
    assert "pw" not in device.address


def test_some_do_not_say_to_which_question() -> None:
    assert found(answer(relates=None))
    assert found(answer(relates=ID.upper()))
    assert not found(answer(relates="urn:uuid:another"))


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x00\xff\xfe",
        b"<",
        b"<a/>",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"<?xml version='1.0' encoding='no-such-thing'?><a/>",
        answer("file:///etc/passwd"),
        answer("http://"),
        answer(""),
        answer(types="wprt:PrintDeviceType", scopes=""),
        answer()[:-20],
        answer(scopes="x" * 40_000),
        answer(before='<!DOCTYPE s [<!ENTITY x "y">]>'),
        answer(
            before='<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">'
            '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>',
            scopes="onvif://www.onvif.org/name/&c;",
        ),
        answer(
            before='<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
            scopes="onvif://www.onvif.org/name/&x;",
        ),
        answer(before='<!DOCTYPE s SYSTEM "http://192.0.2.1/x.dtd">'),
        b"<a>" * 4000,
    ],
)
def test_what_is_no_answer_is_passed_over(datagram: bytes) -> None:
    assert found(datagram) == []
    assert len(found(datagram, answer())) == 1


def test_names_are_fit_to_be_shown() -> None:
    (device,) = found(answer(scopes="onvif://www.onvif.org/name/" + "%E9%95%BF" * 200 + "%00%0A%FF"))
    assert device.name == "长" * 60
    (device,) = found(answer(scopes="onvif://www.onvif.org/name/a%0D%0A%1Bb"))
    assert device.name.isprintable()


def test_a_flood_is_bounded() -> None:
    flood = [answer(f"http://10.0.{n // 250}.{n % 250}/x", urn=f"{n}") for n in range(400)]
    assert len(found(*flood)) == 200
    search = Search(ID)
    for _ in range(1000):
        search.receive(b"<", "192.168.1.64")
    search.receive(answer(), "192.168.1.64")
    assert search.found == []


@given(st.binary(max_size=300), st.integers(0, 700), st.integers(0, 700))
def test_whatever_is_sent_raises_nothing(noise: bytes, begin: int, end: int) -> None:
    whole = answer()
    found(noise, whole[:begin] + noise + whole[end:])
