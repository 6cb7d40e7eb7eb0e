"""Process trees as /proc shows them: who belongs to whom, what they cost and what they hold."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def _stat_fields(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the third on (state, ppid, …); the name before them may hold anything."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    return text[text.rindex(")") + 2 :].split()


def alive(pid: int) -> bool:
    """True while the process runs; a zombie does not run."""
    fields = _stat_fields(pid)
    return fields is not None and fields[0] not in ("Z", "X")


def descendants(pid: int) -> list[int]:
    """All processes below `pid`, nearest first, without itself."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            fields = _stat_fields(int(entry.name))
            if fields is not None and fields[0] != "Z":
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = sorted(children.get(waiting.pop(0), []))
        found += below
        waiting += below
    return found


def tree(pid: int) -> list[int]:
    """`pid` and all processes below it."""
    return [pid, *descendants(pid)]


def command_line(pid: int) -> str:
    """The process's arguments, separated by blanks; empty when it is gone."""
    try:
        raw = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()


def cpu_s(pids: list[int]) -> float:
    """CPU seconds of all live threads, to the nanosecond (schedstat), not to the 10 ms tick."""
    total_ns = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for thread in (PROC / str(pid) / "task").iterdir():
                total_ns += int((thread / "schedstat").read_text().split()[0])
    return total_ns / 1e9


def cpu_ticks_s(pids: list[int]) -> tuple[float, float]:
    """(user, system) CPU seconds with those of reaped children, to the tick."""
    user = system = 0
    for pid in pids:
        fields = _stat_fields(pid)
        if fields is not None:
            user += int(fields[11]) + int(fields[13])
            system += int(fields[12]) + int(fields[14])
    return user / TICKS_PER_S, system / TICKS_PER_S


def _status_number(pid: int, key: str) -> int:
    try:
        for line in (PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def rss_bytes(pids: list[int]) -> int:
    """Resident memory, shared pages counted in each process."""
    return sum(_status_number(pid, "VmRSS") for pid in pids) * 1024


def thread_count(pids: list[int]) -> int:
    """Threads of all these processes."""
    return sum(_status_number(pid, "Threads") for pid in pids)


@dataclass(frozen=True)
class OpenFiles:
    """What the file descriptors of some processes point to."""

    total: int
    sockets: int
    pipes: int
    regular: tuple[str, ...]


def open_files(pids: list[int]) -> OpenFiles:
    """Count the descriptors of all these processes."""
    total = sockets = pipes = 0
    regular: list[str] = []
    for pid in pids:
        with contextlib.suppress(OSError):
            for entry in (PROC / str(pid) / "fd").iterdir():
                try:
                    target = os.readlink(entry)
                except OSError:
                    continue
                total += 1
                if target.startswith("socket:"):
                    sockets += 1
                elif target.startswith("pipe:"):
                    pipes += 1
                elif target.startswith("/"):
                    regular.append(target)
    return OpenFiles(total, sockets, pipes, tuple(sorted(regular)))


def machine_busy_s() -> float:
    """CPU seconds that the whole machine has worked since boot."""
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(
        int, (PROC / "stat").read_text().splitlines()[0].split()[1:]
    )
    return (user + nice + system + irq + softirq) / TICKS_PER_S
