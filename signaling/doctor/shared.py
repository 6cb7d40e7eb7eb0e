"""The directory that servers share: mounted, ours, able to do what recordings need, and in use by the others."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from conference.model.errors import ConferenceError
from conference.model.shared_directory import SharedDirectoryId
from conference.storage.database import newest_version
from signaling.blocking import in_time
from signaling.data_dir import DataDirectory
from signaling.database import open_database
from signaling.doctor.findings import Finding, Topic
from signaling.settings import Settings
from signaling.shared_dir import (
    MARK,
    SERVERS,
    SharedDirectoryError,
    left_behind,
    read_mark,
    try_out,
)
from signaling.shared_watch import OK, locked_by

_TOPIC: Final = Topic("shared_dir", "共享目录")
_BUSY_MS: Final = 5000


async def look_at_shared_directory(settings: Settings, directory: DataDirectory) -> list[Finding]:
    """Nothing where there is none, and none was ever used. Leaves everything as it was."""
    known = await _known(settings, directory)
    if directory.shared is None:
        if known is None:
            return []
        return [
            _TOPIC.note(
                "数据库里记着一个共享目录，这台服务器没有设 --shared-dir，录制会写在自己的盘上",
                "与其他服务器用同一个 --shared-dir",
            )
        ]
    path = directory.shared
    try:
        return [await in_time(lambda: judge(directory, path, known))]
    except TimeoutError:
        return [_TOPIC.bad(f"{path} 没有应答", "检查文件服务器和网络，挂载是否还在（df、mount）")]
    except OSError as error:
        return [_TOPIC.bad(f"{path} 不能读写：{error.strerror}", "检查文件服务器、挂载和账号的权限")]


def judge(directory: DataDirectory, path: Path, known: SharedDirectoryId | None) -> Finding:
    """What is found there. OSError."""
    if not path.is_dir():
        return _TOPIC.bad(f"{path} 不存在", "先挂载共享目录，再启动")
    said = read_mark(path)
    if said is None and known is not None and known.is_marked:
        return _TOPIC.bad(f"{path} 里没有标记文件 {MARK}，多半没有挂载", "先挂载共享目录，再启动")
    if said is not None and (known is None or said != known.id):
        return _TOPIC.bad(
            f"{path} 属于另一套服务器（标记 {said}）",
            "核对 --shared-dir 和 --database-url；不要两套共用一个目录",
        )
    left = left_behind(directory)
    if left:
        return _TOPIC.bad(
            f"数据目录里还有 {'、'.join(left)}，设了共享目录就读不到", f"停下服务器，把它们移到 {path}"
        )
    try:
        try_out(path)
    except SharedDirectoryError as error:
        return _TOPIC.bad(str(error), "换成 NFS 4 或 CephFS")
    if said is None:
        return _TOPIC.good(f"{path} 可读可写，第一次启动时做标记")
    return _TOPIC.good(f"{path} 可读可写，标记一致，{_servers(path)} 台服务器正在使用")


def _servers(path: Path) -> int:
    try:
        return sum(locked_by(each) == OK for each in (path / SERVERS).iterdir())
    except FileNotFoundError:
        return 0


async def _known(settings: Settings, directory: DataDirectory) -> SharedDirectoryId | None:
    if settings.database_url is None and not await asyncio.to_thread(directory.database.exists):
        return None
    database = open_database(directory, settings.database_url, busy_timeout_ms=_BUSY_MS)
    try:
        if await database.version() != newest_version():
            return None
        async with database.reading() as unit:
            return await unit.shared_directory.get()
    except (ConferenceError, SQLAlchemyError, OSError):
        return None  # told elsewhere
    finally:
        await database.close()
