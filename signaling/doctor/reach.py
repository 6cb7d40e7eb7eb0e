"""Whether media that is sent to the announced addresses comes here, as far as that can be seen from inside.

While our server runs it is asked for a trial connection, as the join page does, and each of its addresses is sent a
connectivity check. Otherwise we take its port for a moment and send ourselves a datagram.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from conference.net.doors import local_addresses
from conference.rtc import stun
from signaling.doctor.findings import Finding, Topic
from signaling.doctor.running import Running, ask
from signaling.network import announced_addresses
from signaling.settings import Settings

_TOPIC: Final = Topic("media_reach", "媒体可达")
_WAIT_S: Final = 0.5
_TRIES: Final = 3
_OUTSIDE: Final = (
    "外面的防火墙和路由器是否放行，在本机上看不出来：请用一部不在本网的手机打开入会页，看网络检测的结果"
)
_FINGERPRINT: Final = ":".join(["00"] * 32)


@dataclass(frozen=True, slots=True)
class _Trial:
    ufrag: str
    password: str
    addresses: list[tuple[str, int]]


async def look_at_reach(settings: Settings, running: Running) -> list[Finding]:
    """One finding for all addresses, and one where none of them can be the right one."""
    try:
        announced = announced_addresses(settings.host, settings.media_address)
    except OSError as error:
        return [_TOPIC.bad(f"地址 {settings.host} 不能解析：{error}", "改正 --host 或 --media-address")]
    findings = _only_private(settings, announced)
    if running.is_ours:
        for _ in settings.media_ports:  # each is tried out in its turn
            trial = await _trial(running)
            if trial is None:
                return [*findings, _TOPIC.note("运行中的服务器没有给出检测连接，未能检测", _OUTSIDE)]
            answered = {host: await _is_answered(host, port, trial) for host, port in trial.addresses}
            findings.append(_judged(settings, trial.addresses[0][1], answered))
        return findings
    for port in dict.fromkeys(settings.media_ports):
        heard = await _echoed(settings, port, announced)
        if heard is None:
            return [*findings, _TOPIC.note("媒体端口不能占用，未能检测", "先解决上面的媒体端口问题")]
        findings.append(_judged(settings, port, heard))
    return findings


def _judged(settings: Settings, port: int, heard: dict[str, bool]) -> Finding:
    deaf = [each for each, is_heard in heard.items() if not is_heard]
    if not deaf:
        return _TOPIC.good(f"发往 {_named(heard)} 端口 {port} 的 UDP 包能到达媒体端口", _OUTSIDE)
    ours = set(_own(settings))
    local = [each for each in deaf if each in ours]
    if local:
        return _TOPIC.bad(
            f"发往本机地址 {_named(local)} 端口 {port} 的 UDP 包没有到达",
            "检查本机防火墙（nft list ruleset、ufw status），放行该端口的 UDP 和 TCP",
        )
    return _TOPIC.note(
        f"宣告的地址 {_named(deaf)} 不在本机上，从本机发过去的包没有回来；这也可能只是路由器不支持回环",
        f"在路由器上把 UDP 和 TCP {port} 转到本机。{_OUTSIDE}",
    )


def _only_private(settings: Settings, announced: tuple[str, ...]) -> list[Finding]:
    host = urlsplit(settings.public_url or "").hostname
    if host is None or not all(ipaddress.ip_address(each).is_private for each in announced):
        return []
    try:
        if ipaddress.ip_address(host).is_private:
            return []
    except ValueError:
        pass
    return [
        _TOPIC.note(
            f"对外网址是 {host}，但只向参会者宣告了内网地址 {_named(announced)}",
            "如有单位外的人参会，用 --media-address 加上外网地址（可同时保留内网地址）",
        )
    ]


def _own(settings: Settings) -> list[str]:
    return [*local_addresses(settings.host), *announced_addresses("0.0.0.0", ()), "127.0.0.1"]  # noqa: S104


def _named(addresses: Iterable[str]) -> str:
    return "、".join(addresses)


# ── our server runs ─────────────────────────────────────────────────────────────────────────────


async def _trial(running: Running) -> _Trial | None:
    body = await ask(f"{running.url}/api/v1/network-test", json={"sdp": _offer()})
    sdp = body.get("sdp") if isinstance(body, dict) else None
    return _read(sdp) if isinstance(sdp, str) else None


def _offer() -> str:
    """Of one track of sound. Nobody will send on it."""
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        "a=ice-ufrag:doctor",
        f"a=ice-pwd:{secrets.token_hex(16)}",
        f"a=fingerprint:sha-256 {_FINGERPRINT}",
        "a=setup:actpass",
        "a=sendonly",
        "a=rtcp-mux",
        "a=rtpmap:111 opus/48000/2",
        "a=ssrc:1 cname:doctor",
    ]
    return "\r\n".join(lines) + "\r\n"


def _read(sdp: str) -> _Trial | None:
    said: dict[str, str] = {}
    addresses: list[tuple[str, int]] = []
    for line in sdp.splitlines():
        name, _, value = line.removeprefix("a=").partition(":")
        said.setdefault(name, value)
        parts = value.split()
        if name == "candidate" and len(parts) > 5 and parts[2].lower() == "udp":
            addresses.append((parts[4], int(parts[5])))
    if not addresses or not {"ice-ufrag", "ice-pwd"} <= set(said):
        return None
    return _Trial(said["ice-ufrag"], said["ice-pwd"], addresses)


async def _is_answered(host: str, port: int, trial: _Trial) -> bool:
    number = secrets.token_bytes(12)
    request = stun.build_request(number, f"{trial.ufrag}:doctor", trial.password)
    with _sender(host) as sender:
        for _ in range(_TRIES):
            answer = await _exchanged(sender, sender, request, (host, port))
            if answer is not None and stun.is_stun(answer) and number in answer:
                return True
    return False


# ── it does not ─────────────────────────────────────────────────────────────────────────────────


async def _echoed(settings: Settings, port: int, announced: tuple[str, ...]) -> dict[str, bool] | None:
    """None where the port cannot be had."""
    receivers: list[socket.socket] = []
    try:
        for each in local_addresses(settings.host):
            receiver = socket.socket(socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_DGRAM)
            receivers.append(receiver)
            receiver.setblocking(False)
            try:
                receiver.bind((each, port))
            except OSError:
                return None
            port = port or receiver.getsockname()[1]
        return {each: await _arrives(receivers, each, port) for each in announced}
    finally:
        for receiver in receivers:
            receiver.close()


async def _arrives(receivers: list[socket.socket], host: str, port: int) -> bool:
    """On any of them: which one depends on the routes."""
    token = secrets.token_bytes(16)
    loop = asyncio.get_running_loop()
    with _sender(host) as sender:
        for _ in range(_TRIES):
            waiting = [asyncio.ensure_future(loop.sock_recv(each, 64)) for each in receivers]
            try:
                try:
                    await loop.sock_sendto(sender, token, (host, port))
                except OSError:
                    return False
                async with asyncio.timeout(_WAIT_S):
                    for done in asyncio.as_completed(waiting):
                        if await done == token:
                            return True
            except TimeoutError:
                continue
            finally:
                for each in waiting:
                    each.cancel()
                await asyncio.gather(*waiting, return_exceptions=True)
    return False


async def _exchanged(
    sender: socket.socket, receiver: socket.socket, data: bytes, to: tuple[str, int]
) -> bytes | None:
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendto(sender, data, to)
        async with asyncio.timeout(_WAIT_S):
            return await loop.sock_recv(receiver, 1500)
    except (TimeoutError, OSError):
        return None


def _sender(host: str) -> socket.socket:
    sender = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sender.setblocking(False)
    return sender
