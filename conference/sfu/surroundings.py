"""What all rooms of the media process share, and whom they tell of what happens in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from conference.rtc import sdp
from conference.rtc.dtls import DtlsCertificate
from conference.rtc.ufrag import new_credentials

from .counters import Counters
from .path import Directory
from .transport import Transport, TransportState

if TYPE_CHECKING:
    from .adaptation import Report
    from .publication import Publication
    from .subscriber import Offer
    from .subscription import SubscriptionState


class Listener(Protocol):
    """Told of everything that happens in rooms; must not block."""

    def offered(self, room_id: str, participant_id: str, offer: Offer) -> None: ...

    def transport_changed(
        self, room_id: str, participant_id: str, direction: str, state: TransportState
    ) -> None: ...

    def publications_changed(
        self, room_id: str, participant_id: str, publications: Sequence[Publication]
    ) -> None: ...

    def speakers_changed(self, room_id: str, speakers: Sequence[tuple[str, int]]) -> None: ...

    def quality_changed(self, room_id: str, participant_id: str, quality: int) -> None: ...

    def subscription_changed(
        self, room_id: str, participant_id: str, publication: Publication, state: SubscriptionState
    ) -> None: ...

    def layers_needed(
        self, room_id: str, participant_id: str, publication: Publication, layers: Sequence[str]
    ) -> None: ...

    def allocation_changed(self, room_id: str, participant_id: str, report: Report) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every room of the process shares."""

    certificate: DtlsCertificate
    directory: Directory
    counters: Counters
    candidates: tuple[sdp.Candidate, ...]
    listener: Listener
    max_participants: int
    max_tracks: int
    process: int = 0  # which of the node's media processes it is

    def new_transport(self, now: float) -> Transport:
        """One that waits for its peer."""
        return Transport(
            certificate=self.certificate,
            local=self.new_credentials(),
            directory=self.directory,
            counters=self.counters,
            now=now,
        )

    def new_credentials(self) -> sdp.Credentials:
        """For a transport, or for its ICE restart."""
        return new_credentials(self.process)

    def describe(self, transport: Transport) -> sdp.LocalTransport:
        """Our end of it, as it stands in offers and answers."""
        return sdp.LocalTransport(
            transport.ice.local,
            sdp.Fingerprint("sha-256", transport.fingerprint),
            "actpass",
            self.candidates,
        )
