"""The clock: every line of the trace, every token and every countdown of a certificate stands on it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from signaling.doctor.findings import Finding, Topic

_TOPIC: Final = Topic("clock", "系统时钟")
_EARLIEST: Final = datetime(2025, 1, 1, tzinfo=UTC)  # older than this program no clock can be right
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_PATIENCE_S: Final = 3.0
_SET_IT: Final = "接通对时：timedatectl set-ntp true，或装 chrony 并指向本单位的时间服务器"


def look_at_clock(now: datetime | None = None) -> list[Finding]:
    """Sane, and synchronised as far as this machine can tell."""
    now = now or datetime.now(UTC)
    shown = now.astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
    if not _EARLIEST <= now < _LATEST:
        return [_TOPIC.bad(f"时钟显然不对：{shown}", _SET_IT)]
    synchronised = is_synchronised()
    if synchronised is None:
        return [
            _TOPIC.note(
                f"现在是 {shown}；有没有对时，本机查不出来（timedatectl 和 chronyc 都没有回答）",
                "请与手机时间核对一下，相差不应超过一秒",
            )
        ]
    if not synchronised:
        return [_TOPIC.note(f"现在是 {shown}，没有与时间服务器同步", _SET_IT)]
    return [_TOPIC.good(f"{shown}，已与时间服务器同步")]


def is_synchronised() -> bool | None:
    """None where nobody here knows."""
    said = _said(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    if said == "yes":
        return True
    chrony = _said(["chronyc", "-n", "tracking"])
    if chrony is not None and "Leap status" in chrony:
        return any(
            line.startswith("Leap status") and line.rpartition(":")[2].strip() == "Normal"
            for line in chrony.splitlines()
        )
    return False if said == "no" else None


def _said(command: Sequence[str]) -> str | None:
    program = shutil.which(command[0])
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 a program of the system, arguments of ours
            [program, *command[1:]], capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
