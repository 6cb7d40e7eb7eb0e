"""What a process tree holds before and after: descriptors, sockets, memory, and tasks of an event loop."""

import asyncio
from dataclasses import dataclass
from typing import Self

from tests.support import process
from tests.support.eventually import eventually


@dataclass(frozen=True)
class Holdings:
    """One reading."""

    processes: int
    threads: int
    descriptors: int
    sockets: int
    regular_files: tuple[str, ...]
    rss_bytes: int

    @classmethod
    def of(cls, pid: int) -> Self:
        """Read the tree below `pid`."""
        members = process.tree(pid)
        files = process.open_files(members)
        return cls(
            processes=len(members),
            threads=process.thread_count(members),
            descriptors=files.total,
            sockets=files.sockets,
            regular_files=files.regular,
            rss_bytes=process.rss_bytes(members),
        )

    def growth(self, later: "Holdings") -> dict[str, int]:
        """What `later` has more of (negative: less)."""
        return {
            "processes": later.processes - self.processes,
            "threads": later.threads - self.threads,
            "descriptors": later.descriptors - self.descriptors,
            "sockets": later.sockets - self.sockets,
            "regular_files": len(later.regular_files) - len(self.regular_files),
            "rss_bytes": later.rss_bytes - self.rss_bytes,
        }


async def assert_returns_to(
    before: Holdings,
    pid: int,
    *,
    rss_slack_bytes: int,
    threads_slack: int = 4,
    connections: int = 0,
    timeout_s: float = 20.0,
) -> Holdings:
    """Wait until the tree holds no more than `before`, but for some memory, pool threads, and as many connections
    to SQLite, which are kept once they were opened."""

    def grown() -> dict[str, int]:
        later = Holdings.of(pid)
        growth = before.growth(later)
        files = 2 * connections  # the database and its log
        allowed = {
            "rss_bytes": rss_slack_bytes,
            "threads": threads_slack + connections,
            "descriptors": files,
            "regular_files": files,
        }
        return {key: value for key, value in growth.items() if value > allowed.get(key, 0)}

    await eventually(grown, lambda more: not more, timeout_s=timeout_s, every_s=0.2, what="return")
    return Holdings.of(pid)


def other_tasks() -> set[str]:
    """Names of the tasks of this loop besides the one that asks."""
    current = asyncio.current_task()
    return {task.get_name() for task in asyncio.all_tasks() if task is not current and not task.done()}
