"""Why a disk does not take what is recorded, in the words of RecorderTrouble and ProgramTrouble."""

from __future__ import annotations

import errno
from typing import Final

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_GONE: Final = (errno.ESTALE, errno.ENOTCONN, errno.ENODEV, errno.EHOSTDOWN, errno.ETIMEDOUT)


def reason_of(error: OSError) -> str:
    """disk_full, disk_failed; shared_dir_gone where a file server is not to be had, or its directory not mounted."""
    if error.errno in _FULL:
        return "disk_full"
    return "shared_dir_gone" if error.errno in _GONE else "disk_failed"
