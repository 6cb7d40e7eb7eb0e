"""The way out to the clients."""

from __future__ import annotations

from typing import Protocol

from conference.events import DeskSnapshot, RoomEvent, SessionEvent, Snapshot


class Publisher(Protocol):
    """Carries events to the sessions of a room. Calls return at once and keep their order per session."""

    def enter(self, session_id: str, room_id: str, snapshot: Snapshot | DeskSnapshot) -> None:
        """Send the snapshot, and from now on every event of the room."""

    def exit(self, session_id: str) -> None:
        """No more events of the room; the session itself stays."""

    def publish(self, room_id: str, event: RoomEvent) -> None:
        """To every session that entered the room."""

    def send(self, session_id: str, event: SessionEvent) -> None:
        """To one session; unknown ones are ignored."""

    def close(self, session_id: str) -> None:
        """Exit, deliver what was sent, then disconnect."""
