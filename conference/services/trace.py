"""Who is behind a change, as the trace names them."""

from __future__ import annotations

from dataclasses import dataclass

from conference.model.audit import Actor, ActorKind
from conference.model.participant import Participant
from conference.model.permissions import Role


@dataclass(frozen=True, slots=True)
class Bearer:
    """Somebody who asks with a token from outside the room; `user_id` when it is staff who logged in."""

    role: Role
    token_id: str
    name: str
    user_id: str | None = None

    @property
    def actor(self) -> Actor:
        if self.user_id is not None:
            return Actor(ActorKind.STAFF, self.user_id, self.role.value, self.name)
        return Actor(ActorKind.TOKEN, self.token_id, self.role.value, self.name)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks for something in a room. `participant_id` is None at a desk and over HTTP; `user_id` is that of
    staff who logged in."""

    role: Role
    name: str
    actor: Actor
    participant_id: str | None = None
    user_id: str | None = None

    def is_same_as(self, participant: Participant) -> bool:
        """Whether this is the person whose participant that is, in whichever window."""
        if self.user_id is not None and self.user_id == participant.user_id:
            return True
        return participant.id == self.participant_id


def person(participant: Participant) -> Actor:
    """A participant of the room as the one who did it."""
    return Actor(ActorKind.PARTICIPANT, participant.id, participant.role.value, participant.name)
