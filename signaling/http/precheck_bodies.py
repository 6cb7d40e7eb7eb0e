"""Pre-checks as JSON: figures that come in, bounded, and sheets that leave."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from conference.model.consultation import Status
from conference.model.folding import tidied
from conference.model.precheck import MAX_REASON_CHARS, CheckedItem, Precheck, Verdict, checked
from conference.model.precheck_figures import (
    CameraFigures,
    ClockFigures,
    EchoFigures,
    Figures,
    LightFigures,
    LoudspeakerFigures,
    MicrophoneFigures,
    NameplateFigures,
    NetworkFigures,
    PrecheckItem,
    ProjectionFigures,
)
from conference.model.venue import VenueKind
from conference.precheck_views import PrecheckView
from conference.services.prechecks import Opening, Proof
from signaling.http.resources import Resource

_LONGEST_MS = 24 * 3600 * 1000

DeviceProblem = Literal["", "denied", "missing", "busy", "insecure", "unsupported", "failed"]
Pixels = Annotated[int, Field(ge=0, le=16_384)]
Brightness = Annotated[float, Field(ge=0, le=255, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Decibels = Annotated[float, Field(ge=-200, le=40, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]
Milliseconds = Annotated[int, Field(ge=0, le=_LONGEST_MS)]
Delay = Annotated[float, Field(ge=0, le=600_000, allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=MAX_REASON_CHARS), AfterValidator(tidied)]
Notes = Annotated[int, Field(ge=0, le=64)]


class _FiguresBody(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CameraBody(_FiguresBody):
    problem: DeviceProblem
    width: Pixels
    height: Pixels
    frames_per_s: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
    still_ms: Milliseconds
    watched_ms: Milliseconds

    def figures(self) -> CameraFigures:
        return CameraFigures(**self.model_dump())


class LightBody(_FiguresBody):
    seen: bool
    mean: Brightness
    contrast: Brightness
    bright_share: Share

    def figures(self) -> LightFigures:
        return LightFigures(**self.model_dump())


class MicrophoneBody(_FiguresBody):
    problem: DeviceProblem
    speech_dbfs: Decibels
    noise_dbfs: Decibels
    clipped_share: Share
    left_dbfs: Decibels | None
    right_dbfs: Decibels | None
    heard_ms: Milliseconds

    def figures(self) -> MicrophoneFigures:
        return MicrophoneFigures(**self.model_dump())


class LoudspeakerBody(_FiguresBody):
    played: bool
    notes_played: Annotated[int, Field(ge=1, le=64)]
    notes_heard: Notes
    above_noise_db: Decibels

    def figures(self) -> LoudspeakerFigures:
        return LoudspeakerFigures(**self.model_dump())


class EchoBody(_FiguresBody):
    played: bool
    direct_dbfs: Decibels | None
    return_dbfs: Decibels | None

    def figures(self) -> EchoFigures:
        return EchoFigures(**self.model_dump())


class NetworkBody(_FiguresBody):
    way: Literal["udp", "tcp", "https", "relay", "none", "unknown"]
    up_bps: Rate | None
    down_bps: Rate | None
    up_loss: Share | None
    down_loss: Share | None
    rtt_ms: Delay | None
    jitter_ms: Delay | None
    measured_ms: Milliseconds

    def figures(self) -> NetworkFigures:
        return NetworkFigures(**self.model_dump())


class ClockBody(_FiguresBody):
    offset_ms: Annotated[int, Field(ge=-(10**13), le=10**13)]
    uncertainty_ms: Milliseconds

    def figures(self) -> ClockFigures:
        return ClockFigures(**self.model_dump())


class ProjectionBody(_FiguresBody):
    width: Annotated[int, Field(ge=1, le=65_536)]
    height: Annotated[int, Field(ge=1, le=65_536)]
    answer: Literal["whole", "cropped", "unseen"]

    def figures(self) -> ProjectionFigures:
        return ProjectionFigures(**self.model_dump())


class NameplateBody(_FiguresBody):
    shown: Text
    answer: Literal["right", "wrong"]
    wanted: Text = ""

    def figures(self) -> NameplateFigures:
        return NameplateFigures(**self.model_dump())


_Item = TypeVar("_Item", bound=PrecheckItem)
_Body = TypeVar(
    "_Body",
    CameraBody,
    LightBody,
    MicrophoneBody,
    LoudspeakerBody,
    EchoBody,
    NetworkBody,
    ClockBody,
    ProjectionBody,
    NameplateBody,
)


class CheckedBody(BaseModel, Generic[_Item, _Body]):
    """One item: its figures, or null and why it was skipped. A failed one needs a reason to be handed in, too."""

    item: _Item
    figures: _Body | None
    reason: Text = ""

    def measured(self) -> Figures | None:
        return None if self.figures is None else self.figures.figures()

    def checked(self) -> CheckedItem:
        """Judged; precheck_reason where one is missing."""
        return checked(self.item, self.measured(), self.reason)


AnyChecked = Annotated[
    CheckedBody[Literal[PrecheckItem.CAMERA], CameraBody]
    | CheckedBody[Literal[PrecheckItem.LIGHT], LightBody]
    | CheckedBody[Literal[PrecheckItem.MICROPHONE], MicrophoneBody]
    | CheckedBody[Literal[PrecheckItem.LOUDSPEAKER], LoudspeakerBody]
    | CheckedBody[Literal[PrecheckItem.ECHO], EchoBody]
    | CheckedBody[Literal[PrecheckItem.NETWORK], NetworkBody]
    | CheckedBody[Literal[PrecheckItem.CLOCK], ClockBody]
    | CheckedBody[Literal[PrecheckItem.PROJECTION], ProjectionBody]
    | CheckedBody[Literal[PrecheckItem.NAMEPLATE], NameplateBody],
    Field(discriminator="item"),
]


class MeasuredBody(BaseModel):
    """What was measured of one item."""

    checked: AnyChecked


class SheetBody(BaseModel):
    """The whole sheet, each of the nine items once. `took_ms` is without pauses."""

    took_ms: Milliseconds
    items: Annotated[list[AnyChecked], Field(max_length=len(PrecheckItem))]


class JudgementResource(Resource):
    """`faults`: stable codes, the gravest first."""

    verdict: Verdict
    faults: tuple[str, ...]


class PrecheckItemResource(JudgementResource):
    """`figures` are null where it was skipped; `reason` is why, or why it was handed in though it failed."""

    item: PrecheckItem
    figures: Figures | None
    reason: str


class PrecheckResource(Resource):
    """A sheet that was handed in, as a server judged it."""

    id: str
    venue_id: str
    venue: str
    number: int
    by: str
    verdict: Verdict
    took_ms: int
    ended_wall_ms: int
    items: tuple[PrecheckItemResource, ...]

    @classmethod
    def of(cls, precheck: Precheck) -> PrecheckResource:
        return cls.model_validate(PrecheckView.of(precheck))


class PrecheckList(Resource):
    """Newest first; `next` is the `after` of the next page."""

    items: list[PrecheckResource]
    next: str | None


class PrecheckDocument(Resource):
    """What was signed, to the letter, and a JWS of it whose content stands beside it (RFC 7515, appendix F)."""

    document: str
    signature: str
    key: dict[str, str]


class ProofResource(Resource):
    """`valid`: the sheet is as it was signed. `sha256` of the document stands in the trace as well."""

    id: str
    valid: bool
    sha256: str

    @classmethod
    def of_proof(cls, proof: Proof) -> ProofResource:
        return cls(id=proof.precheck.id, valid=proof.valid, sha256=proof.sha256)


class OpeningConsultation(Resource):
    id: str
    title: str
    status: Status
    scheduled_at_ms: int | None


class OpeningVenue(Resource):
    id: str
    name: str
    kind: VenueKind


class OpeningResource(Resource):
    """What a page needs before it begins. `plates`: names of those who are to sit there."""

    consultation: OpeningConsultation
    venue: OpeningVenue
    plates: tuple[str, ...]
    last: PrecheckResource | None

    @classmethod
    def of(cls, opening: Opening) -> OpeningResource:
        return cls(
            consultation=OpeningConsultation.model_validate(opening.consultation),
            venue=OpeningVenue.model_validate(opening.venue),
            plates=opening.plates,
            last=None if opening.last is None else PrecheckResource.of(opening.last),
        )


class TimeResource(Resource):
    """The server's clock, UTC milliseconds."""

    now_ms: int


def items_of(body: SheetBody) -> list[CheckedItem]:
    """The items, judged; precheck_reason where one is missing."""
    return [each.checked() for each in body.items]
