"""Where the media process stands among others; each case in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.support.media import ROOT

SCRIPT = """
import json, os, sys
from conference.media.priority import go_first
exec(sys.argv[1])
said = go_first()
child = os.fork()
if child == 0:
    os._exit(os.sched_getscheduler(0))
print(json.dumps([said, os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK, os.waitpid(child, 0)[1] >> 8]))
"""


def allowed() -> bool:
    """Whether this machine lets the tests do so at all."""
    return os.geteuid() == 0 and len(os.sched_getaffinity(0)) > 1


def tried(before: str = "") -> tuple[bool, int, int]:
    """What it said, the policy of the process and of a child."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, before], capture_output=True, check=True, cwd=ROOT, text=True
    )
    said, policy, inherited = json.loads(done.stdout)
    return said, policy, inherited


@pytest.mark.skipif(not allowed(), reason="needs root and two cores")
def test_it_goes_first_and_alone() -> None:
    assert tried() == (True, os.SCHED_RR, os.SCHED_OTHER)


@pytest.mark.skipif(not allowed(), reason="needs root and two cores")
def test_not_on_a_single_core() -> None:
    one = "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    assert tried(one) == (False, os.SCHED_OTHER, os.SCHED_OTHER)


def test_who_may_not_goes_on_as_before() -> None:
    nobody = "os.geteuid() == 0 and os.setuid(65534)"
    assert tried(nobody) == (False, os.SCHED_OTHER, os.SCHED_OTHER)
