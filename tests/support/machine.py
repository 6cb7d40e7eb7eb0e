"""A bare Debian of its own, with systemd as its first process and nothing but loopback for a network.

    with Machine(debian(directory), stick) as machine:
        machine.run("systemctl", "status")

It lives in namespaces (mount, process, network, cgroup, IPC, host name) over a copy-on-write layer of a root that
debootstrap made once. All of it, mounts too, ends with its first process. Needs root.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.support.eventually import eventually_sync

STICK: Final = "/media/USB 盘"
"""Where the machine finds what it was given: read-only, under a name as desktops make them."""

# The first process ends with us, however we end.
_APART: Final = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--fork", "--kill-child"),
)
_FROM_ITS_ROOT: Final = ("sh", "-c", 'cd / && exec "$@"', "sh")
_SOURCE: Final = "http://deb.debian.org/debian"
_BOOT: Final = r"""
set -eu
work=$1 base=$2 stick=$3 there=$4
mount --make-rprivate /
root=$work/root
mkdir -p "$root" "$work/upper" "$work/overlay"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/overlay" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
mkdir "$root/dev/pts" "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
for name in null zero full random urandom tty; do
  touch "$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
  mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
  mkdir "$root/sys/fs/cgroup/systemd"
  mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
fi
mkdir -p "$root$there"
mount --bind "$stick" "$root$there"
mount -o remount,ro,bind "$root$there"
mkdir -p "$root/mnt/outside"
cd "$root"
pivot_root . mnt/outside  # a root that was only changed has no mounts of its own that units could be kept in
umount -l /mnt/outside
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd \
  --log-target=journal --show-status=no systemd.unit=multi-user.target <dev/null
"""


def why_not() -> str:
    """Why there can be none here; empty when there can."""
    if os.geteuid() != 0:
        return "needs root"
    missing = [each for each in ("debootstrap", "unshare", "nsenter") if shutil.which(each) is None]
    return f"needs {', '.join(missing)}" if missing else ""


def debian(directory: Path) -> Path:
    """A bare Debian 12 with systemd, made when `directory` has none: what the installer of Debian leaves, and less."""
    root = directory / "bookworm"
    if not root.exists():
        draft = directory / ".bookworm"
        shutil.rmtree(draft, ignore_errors=True)
        directory.mkdir(parents=True, exist_ok=True)
        include = "--include=systemd,systemd-sysv,dbus"
        command = ["debootstrap", "--variant=minbase", include, "bookworm", str(draft), _SOURCE]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr
        for name in (draft / "etc" / "resolv.conf", draft / "etc" / "apt" / "sources.list"):
            name.write_text("")  # nothing could be asked: it shall not even know whom
        draft.rename(root)
    return root


class Machine:
    """Use it with `with`. `stick`: a directory that it finds at STICK."""

    def __init__(self, base: Path, stick: Path) -> None:
        self._base = base.resolve()
        self._stick = stick.resolve()
        self._work = Path(tempfile.mkdtemp(prefix="yuanshang-machine-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._first = 0

    def boot(self) -> Self:
        """Returns when systemd has started what it has to."""
        arguments = [str(each) for each in (self._work, self._base, self._stick, STICK)]
        said = (self._work / "boot.log").open("wb")
        with said:
            self._process = subprocess.Popen(
                [*_APART, "bash", "-c", _BOOT, "boot", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # what is sent to a group in there shall not reach us
            )

        def is_up() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, (self._work / "boot.log").read_text()
            if not self._first:
                self._first = _child_of(self._process.pid)
            return bool(self._first) and self._state() in ("running", "degraded")

        eventually_sync(is_up, timeout_s=120, every_s=0.2, what="systemd in the machine")
        return self

    def _state(self) -> str:
        return self.tries("systemctl", "is-system-running").stdout.strip()

    def tries(
        self, *command: str, timeout_s: float = 900.0, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run in it, as root; whatever comes of it."""
        assert self._first
        variables = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
        }
        return subprocess.run(
            ["nsenter", "--target", str(self._first), "--all", "--root", *_FROM_ITS_ROOT, *command],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
            env={**variables, **environment},
            cwd="/",
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )

    def run(self, *command: str, timeout_s: float = 900.0, **environment: str) -> str:
        """The same, where it has to succeed; its standard output."""
        done = self.tries(*command, timeout_s=timeout_s, **environment)
        assert done.returncode == 0, f"{' '.join(command)} → {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def beside(self, path: Path, program: str) -> Path:
        """A script at `path` that runs a program of ours, not of the machine's, in its network."""
        path.write_text(f'#!/bin/sh\nexec nsenter --target {self._first} --net -- {program} "$@"\n')
        path.chmod(0o755)
        return path

    def close(self) -> None:
        """Idempotent. The first process' end is everybody's."""
        if self._process is not None:
            if self._first:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._first, 9)
            self._process.kill()
            self._process.wait(30)
            self._process = None
            self._first = 0
        shutil.rmtree(self._work, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.boot()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _child_of(pid: int) -> int:
    """The first, 0 while there is none."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            return int(child)
    return 0
