"""In place of an ingest process: does what its job's address says, and tells what it was told as a codec's name."""

from __future__ import annotations

import sys
import time

from conference.ingest import messages


def say(fact: messages.Fact | bytes) -> None:
    sys.stdout.buffer.write(fact if isinstance(fact, bytes) else messages.encode(fact))
    sys.stdout.flush()


def running(codec: str) -> messages.Running:
    return messages.Running(1, 2, 3.0, codec, True, False, 0.5)


def main() -> None:
    """Until the end of standard input."""
    job = messages.read_order(sys.stdin.buffer.readline())
    assert isinstance(job, messages.Job)
    if job.url == "dies":
        return
    if not job.socket_path:
        say(
            messages.Look(b"jpeg", 1, 2, "h264", False, True)
            if job.url == "look"
            else messages.Failed("refused")
        )
        return
    say(messages.Ready())
    if job.url == "rubbish":
        say(b"no json\n" + b'{"is": "Nonsense"}\n' + b'{"is": "Failed", "reason": "boredom"}\n')
    if job.url == "hangs":
        time.sleep(600)
    if job.kind == "clip":
        say(messages.At("playing", job.from_ms + 500, 1.0))
    say(running(f"{job.url} {job.from_ms} {job.is_paused}"))
    for line in sys.stdin.buffer:
        order = messages.read_order(line)
        say(running(f"{type(order).__name__} {getattr(order, 'position_ms', '')}".strip()))


if __name__ == "__main__":
    main()
