"""The certificate: readable, made for the key and the public name, valid for long enough, with its chain."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from signaling.doctor.findings import Finding, Topic
from signaling.network import local_url_host
from signaling.settings import Settings
from signaling.tls.certificate import Certificate

_TOPIC: Final = Topic("certificate", "安全证书")
_SOON_DAYS: Final = 14


def look_at_certificate(settings: Settings, now: datetime | None = None) -> list[Finding]:
    """One finding; several where several things are wrong with it."""
    if settings.lan:
        return [
            _TOPIC.note(
                "--lan：自建证书，手机会提示不受信任",
                "只用于试用；正式会议请申请受信任的证书（--tls-cert、--tls-key）",
            )
        ]
    if settings.tls_cert is None or settings.tls_key is None:
        return [_without(settings)]
    try:
        Certificate(settings.tls_cert.absolute(), settings.tls_key.absolute())
        chain = x509.load_pem_x509_certificates(settings.tls_cert.read_bytes())
    except (OSError, ValueError) as error:
        return [
            _TOPIC.bad(
                f"证书 {settings.tls_cert} 不能用：{_reason(error)}",
                "核对 --tls-cert 与 --tls-key 是不是同一套、服务器账号能不能读；私钥不能带密码",
            )
        ]
    found = list(_faults(settings, chain, now or datetime.now(UTC)))
    if found:
        return found
    days = (chain[0].not_valid_after_utc - (now or datetime.now(UTC))).days
    return [_TOPIC.good(f"有效期还有 {days} 天（到 {chain[0].not_valid_after_utc:%Y-%m-%d}）")]


def _faults(settings: Settings, chain: list[x509.Certificate], now: datetime) -> list[Finding]:
    leaf, found = chain[0], []
    days = (leaf.not_valid_after_utc - now).days
    if leaf.not_valid_after_utc <= now:
        found.append(
            _TOPIC.bad(
                f"证书已于 {leaf.not_valid_after_utc:%Y-%m-%d} 过期",
                "换上新证书，服务器会自动载入，不用重启",
            )
        )
    elif leaf.not_valid_before_utc > now:
        found.append(
            _TOPIC.bad(
                f"证书从 {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC 起才有效",
                "先核对本机时钟；时钟无误就要换证书",
            )
        )
    elif days < _SOON_DAYS:
        found.append(_TOPIC.note(f"证书还有 {days} 天过期", "现在就续期；换上新文件即可，不用重启"))
    host = urlsplit(settings.public_url).hostname if settings.public_url else None
    if host is not None and not names(leaf, host):
        found.append(
            _TOPIC.bad(
                f"证书不是给 {host} 的（只写了 {'、'.join(_all_names(leaf)) or '空'}）",
                "申请包含这个域名的证书，或改正 --public-url",
            )
        )
    if leaf.issuer == leaf.subject:
        found.append(_TOPIC.note("自签证书，浏览器会提示不受信任", "正式会议请用受信任机构签发的证书"))
    elif len(chain) == 1:
        found.append(
            _TOPIC.note(
                "证书文件里只有一张证书，没有中间证书，有些手机会不信任",
                "把中间证书接在后面（签发机构提供的 fullchain 文件就是）",
            )
        )
    return found


def _without(settings: Settings) -> Finding:
    if (settings.public_url or "").startswith("https://"):
        if settings.trusted_proxies:
            return _TOPIC.good("由前面的反向代理提供 HTTPS，本机无从检查它的证书")
        return _TOPIC.note(
            "对外是 https，但没有设置 --trusted-proxies：所有人会显示成同一个地址，限流也会误伤",
            "把反向代理的地址写进 --trusted-proxies",
        )
    host = urlsplit(settings.public_url or "").hostname or local_url_host(settings.host)
    if host in ("localhost", "127.0.0.1", "[::1]") and settings.host not in ("0.0.0.0", "::", ""):  # noqa: S104
        return _TOPIC.good("只在本机使用，不需要证书")
    return _TOPIC.note(
        "没有证书：浏览器只对 https 网页（和本机）开放麦克风和摄像头，别的电脑和手机不能发言",
        "正式会议用 --tls-cert、--tls-key；试用可以加 --lan",
    )


def names(leaf: x509.Certificate, host: str) -> bool:
    """Whether the certificate is made out to this name or address, as browsers read it."""
    try:
        said = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    try:
        return ipaddress.ip_address(host) in said.get_values_for_type(x509.IPAddress)
    except ValueError:
        pass
    host = host.lower().rstrip(".")
    above = host.partition(".")[2]
    patterns = {each.lower() for each in said.get_values_for_type(x509.DNSName)}
    return host in patterns or (bool(above) and f"*.{above}" in patterns)


def _all_names(leaf: x509.Certificate) -> list[str]:
    try:
        said = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*said.get_values_for_type(x509.DNSName), *map(str, said.get_values_for_type(x509.IPAddress))]


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "文件不存在"
    if isinstance(error, PermissionError):
        return "没有读取权限"
    if "KEY_VALUES_MISMATCH" in str(error):
        return "证书与私钥不是一对"
    return str(error)
