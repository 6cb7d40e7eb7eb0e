"""When the media process has its turn among all that runs on the machine."""

from __future__ import annotations

import os


def go_first() -> bool:
    """From now on this process runs as soon as there is something to do, whatever else computes: a packet is forwarded
    when it comes. What it starts does not inherit that.

    False, and nothing is changed, where the system does not allow it (CAP_SYS_NICE, or LimitRTPRIO=1 in a unit of
    systemd), and on a single core, where a flood of packets would stop everything else. With more cores the others
    have those, and a twentieth of this one by the kernel's default (sched_rt_runtime_us).
    """
    if len(os.sched_getaffinity(0)) < 2:
        return False
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except OSError:
        return False
    return True
