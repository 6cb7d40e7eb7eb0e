"""ICE-lite for one transport: answers checks and says where media should go (RFC 8445, section 2.5).

The peer is always the controlling, full agent. We never send a check and never need its candidates: an
address is learnt from a check that proves knowledge of our password.

The path for media is the one last nominated. Before any nomination the first valid check on UDP is taken,
which saves a round trip. TCP is taken by nomination alone, because browsers probe it while UDP works.

NAT rebinding: Chromium repeats USE-CANDIDATE in its consent checks, every 2.5 s, and checks other paths
without it. Firefox nominates once and then checks only that path, every 4 to 6 s, without USE-CANDIDATE. So a
check that does not nominate moves a path that has fallen silent: soon for peers of the second kind, late for
the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from conference.rtc import stun
from conference.rtc.sdp_parse import Credentials

Protocol = Literal["udp", "tcp"]

CONSENT_TIMEOUT_S = 30.0  # RFC 7675, section 5.1

# How long the path may be silent before a check that does not nominate moves it.
_SILENT_S = 2.0  # the peer does not repeat nominations, or we are told of media
_SILENT_UNSURE_S = 8.0

_SETTLED_S = 1.0  # after a nomination, checks that were under way may still come without it

_ERRORS_PER_S = 5.0
_ERROR_BURST = 5.0

_KNOWN = frozenset((stun.USERNAME, stun.PRIORITY, stun.USE_CANDIDATE, stun.XOR_MAPPED_ADDRESS))


@dataclass(frozen=True, slots=True)
class Selected:
    """Media goes to this address from now on."""

    address: tuple[str, int]
    protocol: Protocol
    nominated: bool


class IceLite:
    """The state of one transport. Counters only grow."""

    __slots__ = (
        "_error_credit",
        "_error_credit_at",
        "_heard_media",
        "_nominated_at",
        "_plain_consent",
        "_previous",
        "_seen_at",
        "checks",
        "last_check",
        "local",
        "malformed",
        "nominated",
        "remote",
        "role_conflicts",
        "selected",
        "unauthorized",
    )

    def __init__(self, local: Credentials, remote: Credentials | None = None) -> None:
        self.local = local
        self.remote = remote
        self.selected: tuple[tuple[str, int], Protocol] | None = None
        self.nominated = False
        self.last_check: float | None = None  # seconds; the last valid check on any path
        self.checks = 0
        self.malformed = 0
        self.unauthorized = 0
        self.role_conflicts = 0
        self._previous: tuple[Credentials, Credentials | None] | None = None
        self._seen_at = 0.0  # when the selected path was last alive
        self._heard_media = False
        self._nominated_at = 0.0
        self._plain_consent = False  # the peer's consent checks do not nominate
        self._error_credit = _ERROR_BURST
        self._error_credit_at = 0.0

    def restart(self, local: Credentials, remote: Credentials | None) -> None:
        """Begin an ICE restart (RFC 8445, section 9). The old credentials hold until a check uses the new."""
        self._previous = (self.local, self.remote)
        self.local = local
        self.remote = remote

    def heard(self, now: float) -> None:
        """Media came from the selected address, and no other: an optional sign of life beside the checks."""
        self._seen_at = now
        self._heard_media = True

    def forget(self, address: tuple[str, int], protocol: Protocol) -> bool:
        """A path is gone, as when its TCP connection closed. True when it was the selected one."""
        if self.selected != (address, protocol):
            return False
        self.selected = None
        self.nominated = False
        return True

    def consent_expired(self, now: float, timeout_s: float = CONSENT_TIMEOUT_S) -> bool:
        """Whether checks have stopped (RFC 7675). Never before the first: connecting has its own limit."""
        return self.last_check is not None and now - self.last_check > timeout_s

    def silent_for(self, now: float) -> float:
        """Seconds since the selected path was last alive; 0.0 before there is one."""
        return max(0.0, now - self._seen_at) if self.selected is not None else 0.0

    def receive(
        self, data: bytes, address: tuple[str, int], protocol: Protocol, now: float
    ) -> tuple[bytes | None, Selected | None]:
        """Take one STUN datagram. Returns the response to send back to `address`, and a change of path."""
        try:
            message = stun.parse(data)
        except stun.StunError:
            self.malformed += 1
            return None, None
        if message.type != stun.BINDING_REQUEST:
            # Indications keep NAT bindings open; responses answer nothing that we sent.
            self.malformed += message.type != stun.BINDING_INDICATION
            return None, None
        transaction_id = message.transaction_id
        if message.integrity_at is None or stun.USERNAME not in message.attributes:
            self.malformed += 1
            return self._error(transaction_id, 400, now), None
        password = self._authenticate(message)
        if password is None:
            self.unauthorized += 1
            return self._error(transaction_id, 401, now), None
        unknown = [kind for kind in message.attributes if kind < 0x8000 and kind not in _KNOWN]
        if unknown:
            self.malformed += 1
            return stun.build_error(transaction_id, 420, password, unknown), None
        if stun.ICE_CONTROLLED in message.attributes:
            self.role_conflicts += 1
            return stun.build_error(transaction_id, 487, password), None
        try:
            response = stun.build_success(transaction_id, address, password)
        except stun.StunError:
            self.malformed += 1
            return None, None
        self.checks += 1
        self.last_check = now
        return response, self._select((address, protocol), stun.USE_CANDIDATE in message.attributes, now)

    def _authenticate(self, message: stun.Message) -> str | None:
        """The password that the check was made with, or None. Ends a restart when the new one was used."""
        username = message.username or ""
        if _matches(username, self.local, self.remote):
            if not stun.verify(message, self.local.pwd):
                return None
            if self._previous is not None:
                self._previous = None
                self.nominated = False
                self._plain_consent = False
            return self.local.pwd
        if self._previous is not None and _matches(username, *self._previous):
            password = self._previous[0].pwd
            return password if stun.verify(message, password) else None
        return None

    def _select(
        self, path: tuple[tuple[str, int], Protocol], nominating: bool, now: float
    ) -> Selected | None:
        if path == self.selected:
            self._seen_at = now
            if nominating and not self.nominated:
                self.nominated = True
                self._nominated_at = now
            elif nominating:
                self._plain_consent = False
            elif self.nominated and now - self._nominated_at > _SETTLED_S:
                self._plain_consent = True
            return None
        if not nominating:
            if path[1] == "tcp":
                return None
            limit = _SILENT_S if self._plain_consent or self._heard_media else _SILENT_UNSURE_S
            if self.selected is not None and now - self._seen_at <= limit:
                return None
        self.selected = path
        self.nominated = nominating
        self._nominated_at = now
        self._seen_at = now
        return Selected(path[0], path[1], nominating)

    def _error(self, transaction_id: bytes, code: int, now: float) -> bytes | None:
        """An error response without integrity, unless too many were asked for."""
        credit = self._error_credit + max(0.0, now - self._error_credit_at) * _ERRORS_PER_S
        self._error_credit_at = now
        self._error_credit = min(_ERROR_BURST, credit)
        if self._error_credit < 1.0:
            return None
        self._error_credit -= 1.0
        return stun.build_error(transaction_id, code)


def _matches(username: str, local: Credentials, remote: Credentials | None) -> bool:
    if remote is None:
        return username.startswith(local.ufrag + ":")
    return username == f"{local.ufrag}:{remote.ufrag}"
