"""The server that may be running on the same data directory, and what it says of itself (/readyz)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from conference.file_lock import is_locked
from signaling.data_dir import DataDirectory
from signaling.doctor.findings import Finding, Topic
from signaling.network import local_url_host
from signaling.settings import Settings

PATIENCE_S: Final = 3.0
_TOPIC: Final = Topic("server", "运行状态")
_WORDS: Final = {
    "database": "数据库",
    "media": "媒体进程",
    "redis": "Redis",
    "relay": "中继",
    "shared_dir": "共享目录",
    "certificate": "证书",
    "keys": "密钥",
}
_BAD: Final = ("database", "media")  # /readyz itself counts no other against the server


@dataclass(frozen=True, slots=True)
class Running:
    """`holds`: a server holds the lock of the data directory. `url`: where it should answer on this machine; `said`:
    the checks of /readyz by name, None while nothing of ours answers there."""

    holds: bool
    url: str
    said: Mapping[str, str] | None = field(default=None)

    @property
    def is_ours(self) -> bool:
        """Our own server, on this data directory and these ports."""
        return self.holds and self.said is not None


async def find_running(settings: Settings, directory: DataDirectory) -> Running:
    """Never raises."""
    scheme = "https" if settings.lan or settings.tls_cert is not None else "http"
    url = f"{scheme}://{local_url_host(settings.host)}:{settings.port}"
    return Running(_is_held(directory), url, await _readyz(url) if settings.port else None)


def _is_held(directory: DataDirectory) -> bool:
    try:
        return is_locked(directory.lock_path)
    except OSError:
        return False


async def _readyz(url: str) -> Mapping[str, str] | None:
    body = await ask(f"{url}/readyz")
    checks = body.get("checks") if isinstance(body, dict) else None
    return checks if isinstance(checks, dict) and {"database", "media"} <= set(checks) else None


async def ask(url: str, json: Any = None) -> Any:
    """The JSON of our own server; None where there is none. Its certificate is looked at elsewhere."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
            session.request("GET" if json is None else "POST", url, json=json, ssl=False) as response,
        ):
            return await response.json()
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return None


def look_at_server(running: Running) -> list[Finding]:
    """Where one runs: what it says of itself."""
    if running.said is None:
        if running.holds:
            return [
                _TOPIC.bad(
                    f"有服务器正在使用这个数据目录，但 {running.url}/readyz 没有应答",
                    "核对端口设置是否与运行中的一致；若一致，查看它的日志，必要时重新启动",
                )
            ]
        return [_TOPIC.good("服务器没有运行，按启动前检查")]
    if not running.holds:
        return [
            _TOPIC.bad(
                f"{running.url} 上运行着另一个远商服务器，用的是别的数据目录",
                "核对 --data-dir 和 --port",
            )
        ]
    trouble = {name: state for name, state in running.said.items() if state not in ("ok", "absent")}
    if not trouble:
        return [_TOPIC.good(f"服务器正在运行，自检正常（{running.url}）")]
    said = "、".join(f"{_WORDS.get(name, name)}：{state}" for name, state in trouble.items())
    make = _TOPIC.bad if any(name in trouble for name in _BAD) else _TOPIC.note
    return [make(f"服务器正在运行，自检报告 {said}", "查看服务器日志中相应的记录")]
