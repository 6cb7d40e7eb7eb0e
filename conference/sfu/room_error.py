"""What a room, or a trial of the network, says when it cannot do what it was asked."""

from __future__ import annotations


class RoomError(Exception):
    """The request cannot be met; `code` is one of services.ports.MediaError's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
