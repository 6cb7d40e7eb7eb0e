"""The process that makes one document: a request on standard input, the answer on standard output.

Memory and processor time are bounded here, the time that passes by who asks.
"""

from __future__ import annotations

import os
import resource
import sys
from typing import Final

from signaling.documents.messages import (
    REQUEST,
    Answer,
    CheckTemplate,
    FillTemplate,
    Made,
    Refused,
    Request,
    WriteDocument,
    encode,
)

MEMORY_BYTES: Final = 1024 * 1024 * 1024
CPU_S: Final = 30


def answer_to(request: Request) -> Answer:
    """What is asked for, or why a template is not used."""
    match request:
        case WriteDocument(document):
            from signaling.documents.docx_writer import write

            return Made(write(document))
        case FillTemplate(template, words) | CheckTemplate(template, words):
            from signaling.documents.template import TemplateError, fill

            try:
                made = fill(template, words)
            except TemplateError as error:
                return Refused(error.reason, error.said)
            except (MemoryError, RecursionError):
                return Refused("too_large")
            return Made(b"" if isinstance(request, CheckTemplate) else made)


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # nothing is written but the answer
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    answer = answer_to(REQUEST.decode(sys.stdin.buffer.read()))
    out.write(encode(answer))
    out.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
