"""Why a backup or a restoration was not done: a stable code, and words for the person at the terminal."""

from __future__ import annotations

import errno
from typing import Final

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "target_exists": (
        "目标已经存在，不会覆盖。请换一个名称，或先把它移走",
        "the target exists and is not overwritten; take another name",
    ),
    "target_inside": (
        "备份不能放在数据目录里面。请放到另一块磁盘或移动硬盘上",
        "the target lies within the data directory; put it on another disk",
    ),
    "target_unusable": ("目标位置不能写入", "the target cannot be written"),
    "target_busy": (
        "另一个备份正在写入同一个目标，请等它结束",
        "another backup is writing to the same target",
    ),
    "disk_full": (
        "磁盘空间不够。没有留下半份备份；请腾出空间或换一块磁盘再试",
        "the disk is full; nothing half-written was left",
    ),
    "source_unreadable": (
        "有文件读不出来。请用运行服务器的同一账号执行，并检查磁盘",
        "a file cannot be read; use the server's account, and check the disk",
    ),
    "no_data": (
        "这里没有远商的数据。请核对 --data-dir",
        "no data of Yuanshang here; check --data-dir",
    ),
    "shared_dir_gone": (
        "共享目录没有挂载，或者不是这套服务器的。请先挂载再备份，或用 --shared-dir 指明",
        "the shared directory is not mounted, or not that of these servers; mount it, or name it by --shared-dir",
    ),
    "unfinished_restore": (
        "这个数据目录里有一次没有完成的恢复。请清空目录后重新恢复",
        "a restoration into this directory was not finished; empty it and restore again",
    ),
    "restless": (
        "备份期间不断有文件被删除，没有得到前后一致的一份。请稍后再试",
        "files were deleted again and again meanwhile; try again later",
    ),
    "database_failed": ("数据库读取或写入失败", "the database failed"),
    "tool_missing": (
        "缺少 PostgreSQL 的 {detail} 程序。请安装软件包：apt install postgresql-client",
        "{detail} of PostgreSQL is missing: install the package postgresql-client",
    ),
    "tool_failed": ("PostgreSQL 的程序报告错误", "PostgreSQL's program failed"),
    "not_a_backup": (
        "这不是一份完整的远商备份（缺少清单，或备份当时被中断）",
        "not a whole backup: no manifest, or it was interrupted",
    ),
    "damaged": ("备份已损坏，没有恢复任何内容", "the backup is damaged; nothing was restored"),
    "newer_format": (
        "这份备份由更新版本的远商制作。请先升级软件再恢复",
        "the backup was made by a newer version; upgrade first",
    ),
    "not_empty": (
        "目标数据目录不是空的，不会覆盖。请指定一个新的空目录",
        "the data directory is not empty; name a new one",
    ),
    "in_use": (
        "有服务器正在使用这个数据目录。请先停止服务器，或指定一个新的空目录",
        "a server uses this data directory; stop it, or name another",
    ),
    "database_wanted": (
        "这份备份来自 PostgreSQL。请用 --database-url 指定一个空的数据库",
        "the backup is of PostgreSQL: name an empty database by --database-url",
    ),
    "database_unwanted": (
        "这份备份自带 SQLite 数据库，不能恢复到 PostgreSQL。请去掉 --database-url",
        "the backup holds SQLite and cannot be restored into PostgreSQL: leave --database-url out",
    ),
    "database_not_empty": (
        "指定的 PostgreSQL 数据库不是空的，不会覆盖。请新建一个空的数据库",
        "the PostgreSQL database is not empty; make a new one",
    ),
}


class BackupError(Exception):
    """Nothing was done that counts. `code` is stable; `detail` names the file or what a program said."""

    def __init__(self, code: str, detail: str = "") -> None:
        chinese, english = _WORDS[code]
        self.code = code
        self.detail = detail
        if "{detail}" in chinese:
            self.chinese, self.english = chinese.format(detail=detail), english.format(detail=detail)
        else:
            rest = f"：{detail}" if detail else ""
            self.chinese, self.english = f"{chinese}{rest}", english
        super().__init__(f"{self.chinese}。\n{self.english}.")


def codes() -> frozenset[str]:
    """All there are."""
    return frozenset(_WORDS)


def of_target(error: OSError) -> BackupError:
    """What a refused write means."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return BackupError("disk_full", str(error.filename or ""))
    return BackupError("target_unusable", _words(error))


def of_source(error: OSError) -> BackupError:
    """What a refused read means."""
    return BackupError("source_unreadable", _words(error))


def _words(error: OSError) -> str:
    place = f"{error.filename} " if error.filename else ""
    return f"{place}({error.strerror or error})"
