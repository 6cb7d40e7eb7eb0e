"""How venues fare, as desks are shown it. Field names are the names on the wire."""

from __future__ import annotations

from dataclasses import dataclass

from conference.model.camera import CameraFault, CameraState
from conference.model.media_report import Path
from conference.model.precheck import Verdict
from conference.model.precheck_figures import PrecheckItem
from conference.model.venue import VenueKind
from conference.model.venue_health import Step, VenueReason, VenueVerdict


@dataclass(frozen=True, slots=True)
class VenueCameraView:
    """A camera that the server fetches for the venue."""

    id: str
    label: str
    is_main: bool
    state: CameraState
    fault: CameraFault | None


@dataclass(frozen=True, slots=True)
class CheckedItemView:
    item: PrecheckItem
    verdict: Verdict
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckedView:
    """The last pre-check of the venue."""

    id: str
    number: int
    by: str
    ended_wall_ms: int
    verdict: Verdict
    items: tuple[CheckedItemView, ...]


@dataclass(frozen=True, slots=True)
class VenueHealthView:
    """One venue now. `since_ms`: since when it fares so, UTC; `value` and `count` belong to the reason (see
    VenueReason); `need`: 0 needs nothing, 3 is the most urgent; `prepared`: it is on the list of venues, not known by
    its name alone.

    `participant_ids`: its operators, encoders and cameras in the room; `picture_id`: whose picture stands for it;
    `people`: others of the venue in the room; rates and losses are those of the last seconds, of what it sends.
    """

    venue_id: str
    name: str
    kind: VenueKind | None
    place: str
    operator_name: str
    prepared: bool
    verdict: VenueVerdict
    reason: VenueReason
    value: float | None
    count: int
    since_ms: int
    need: int
    steps: tuple[Step, ...]
    participant_ids: tuple[str, ...]
    picture_id: str | None
    people: int
    uplink_bps: int | None
    uplink_loss: float | None
    rtt_ms: int | None
    path: Path
    cameras: tuple[VenueCameraView, ...]
    checked: CheckedView | None


@dataclass(frozen=True, slots=True)
class OthersView:
    """Those on telephones and computers outside the venues."""

    well: int
    weak: int


@dataclass(frozen=True, slots=True)
class VenueHealthChanged:
    """To desks that watch over the venues, at most every five seconds, at once when a verdict is another: the venues
    that look different now, each whole, and the ids of those that are gone."""

    at_ms: int
    venues: tuple[VenueHealthView, ...]
    gone: tuple[str, ...]
    others: OthersView
