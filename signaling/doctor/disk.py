"""The disk of the data directory: how many hours it takes, and how fast it is."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from signaling.doctor.findings import Finding, Topic
from signaling.settings import Settings

_SPACE: Final = Topic("disk_space", "磁盘空间")
_SPEED: Final = Topic("disk_speed", "磁盘速度")
HOURLY_BYTES: Final = 6 * 1_500_000 // 8 * 3600 + 4_000_000 // 8 * 3600
"""Six cameras of 1.5 Mbit/s with sound, and a program in all its sizes with 4 Mbit/s: 5.9 GB."""

_FEW_HOURS: Final = 8
_TRIAL_BYTES: Final = 16 << 20
_SYNCS: Final = 10
_SLOW_MB_S: Final = 20.0
_TOO_SLOW_MB_S: Final = 4.0
_SLOW_SYNC_MS: Final = 60.0
_TOO_SLOW_SYNC_MS: Final = 500.0
_SPARE: Final = "会议期间不要在这台机器上拷贝文件；"


@dataclass(frozen=True, slots=True)
class Speed:
    """Of long writes, and of waiting until one small one is on the disk (median)."""

    mb_s: float
    sync_ms: float


def look_at_disk(settings: Settings) -> list[Finding]:
    """Measured where recordings are written, or will be: the data directory, unless there is a shared one."""
    place = existing(settings.shared_dir or settings.data_dir)
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return [_SPACE.bad(f"{place} 读不出来：{error.strerror}", "检查磁盘是否挂载")]
    space = judge_space(settings, free)
    try:
        return [space, judge_speed(measure(place), is_shared=settings.shared_dir is not None)]
    except OSError as error:
        return [space, _SPEED.bad(f"{place} 写不进去：{error.strerror}", _rights(place))]


def existing(path: Path) -> Path:
    """The directory, or the next one above that is there."""
    path = path.resolve()
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path


def judge_space(settings: Settings, free_bytes: int) -> Finding:
    """Against hours of recording, and what the settings say."""
    hours = free_bytes / HOURLY_BYTES
    words = f"剩余 {free_bytes / 1e9:.1f} GB，约可录 {hours:.0f} 小时（按六路摄像头加节目，每小时约 6 GB）"
    if free_bytes < settings.recording_reserve_mb << 20:
        return _SPACE.bad(
            f"{words}；已少于预留的 {settings.recording_reserve_mb} MB，不会开始录制", "清理磁盘或换一块大的"
        )
    if free_bytes < settings.disk_warn_gb * 1e9 or hours < _FEW_HOURS:
        return _SPACE.note(words, "会前腾出空间，或把数据目录放到大的磁盘上")
    return _SPACE.good(words)


def judge_speed(speed: Speed, *, is_shared: bool = False) -> Finding:
    """Against what recording, program and rows write together."""
    better = "换快的文件服务器或网络" if is_shared else "换固态硬盘；不要用网络盘或 U 盘作数据目录"
    words = f"连续写 {speed.mb_s:.0f} MB/s，落盘一次 {speed.sync_ms:.0f} 毫秒"
    if speed.mb_s < _TOO_SLOW_MB_S or speed.sync_ms > _TOO_SLOW_SYNC_MS:
        return _SPEED.bad(f"{words}，跟不上录制", better)
    if speed.mb_s < _SLOW_MB_S or speed.sync_ms > _SLOW_SYNC_MS:
        return _SPEED.note(f"{words}，偏慢", _SPARE + (better if is_shared else "有条件换固态硬盘"))
    return _SPEED.good(words)


def measure(place: Path) -> Speed:
    """Sixteen megabytes and ten small waits, in a file without a name. OSError."""
    with tempfile.TemporaryFile(dir=place, buffering=0) as file:
        piece, began = os.urandom(1 << 20), time.perf_counter()
        for _ in range(_TRIAL_BYTES >> 20):
            file.write(piece)
        os.fsync(file.fileno())
        long_s = time.perf_counter() - began
        waits = []
        for _ in range(_SYNCS):
            began = time.perf_counter()
            file.write(piece[:4096])
            os.fsync(file.fileno())
            waits.append(time.perf_counter() - began)
    return Speed(_TRIAL_BYTES / 1e6 / max(long_s, 1e-6), median(waits) * 1000)


def _rights(place: Path) -> str:
    return f"用运行服务器的账号检查 {place} 的权限，磁盘是否只读或已满（df -h、mount）"
