"""Memory, cores and descriptors, against what a meeting with these settings needs."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from signaling.descriptors import raise_descriptor_limit
from signaling.doctor.findings import Finding, Topic
from signaling.settings import Settings

_MEMORY: Final = Topic("memory", "可用内存")
_CORES: Final = Topic("cores", "处理器核")
_FILES: Final = Topic("descriptors", "连接上限")
_BASE_MB: Final = 700  # web and media process with a room of 300
_PROGRAM_MB: Final = 700
_CAPTIONS_MB: Final = 300  # beside the model itself
_RUNNING_MB: Final = 300  # of a server that runs already: what it may still take
_FDS: Final = 512
_FDS_EACH: Final = 6  # of one participant: socket, media over TCP, relay on both sides, downloads
_CGROUP: Final = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Machine:
    """What this process may use, container limits included. `load`: programs that want a core, over a minute."""

    free_mb: int
    cores: float
    load: float
    descriptors: int


def this_machine() -> Machine:
    """As it is now."""
    raise_descriptor_limit()
    return Machine(_free_mb(), _cores(), os.getloadavg()[0], resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def look_at_machine(
    settings: Settings, machine: Machine, *, is_running: bool, model_mb: int = 0
) -> list[Finding]:
    """`model_mb`: of the speech model in use, 0 for none."""
    return [
        _memory(settings, machine, is_running=is_running, model_mb=model_mb),
        _processors(settings, machine, is_running=is_running, hears=model_mb > 0),
        _descriptors(settings, machine),
    ]


def _memory(settings: Settings, machine: Machine, *, is_running: bool, model_mb: int) -> Finding:
    needed = _BASE_MB + (_PROGRAM_MB if settings.programs else 0)
    if settings.captions and model_mb:
        needed += _CAPTIONS_MB + 2 * model_mb
    if is_running:
        needed = _RUNNING_MB
    words = f"可用 {machine.free_mb} MB，" + ("服务器已在运行" if is_running else f"一场会约需 {needed} MB")
    if machine.free_mb < needed // 2:
        return _MEMORY.bad(words, "关掉其他程序或加内存；或换小语音模型，或加 --no-captions、--no-programs")
    if machine.free_mb < needed:
        return _MEMORY.note(words, "会前关掉其他程序；紧张时加 --no-captions")
    return _MEMORY.good(words)


def _processors(settings: Settings, machine: Machine, *, is_running: bool, hears: bool) -> Finding:
    least = settings.media_processes + int(settings.programs)
    wanted = least + int(settings.captions and hears)
    words = f"{machine.cores:g} 核，最近一分钟平均 {machine.load:.1f} 个程序在用"
    if machine.cores < least:
        return _CORES.bad(
            f"{words}；媒体{'和节目画面' if settings.programs else ''}至少要 {least} 核",
            "换一台机器；或加 --no-programs（没有直播和合成录像），或减小 --media-processes",
        )
    if machine.load > machine.cores and not is_running:
        return _CORES.note(f"{words}，机器已经很忙", "会前停掉其他程序（top 可以看到是谁）")
    if machine.cores < wanted:
        return _CORES.note(f"{words}；节目和字幕同开以 {wanted} 核为宜", "人多时字幕会迟到，会后自动补齐")
    return _CORES.good(words)


def _descriptors(settings: Settings, machine: Machine) -> Finding:
    needed = _FDS + _FDS_EACH * settings.max_participants + settings.live_ll_limit
    count = machine.descriptors
    if count == resource.RLIM_INFINITY or count >= needed:
        return _FILES.good("不限" if count == resource.RLIM_INFINITY else f"可同时打开 {count} 个文件和连接")
    return _FILES.bad(
        f"只能同时打开 {count} 个文件和连接，{settings.max_participants} 人参会要 {needed} 个",
        "在 systemd 单元中加 LimitNOFILE=65536，或用 ulimit -Hn 65536 后再启动",
    )


def _free_mb() -> int:
    said = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines() if ":" in line)
    free = int(said["MemAvailable"].split()[0]) // 1024
    limit, used = _number("memory.max"), _number("memory.current")
    if limit is not None and used is not None:
        free = min(free, max(0, limit - used) >> 20)
    return free


def _cores() -> float:
    cores = float(len(os.sched_getaffinity(0)))
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()
        cores = min(cores, int(quota) / int(period))
    except (OSError, ValueError):  # no limit
        pass
    return cores


def _number(name: str) -> int | None:
    try:
        return int((_CGROUP / name).read_text())
    except (OSError, ValueError):
        return None
