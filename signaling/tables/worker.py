"""The process that does one piece of work on tables: a request on standard input, an answer on standard output.

It bounds its own memory before it touches a byte; the time is bounded by who asks, and by the kernel.
"""

from __future__ import annotations

import resource
import sys
from typing import Final

MEMORY_BYTES: Final = 768 * 1024 * 1024
CPU_S: Final = 30


def _bound() -> None:
    """Before anything is imported that is large."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for unneeded in ("numpy", "lxml", "PIL"):  # openpyxl takes them where they are; numpy alone wants 300 MB
        sys.modules[unneeded] = None  # type: ignore[assignment]


def main() -> int:
    _bound()
    from signaling.tables import work
    from signaling.tables.messages import REQUEST, Refused, encode

    request = REQUEST.decode(sys.stdin.buffer.read())
    try:
        answer = work.done(request)
    except (MemoryError, RecursionError):
        answer = Refused("import_unreadable")
    sys.stdout.buffer.write(encode(answer))
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
