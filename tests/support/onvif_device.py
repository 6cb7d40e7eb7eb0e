"""A camera that speaks ONVIF, as the specification says: it answers searches of the network, and SOAP requests over
HTTP of those who sign them with its password and its own time (WS-UsernameToken, digest).

What cheap ones do, it does too when asked: its clock is wrong, it names another machine, hangs, or talks nonsense.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import cast
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from aiohttp import web
from defusedxml.ElementTree import fromstring

GROUP, PORT = "239.255.255.250", 3702
_WSSE = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
_WSU = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}"
_SOAP = "{http://www.w3.org/2003/05/soap-envelope}"
_DEVICE_NS, _MEDIA_NS = "http://www.onvif.org/ver10/device/wsdl", "http://www.onvif.org/ver10/media/wsdl"
_TOLERANCE = timedelta(seconds=5)
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
    'xmlns:dn="http://www.onvif.org/ver10/network/wsdl" '
    'xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl" '
    'xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error">'
    "{header}<s:Body>{body}</s:Body></s:Envelope>"
)


@dataclass(frozen=True)
class Profile:
    token: str
    name: str
    uri: str  # "" for one that the camera gives no address of
    encoding: str = "H264"
    size: tuple[int, int] = (1920, 1080)
    rate: int = 25

    @property
    def xml(self) -> str:
        width, height = self.size
        return (
            f'<trt:Profiles token="{self.token}" fixed="true"><tt:Name>{escape(self.name)}</tt:Name>'
            f'<tt:VideoSourceConfiguration token="vs"><tt:Name>vs</tt:Name><tt:UseCount>1</tt:UseCount>'
            '<tt:SourceToken>vs</tt:SourceToken><tt:Bounds x="0" y="0" width="1920" height="1080"/>'
            f'</tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration token="ve{self.token}">'
            f"<tt:Name>ve</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>{self.encoding}</tt:Encoding>"
            f"<tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>"
            f"<tt:Quality>4</tt:Quality><tt:RateControl><tt:FrameRateLimit>{self.rate}</tt:FrameRateLimit>"
            "<tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl>"
            "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address>"
            "<tt:Port>0</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>"
            "<tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration></trt:Profiles>"
        )


@dataclass
class OnvifDevice:
    """Of 127.0.0.1, until it is closed. `calls` are the operations that it was asked, `signed` those that its password
    opened."""

    profiles: Sequence[Profile] = ()
    user: str = "admin"
    password: str = "geheim"
    name: str = "会议室 1"
    clock_gap: timedelta = timedelta()
    is_named: str = ""  # the machine that it believes to be, with a port
    hangs: bool = False
    knows_capabilities: bool = True
    nonsense: dict[str, bytes] = field(default_factory=dict)  # in place of its answers to these operations
    statuses: dict[str, int] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    signed: list[str] = field(default_factory=list)
    port: int = 0
    _runner: web.AppRunner | None = None
    _ears: list[asyncio.DatagramTransport] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/onvif/device_service"

    async def __aenter__(self) -> OnvifDevice:
        app = web.Application()
        app.router.add_post("/onvif/{service}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._ears:
            each.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def answer_searches(self, interfaces: Sequence[str]) -> None:
        """On these addresses of the machine, beside others who do."""
        for each in interfaces:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((GROUP, PORT))
            member = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(each))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            sock.setblocking(False)
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(lambda: _Ear(self), sock=sock)
            self._ears.append(transport)

    def matches(self, probe: bytes) -> bytes:
        """To a search for cameras; nothing to others."""
        envelope = fromstring(probe)
        found = re.search(rb"<[a-z]+:Types>[^<]*NetworkVideoTransmitter", probe)
        message = envelope.findtext(".//{http://schemas.xmlsoap.org/ws/2004/08/addressing}MessageID")
        if not found or not message:
            return b""
        header = (
            "<s:Header><a:MessageID>urn:uuid:5a3a7b6e-0000-1000-8000-000000000001</a:MessageID>"
            f"<a:RelatesTo>{message}</a:RelatesTo>"
            "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action></s:Header>"
        )
        name = "".join(f"%{each:02X}" for each in self.name.encode())
        body = (
            "<d:ProbeMatches><d:ProbeMatch><a:EndpointReference>"
            f"<a:Address>urn:uuid:00000000-0000-1000-8000-{self.port:012d}</a:Address></a:EndpointReference>"
            "<d:Types>dn:NetworkVideoTransmitter tds:Device</d:Types>"
            f"<d:Scopes>onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/{name} "
            "onvif://www.onvif.org/hardware/YS-200 onvif://www.onvif.org/Profile/Streaming</d:Scopes>"
            f"<d:XAddrs>{self.address}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>"
            "</d:ProbeMatch></d:ProbeMatches>"
        )
        return _ENVELOPE.format(header=header, body=body).encode()

    # ── requests ────────────────────────────────────────────────────────────────────────────────

    async def _serve(self, request: web.Request) -> web.Response:
        envelope = fromstring(await request.read())
        asked = envelope.find(f"{_SOAP}Body")
        assert asked is not None
        operation = asked[0].tag.rpartition("}")[2]
        self.calls.append(operation)
        if self.hangs:
            await asyncio.sleep(60)
        if operation in self.statuses:
            return web.Response(status=self.statuses[operation], text="<html>nothing here</html>")
        if operation in self.nonsense:
            return web.Response(body=self.nonsense[operation], content_type="application/soap+xml")
        if operation != "GetSystemDateAndTime":
            if not self._is_signed(envelope):
                return self._refuse("ter:NotAuthorized", "Sender not Authorized")
            self.signed.append(operation)
        body = self._answer(operation, asked[0])
        return self._refuse("ter:ActionNotSupported", "no") if body is None else self._said(body)

    def _is_signed(self, envelope: Element) -> bool:
        token = envelope.find(f".//{_WSSE}UsernameToken")
        if token is None:
            return not self.user
        said = token.find(f"{_WSSE}Password")
        nonce = base64.b64decode(token.findtext(f"{_WSSE}Nonce") or "")
        created = token.findtext(f"{_WSU}Created") or ""
        if said is None or not (said.get("Type") or "").endswith("#PasswordDigest"):
            return False
        try:
            at = datetime.fromisoformat(created.replace("Z", "+00:00"))
        except ValueError:
            return False
        digest = base64.b64encode(hashlib.sha1(nonce + created.encode() + self.password.encode()).digest())
        return (
            token.findtext(f"{_WSSE}Username") == self.user
            and said.text == digest.decode()
            and abs(at - self._now()) < _TOLERANCE
        )

    def _now(self) -> datetime:
        return datetime.now(UTC) + self.clock_gap

    def _answer(self, operation: str, asked: Element) -> str | None:
        machine = self.is_named or f"127.0.0.1:{self.port}"
        media = f"http://{machine}/onvif/media_service"
        if operation == "GetSystemDateAndTime":
            now = self._now()
            return (
                "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType>"
                "<tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime>"
                f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
                f"<tt:Second>{now.second}</tt:Second></tt:Time><tt:Date><tt:Year>{now.year}</tt:Year>"
                f"<tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date></tt:UTCDateTime>"
                "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
            )
        if operation == "GetCapabilities" and self.knows_capabilities:
            return (
                "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Media>"
                f"<tt:XAddr>{media}</tt:XAddr><tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast>"
                "<tt:RTP_TCP>true</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities>"
                "</tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>"
            )
        if operation == "GetServices":
            services = "".join(
                f"<tds:Service><tds:Namespace>{space}</tds:Namespace><tds:XAddr>{address}</tds:XAddr><tds:Version>"
                "<tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
                for space, address in ((_DEVICE_NS, self.address), (_MEDIA_NS, media))
            )
            return f"<tds:GetServicesResponse>{services}</tds:GetServicesResponse>"
        if operation == "GetProfiles":
            profiles = "".join(each.xml for each in self.profiles)
            return f"<trt:GetProfilesResponse>{profiles}</trt:GetProfilesResponse>"
        if operation == "GetStreamUri":
            assert asked.findtext(".//{http://www.onvif.org/ver10/schema}Protocol") == "RTSP"
            token = asked.findtext(f"{{{_MEDIA_NS}}}ProfileToken")
            uri = next((each.uri for each in self.profiles if each.token == token), "")
            if not uri:
                return None
            return (
                f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{escape(uri)}</tt:Uri>"
                "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false"
                "</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>"
            )
        return None

    def _said(self, body: str, status: int = 200) -> web.Response:
        text = _ENVELOPE.format(header="", body=body)
        return web.Response(status=status, body=text.encode(), content_type="application/soap+xml")

    def _refuse(self, code: str, reason: str) -> web.Response:
        return self._said(
            f"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{code}</s:Value></s:Subcode></s:Code>"
            f'<s:Reason><s:Text xml:lang="en">{reason}</s:Text></s:Reason></s:Fault>',
            400,
        )


class _Ear(asyncio.DatagramProtocol):
    """Answers as often as it is asked, as devices do."""

    def __init__(self, device: OnvifDevice) -> None:
        self._device = device
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        answer = self._device.matches(data)
        if answer:
            self._transport.sendto(b"\x00garbage<", addr)
            self._transport.sendto(answer, addr)
