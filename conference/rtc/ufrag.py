"""User fragments of ours (RFC 8445 section 5.3) say which of a node's media processes has the session.

A connection that was accepted elsewhere can so be given to the right process before anything of it is answered.
"""

from __future__ import annotations

import secrets

from conference.rtc import sdp

_DIGITS = 16


def new_credentials(process: int) -> sdp.Credentials:
    """Of a session in this process, one of sixteen: at least 24 and 128 bits of randomness, of ice-char only."""
    return sdp.Credentials(f"{process:x}{secrets.token_hex(8)}", secrets.token_hex(16))


def process_of(ufrag: str) -> int | None:
    """The number of the process whose session it names; None when it is none of ours."""
    try:
        return int(ufrag[:1], _DIGITS)
    except ValueError:
        return None
