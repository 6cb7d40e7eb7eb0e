"""The requests about the transcript: where somebody is writing."""

from __future__ import annotations

from typing import Any

from conference.services.transcript_presence import TranscriptPresence
from signaling.realtime.dispatch import Call, Session
from signaling.realtime.requests import TranscriptEditAt


class TranscriptRequests:
    """Handlers."""

    def __init__(self, presence: TranscriptPresence) -> None:
        self._presence = presence

    def calls(self) -> dict[str, Call]:
        return {"transcript.edit_at": self._edit_at}

    async def _edit_at(self, session: Session, request: TranscriptEditAt) -> dict[str, Any]:
        self._presence.write_at(session.room_id, session.participant_id, request.segment_id, request.at)
        return {}
