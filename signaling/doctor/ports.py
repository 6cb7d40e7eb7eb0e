"""Whether the ports can be taken, or are taken by our own server."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from typing import Final

from conference.net.doors import local_addresses
from signaling.doctor.findings import Finding, Topic
from signaling.doctor.running import Running
from signaling.settings import Settings

_WEB: Final = Topic("web_port", "网页端口")
_MEDIA: Final = Topic("media_port", "媒体端口")


def look_at_ports(settings: Settings, running: Running) -> list[Finding]:
    """The web port; the media port of each media process, UDP and TCP on the same number."""
    web = _found(_WEB, "--port", running, [(socket.SOCK_STREAM, settings.host, settings.port)])
    try:
        addresses = local_addresses(settings.host)
    except OSError as error:
        return [web, _MEDIA.bad(f"地址 {settings.host} 不能解析：{error}", "改正 --host")]
    findings = [web]
    for port in dict.fromkeys(settings.media_ports):
        wanted = [(socket.SOCK_STREAM, settings.host, port)]
        wanted += [(socket.SOCK_DGRAM, each, port) for each in addresses]
        findings.append(_found(_MEDIA, "--media-port", running, wanted))
    return findings


def _found(
    topic: Topic, option: str, running: Running, wanted: Iterable[tuple[socket.SocketKind, str, int]]
) -> Finding:
    words = ""
    for kind, host, port in wanted:
        words = f"{port}（{'UDP 和 TCP' if topic is _MEDIA else 'TCP'}）"
        if port == 0:
            return topic.note("端口 0：每次启动随机取一个", f"正式会议请用 {option} 固定下来，防火墙才能放行")
        number = _refused(kind, host, port)
        if number in (0, errno.EADDRNOTAVAIL) and kind == socket.SOCK_DGRAM:
            continue  # an address that has just gone is passed over by the server, too
        if number == errno.EADDRINUSE:
            if running.is_ours:
                return topic.good(f"{words} 正由本服务器使用")
            return topic.bad(
                f"{words} 已被其他程序占用",
                f"用 ss -lntup 查出是哪个程序并停掉它，或用 {option} 换一个端口",
            )
        if number == errno.EACCES:
            return topic.bad(
                f"当前账号无权使用 {words}：1024 以下的端口需要授权",
                f"在 systemd 单元中加 AmbientCapabilities=CAP_NET_BIND_SERVICE，或用 {option} 换一个端口",
            )
        if number == errno.EADDRNOTAVAIL:
            return topic.bad(f"{host} 不是本机地址", "改正 --host；监听全部地址用 0.0.0.0")
        if number:
            return topic.bad(f"{words} 打不开：{errno.errorcode.get(number, number)}", "改正 --host 和端口")
    return topic.good(f"{words} 空闲，可以使用")


def _refused(kind: socket.SocketKind, host: str, port: int) -> int:
    """The errno of trying, as the server would; 0 when it can be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as tried:
        try:
            if kind == socket.SOCK_STREAM:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                tried.setsockopt(
                    socket.IPPROTO_IPV6,
                    socket.IPV6_V6ONLY,
                    int(kind == socket.SOCK_DGRAM or host != "::"),
                )
            tried.bind((host, port))
            if kind == socket.SOCK_STREAM:
                tried.listen(1)
        except OSError as error:
            return error.errno or errno.EIO
    return 0
