"""Searching the network for cameras: WS-Discovery. What is sent and what is read of answers is pure; `search` has the
sockets.

Whatever is in the network may answer: answers are bounded in size and number, parsed without entities, and what is no
answer to this search is passed over.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import uuid
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from conference.ingest.device_streams import name_of
from conference.ingest_events import DeviceFound
from conference.model.camera_address import CameraAddress
from conference.model.errors import ConferenceError

GROUP: Final = ("239.255.255.250", 3702)
SEARCH_S: Final = 3.0
_ASK_AGAIN_S: Final = (0.0, 0.5)  # a datagram may get lost
_LONGEST: Final = 16 << 10  # bytes
_MOST_ANSWERS: Final = 1000
_MOST_MATCHES: Final = 16  # in one answer
_MOST_DEVICES: Final = 200
_KIND: Final = "NetworkVideoTransmitter"
_SCOPE: Final = "onvif://www.onvif.org/"
_PROBE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
    'xmlns:n="http://www.onvif.org/ver10/network/wsdl">'
    "<s:Header><a:MessageID>urn:uuid:{id}</a:MessageID>"
    "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>"
    "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></s:Header>"
    "<s:Body><d:Probe><d:Types>n:{kind}</d:Types></d:Probe></s:Body></s:Envelope>"
)


class Search:
    """One search: its question, and what was found so far."""

    def __init__(self, search_id: str) -> None:
        self._id = search_id
        self._found: dict[str, DeviceFound] = {}
        self._answers = 0

    @property
    def probe(self) -> bytes:
        """The question, to be sent to GROUP."""
        return _PROBE.format(id=self._id, kind=_KIND).encode()

    @property
    def found(self) -> list[DeviceFound]:
        """Each device once, by its address."""
        once = {each.address: each for each in self._found.values()}
        return sorted(once.values(), key=lambda each: (_sorted_as(each.host), each.address))

    def receive(self, datagram: bytes, sender: str) -> None:
        """What came from this address."""
        self._answers += 1
        if len(datagram) > _LONGEST or self._answers > _MOST_ANSWERS:
            return
        try:
            envelope = fromstring(datagram, forbid_dtd=True)
        except (ParseError, DefusedXmlException, ValueError, LookupError):
            return
        if not self._is_answer(envelope):
            return
        for match in _all(envelope, "ProbeMatch")[:_MOST_MATCHES]:
            device = _device(match, sender)
            if device is not None and len(self._found) < _MOST_DEVICES:
                name = _text(match, "Address").lower() or device.address
                self._found.setdefault(name, device)

    def _is_answer(self, envelope: Element) -> bool:
        """To our question; some devices do not say to which one."""
        said = _text(envelope, "RelatesTo")
        return not said or said.lower().rpartition(":")[2] == self._id.lower()


async def search(interfaces: Sequence[str], seconds: float = SEARCH_S) -> list[DeviceFound]:
    """Asks from these IPv4 addresses of ours, and listens for that long. One that cannot ask is passed over."""
    searched = Search(str(uuid.uuid4()))
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        senders: list[asyncio.DatagramTransport] = []
        for address in interfaces:
            sock = _asking_from(address)
            if sock is not None:
                transport, _ = await loop.create_datagram_endpoint(lambda: _Ear(searched), sock=sock)
                stack.callback(transport.close)
                senders.append(transport)
        began_s = loop.time()
        for at_s in _ASK_AGAIN_S:
            await asyncio.sleep(began_s + at_s - loop.time())
            for each in senders:
                each.sendto(searched.probe, GROUP)
        await asyncio.sleep(began_s + seconds - loop.time())
    return searched.found


class _Ear(asyncio.DatagramProtocol):
    """Of one interface. What cannot be sent there is lost, as a datagram may be."""

    def __init__(self, searched: Search) -> None:
        self._searched = searched

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._searched.receive(data, addr[0])


def _asking_from(address: str) -> socket.socket | None:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        made.bind((address, 0))
    except OSError:
        made.close()
        return None
    return made


def _device(match: Element, sender: str) -> DeviceFound | None:
    """None for what is no camera, or says no address that could be asked."""
    scopes = _text(match, "Scopes").split()
    if _KIND not in _text(match, "Types") and not any(each.startswith(_SCOPE) for each in scopes):
        return None
    address = _chosen(_text(match, "XAddrs").split(), sender)
    if address is None:
        return None
    return DeviceFound(
        address.url(), address.machine, name=_said(scopes, "name/"), hardware=_said(scopes, "hardware/")
    )


def _chosen(said: Iterable[str], sender: str) -> CameraAddress | None:
    """The one that the answer came from; else the first one that is not only for its own cable."""
    known: list[CameraAddress] = []
    for each in said:
        with contextlib.suppress(ConferenceError):
            address = CameraAddress.parsed(each).with_credentials(None, None)
            if address.scheme in ("http", "https"):
                known.append(address)
    return min(
        known,
        key=lambda each: (each.host != sender, each.host.startswith(("169.254.", "fe80:")), ":" in each.host),
        default=None,
    )


def _said(scopes: Iterable[str], kind: str) -> str:
    """What the scopes name in this place."""
    start = _SCOPE + kind
    found = next((each.removeprefix(start) for each in scopes if each.startswith(start)), "")
    return name_of(unquote(found))


def _sorted_as(host: str) -> tuple[tuple[int, str], ...]:
    """192.168.1.9 before 192.168.1.10."""
    return tuple((int(each), "") if each.isdecimal() else (1 << 16, each) for each in host.split("."))


def _all(element: Element, name: str) -> list[Element]:
    """By local name: devices disagree about the versions of namespaces."""
    return [
        each for each in element.iter() if isinstance(each.tag, str) and each.tag.rpartition("}")[2] == name
    ]


def _text(element: Element, name: str) -> str:
    found = _all(element, name)
    return (found[0].text or "").strip() if found else ""
