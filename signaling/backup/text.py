"""What `yuanshang backup` and `yuanshang restore` say when all went well."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from signaling.backup.manifest import DATA, POSTGRESQL, Manifest
from signaling.data_dir import SHARED_NAMES

_SHOWN: Final = 10


def backup_text(manifest: Manifest, place: Path) -> str:
    """After a backup."""
    lines = [
        "备份完成，已逐个文件核对  Backup complete and verified",
        *_facts(manifest, place),
        "",
        "备份里有服务器的密钥和参会人员信息，请像保管公章一样保管，不要放在网盘或公用电脑上。",
        f"恢复时执行：yuanshang restore {place} --data-dir 新的空目录",
    ]
    return "\n".join([*lines, *_missing(manifest)])


def check_text(manifest: Manifest, place: Path) -> str:
    """After looking at a backup."""
    return "\n".join(
        ["备份完好，可以恢复  The backup is whole", *_facts(manifest, place), *_missing(manifest)]
    )


def restore_text(manifest: Manifest, place: Path) -> str:
    """After a restoration."""
    database = " --database-url …" if manifest.database == POSTGRESQL else ""
    if f"{DATA}/{SHARED_NAMES[-1]}" in manifest.files:
        database += " --shared-dir …"
    lines = [
        "恢复完成  Restored",
        *_facts(manifest, place),
        "",
        f"现在可以启动服务器：yuanshang serve --data-dir {place}{database}",
        "备份时正在开的会会接着开，中断的时间列为空档；录制按断电后的办法收尾。",
    ]
    if not manifest.with_models:
        lines.append("语音模型不在备份里；需要字幕请执行：yuanshang model install")
    return "\n".join([*lines, *_missing(manifest)])


def _facts(manifest: Manifest, place: Path) -> list[str]:
    when = datetime.fromtimestamp(manifest.moment_ms / 1000).astimezone()
    return [
        f"  位置  place      {place}",
        f"  时刻  moment     {when.isoformat(sep=' ', timespec='seconds')}",
        f"  内容  content    {len(manifest.files)} 个文件，{_size(manifest.size_bytes)}",
        f"  版本  version    {manifest.software}，数据库 {manifest.database} {manifest.schema_version}",
    ]


def _missing(manifest: Manifest) -> list[str]:
    if not manifest.missing:
        return []
    more = len(manifest.missing) - _SHOWN
    return [
        "",
        f"注意：数据库提到的 {len(manifest.missing)} 个文件在备份之前就已不在这台服务器上"
        "（几台服务器共用数据库时，可能在另一台上）：",
        *(f"  {each}" for each in manifest.missing[:_SHOWN]),
        *([f"  …… 另有 {more} 个"] if more > 0 else []),
    ]


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.2f} GB" if size_bytes >= 1e8 else f"{size_bytes / 1e6:.1f} MB"
