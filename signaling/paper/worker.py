"""The process that typesets one paper: `{"template", "data"}` on standard input, the PDF on standard output.

The data reach the template as JSON that it reads: nothing in them is markup. Memory is bounded here, time by who asks
and by the kernel. Templates lie beside this file and load nothing else; a font that is missing is a failure, for
the words would be boxes.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any, Final

MEMORY_BYTES: Final = 1024 * 1024 * 1024
CPU_S: Final = 30
_HERE: Final = Path(__file__).parent
TEMPLATES: Final = frozenset({"account", "document", "precheck"})


class PaperError(Exception):
    """It cannot be typeset; the message is for the log and holds nothing of the data."""


def typeset(template: str, data: dict[str, Any]) -> bytes:
    """The PDF, or PaperError."""
    import typst

    if template not in TEMPLATES:
        raise PaperError(f"no template {template}")
    try:
        made, warnings = typst.compile_with_warnings(
            _HERE / f"{template}.typ", root=_HERE, sys_inputs={"data": json.dumps(data, ensure_ascii=False)}
        )
    except typst.TypstError as error:
        raise PaperError(type(error).__name__) from error
    missing = [each.message for each in warnings if each.message.startswith("unknown font family")]
    if missing:
        raise PaperError(missing[0])
    if not isinstance(made, bytes):
        raise PaperError("more than one file")
    return made


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    wanted = json.loads(sys.stdin.buffer.read())
    try:
        made = typeset(wanted["template"], wanted["data"])
    except (PaperError, MemoryError) as error:
        sys.stderr.write(f"paper: {error or type(error).__name__}\n")
        return 1
    sys.stdout.buffer.write(made)
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
