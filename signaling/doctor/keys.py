"""The keys that sign: readable, private, not too old, and the same as the other servers'."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterable
from typing import Final

from conference.model.claim import NodeState
from conference.model.keyset import OLD_MS, KeySet
from signaling.data_dir import DataDirectory, DataDirectoryError
from signaling.doctor.findings import Finding, Topic
from signaling.key_file import KeyFile
from signaling.settings import Settings

_TOPIC: Final = Topic("keys", "签名密钥")
_DAY_MS: Final = 86_400_000


async def look_at_keys(settings: Settings, directory: DataDirectory) -> list[Finding]:
    """Makes none. Other servers are asked in Redis, where they say the fingerprint of theirs."""
    elsewhere = None if settings.key_file is None else settings.key_file.resolve()
    file = KeyFile(directory, elsewhere)
    if not file.path.exists() and not directory.token_key.exists():
        return [_TOPIC.good("还没有，第一次启动时自动生成")]
    if elsewhere is not None and not elsewhere.exists():
        return [
            _TOPIC.note(
                f"共用的密钥文件 {elsewhere} 不存在",
                "核对 --key-file、共享盘是否挂载；第一台服务器启动时会在那里建立",
            )
        ]
    try:
        keys = file.read()
        foreign = file.foreign(keys)
    except DataDirectoryError as error:
        return [_TOPIC.bad(f"密钥读不出来：{error}", "核对文件和权限；坏了从备份取回（docs/operation.md）")]
    found = list(_faults(directory, file, keys, foreign))
    found += differing(keys, await _nodes(settings))
    days = (int(time.time() * 1000) - keys.signing.made_ms) // _DAY_MS
    return found or [_TOPIC.good(f"密钥 {keys.signing.id} 签名，已用 {days} 天，共 {len(keys.keys)} 个")]


def _faults(directory: DataDirectory, file: KeyFile, keys: KeySet, foreign: str | None) -> Iterable[Finding]:
    for path in (directory.token_key, directory.key_set, file.path):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield _TOPIC.bad(
                f"{path} 别的账号也能读",
                f"chmod 600 {path}；如果可能已被人拿走，用 yuanshang keys retire 停用",
            )
            break
    if foreign is not None:
        yield _TOPIC.note(
            f"{directory.token_key} 里的密钥 {foreign} 不在 {file.path.name} 里，没有用上",
            "几台服务器之间要复制 keys.json，不要只复制 token.key",
        )
    if int(time.time() * 1000) - keys.signing.made_ms > OLD_MS:
        yield _TOPIC.note(
            f"密钥 {keys.signing.id} 已用来签名超过一年", "会议间隙执行 yuanshang keys rotate，不用重启"
        )


def differing(keys: KeySet, nodes: Iterable[NodeState]) -> list[Finding]:
    """One finding about all servers whose keys are others than these."""
    names = [each.name for each in nodes if each.keys not in ("", keys.fingerprint)]
    if not names:
        return []
    return [
        _TOPIC.bad(
            f"与服务器 {'、'.join(names)} 的密钥不同：一台发出的链接另一台不认",
            "用 --key-file 让几台共用一个文件，或把 keys.json 复制过去",
        )
    ]


async def _nodes(settings: Settings) -> tuple[NodeState, ...]:
    """None where Redis does not answer: that is told of by itself."""
    if settings.redis_url is None:
        return ()
    from conference.storage.ephemeral.claims import nodes_heard
    from conference.storage.ephemeral.redis import RedisGoneError, RedisLink

    link = RedisLink(settings.redis_url)
    try:
        return await nodes_heard(link)
    except RedisGoneError:
        return ()
    finally:
        await link.close()
