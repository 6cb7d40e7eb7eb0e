"""Cameras as JSON: what comes in, checked, and what leaves; what opens a camera never does."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from conference.ingest_events import DeviceFound, DeviceStream, IngestFailed, IngestLook, IngestReason
from conference.model.camera import Camera, CameraFault, CameraTransport
from conference.model.camera_address import MAX_CREDENTIAL, MAX_LENGTH
from conference.model.errors import ConferenceError
from conference.model.folding import tidied
from conference.model.permissions import Action, Role, allowed
from conference.services.cameras import CameraDraft
from signaling.http.guest_bodies import filled
from signaling.http.resources import Resource

Label = Annotated[str, Field(max_length=60), AfterValidator(tidied), AfterValidator(filled)]
Address = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]
Credential = Annotated[str, Field(max_length=MAX_CREDENTIAL)]


class CameraBody(BaseModel):
    """`user` and `password` may stand in the address instead. `transport` concerns rtsp alone."""

    label: Label
    address: Address
    user: Credential | None = None
    password: Credential | None = None
    transport: CameraTransport = CameraTransport.TCP
    with_sound: bool = False

    def draft(self) -> CameraDraft:
        return CameraDraft(**self.model_dump())


class CameraChanges(BaseModel):
    """What is left out stays as it is; an empty user or password takes it away."""

    model_config = ConfigDict(extra="ignore")

    label: Label | None = None
    address: Address | None = None
    user: Credential | None = None
    password: Credential | None = None
    transport: CameraTransport | None = None
    with_sound: bool | None = None
    is_main: bool | None = None
    enabled: bool | None = None

    def said(self) -> dict[str, Any]:
        """The fields that were given; bad_request when one is null."""
        given = self.model_dump(exclude_unset=True)
        for name, value in given.items():
            if value is None:
                raise ConferenceError("bad_request", f"{name} is null")
        return given


class CameraResource(Resource):
    """A camera of a venue. `address` has `***` for whatever may be a key, and is null without the right to edit."""

    id: str
    venue_id: str
    label: str
    address: str | None
    has_password: bool
    transport: CameraTransport
    with_sound: bool
    is_main: bool
    enabled: bool

    @classmethod
    def of(cls, camera: Camera, role: Role) -> CameraResource:
        return cls(
            id=camera.id,
            venue_id=camera.venue_id,
            label=camera.label,
            address=camera.address if allowed(role, Action.VENUE_EDIT) else None,
            has_password=camera.has_password,
            transport=camera.transport,
            with_sound=camera.with_sound,
            is_main=camera.is_main,
            enabled=camera.enabled,
        )


class CameraList(Resource):
    items: list[CameraResource]


class CameraLook(Resource):
    """What a test found: a reason, or what the camera sends and one picture of it, JPEG as base64 (empty where it
    sends none). `transcoding`: its picture has to be made anew for browsers, which costs the server."""

    reason: CameraFault | None = None
    picture: str = ""
    width: int = 0
    height: int = 0
    codec: str = ""
    has_sound: bool = False
    transcoding: bool = False

    @classmethod
    def of(cls, found: IngestLook | IngestFailed) -> CameraLook:
        if isinstance(found, IngestFailed):
            return cls(reason=CameraFault(found.reason.value))
        return cls(
            picture=base64.b64encode(found.picture).decode(),
            width=found.width,
            height=found.height,
            codec=found.codec,
            has_sound=found.has_sound,
            transcoding=found.transcoding,
        )


class DeviceResource(Resource):
    """A device that answered: `address` is where it is asked for its streams, `name` and `hardware` what it calls
    itself."""

    address: str
    host: str
    name: str
    hardware: str


class DeviceList(Resource):
    items: list[DeviceResource]

    @classmethod
    def of(cls, found: list[DeviceFound]) -> DeviceList:
        return cls(items=[DeviceResource.model_validate(each) for each in found])


class DeviceBody(BaseModel):
    """`address`: as it was found, or an IP address or host name, with a port where it needs one."""

    address: Address
    user: Credential = ""
    password: Credential = ""


class StreamResource(Resource):
    """`address` is what a camera's entry needs, without user and password. `codec` is empty, and the numbers are 0,
    where the device does not say."""

    name: str
    codec: str
    width: int
    height: int
    frames_per_second: float
    address: str


class DeviceStreams(Resource):
    """A reason, or what the device has, the one to be taken first."""

    reason: CameraFault | None = None
    streams: list[StreamResource] = Field(default_factory=list)

    @classmethod
    def of(cls, found: list[DeviceStream] | IngestReason) -> DeviceStreams:
        if isinstance(found, IngestReason):
            return cls(reason=CameraFault(found.value))
        return cls(streams=[StreamResource.model_validate(each) for each in found])
