"""The database and, where there is one, Redis: they answer, can be written, and are of our version."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from conference.model.errors import ConferenceError
from conference.storage.database import newest_version
from signaling.data_dir import DataDirectory
from signaling.database import open_database
from signaling.doctor.findings import Finding, Topic
from signaling.settings import Settings

_DATABASE: Final = Topic("database", "数据库　")
_REDIS: Final = Topic("redis", "共享缓存")
_BUSY_MS: Final = 5000


async def look_at_database(settings: Settings, directory: DataDirectory) -> list[Finding]:
    """Nothing in it is changed, nor is one made."""
    if directory.unfinished_restore.exists():
        return [
            _DATABASE.bad("恢复备份没有完成，服务器不会启动", "清空数据目录后重新恢复（yuanshang restore）")
        ]
    if settings.database_url is None and not directory.database.exists():
        return [_DATABASE.good("还没有，第一次启动时自动建立")]
    kind = "SQLite" if settings.database_url is None else "PostgreSQL"
    database = open_database(directory, settings.database_url, busy_timeout_ms=_BUSY_MS)
    try:
        version = await database.version()
        if version is not None:
            await database.require_writable()
    except (ConferenceError, SQLAlchemyError, OSError) as error:
        said = error.detail if isinstance(error, ConferenceError) else getattr(error, "orig", error)
        return [
            _DATABASE.bad(
                f"{kind} 打不开或写不进去：{said}",
                "检查磁盘和权限"
                if settings.database_url is None
                else "检查数据库服务是否启动、地址和密码是否正确、是不是只读的备库",
            )
        ]
    finally:
        await database.close()
    newest = newest_version()
    if version is None:
        return [_DATABASE.good(f"{kind} 是空的，启动时自动建立")]
    if version > newest:
        return [_DATABASE.bad(f"{kind} 的结构 {version} 比本程序（{newest}）新", "请换回较新的程序版本")]
    if version < newest:
        return [
            _DATABASE.note(
                f"{kind} 的结构 {version} 较旧，启动时会自动升级到 {newest}", "升级前先备份：yuanshang backup"
            )
        ]
    return [_DATABASE.good(f"{kind} 可读可写，结构 {version}")]


async def look_at_redis(settings: Settings) -> list[Finding]:
    """Nothing where none is set."""
    if settings.redis_url is None:
        return []
    from conference.storage.ephemeral.redis import RedisGoneError, RedisLink

    link = RedisLink(settings.redis_url)
    try:
        await link.run(lambda redis: redis.ping(), probe=True)
    except RedisGoneError as error:
        return [
            _REDIS.bad(
                f"Redis 没有应答：{error.__cause__}",
                "启动 Redis 或改正 --redis-url；没有它各服务器只能各开各的会",
            )
        ]
    finally:
        await link.close()
    return [_REDIS.good("Redis 有应答")]
