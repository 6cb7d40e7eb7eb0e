"""Fan-out: which sessions are in which room. Implements services.ports.Publisher; never waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from conference.events import DeskSnapshot, MediaOffered, RoomEvent, SessionEvent, Snapshot
from signaling.realtime.outbox import Outbox, Outgoing
from signaling.realtime.wire import render


@dataclass(slots=True)
class _Members:
    """Outboxes of a room, by session: those whose sockets come by another node, and the others."""

    led: dict[str, Outbox] = field(default_factory=dict)
    own: dict[str, Outbox] = field(default_factory=dict)

    def beside(self, outbox: Outbox) -> dict[str, Outbox]:
        """Those of its kind."""
        return self.led if outbox.is_led else self.own


class Fanout:
    """Puts events into the outboxes of those concerned: of a room's first into those of who was led here, because what
    they are sent has a node more to pass, which does its part while the others are served."""

    def __init__(self) -> None:
        self._outboxes: dict[str, Outbox] = {}
        self._rooms: dict[str, _Members] = {}
        self._room_of: dict[str, str] = {}
        self._last: tuple[SessionEvent, Outgoing] | None = None  # many sessions may be sent the very same

    def open(self, session_id: str, on_overflow: Callable[[], None], *, is_led: bool = False) -> Outbox:
        """A new session, in no room yet. `on_overflow`: its client does not read, drop the socket. `is_led`: another
        node led it here."""
        outbox = self._outboxes[session_id] = Outbox(session_id, on_overflow, is_led)
        return outbox

    def forget(self, session_id: str) -> None:
        """The session's socket is gone."""
        self.exit(session_id)
        outbox = self._outboxes.pop(session_id, None)
        if outbox is not None:
            outbox.abandon()

    # ── services.ports.Publisher ────────────────────────────────────────────────────────────────

    def enter(self, session_id: str, room_id: str, snapshot: Snapshot | DeskSnapshot) -> None:
        outbox = self._outboxes.get(session_id)
        if outbox is None:
            return
        self.exit(session_id)
        self._put(outbox, snapshot)
        self._rooms.setdefault(room_id, _Members()).beside(outbox)[session_id] = outbox
        self._room_of[session_id] = room_id

    def exit(self, session_id: str) -> None:
        room_id = self._room_of.pop(session_id, None)
        if room_id is not None:
            members = self._rooms[room_id]
            del members.beside(self._outboxes[session_id])[session_id]
            if not members.led and not members.own:
                del self._rooms[room_id]

    def publish(self, room_id: str, event: RoomEvent) -> None:
        members = self._rooms.get(room_id)
        if members is not None:
            name, body = render(event)
            item = Outgoing(name, body)
            for outbox in (*members.led.values(), *members.own.values()):
                outbox.put(item)

    def send(self, session_id: str, event: SessionEvent) -> None:
        outbox = self._outboxes.get(session_id)
        if outbox is not None:
            self._put(outbox, event)

    def close(self, session_id: str) -> None:
        self.exit(session_id)
        outbox = self._outboxes.get(session_id)
        if outbox is not None:
            outbox.close()

    def _put(self, outbox: Outbox, event: SessionEvent) -> None:
        if self._last is None or self._last[0] is not event:
            name, body = render(event)
            generation = event.generation if isinstance(event, MediaOffered) else None
            self._last = event, Outgoing(name, body, generation)
        outbox.put(self._last[1])
