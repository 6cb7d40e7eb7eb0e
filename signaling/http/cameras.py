"""Cameras of venues over HTTP: found, written down, changed, tried out, taken away."""

from __future__ import annotations

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201, r204, r400, r401, r403, r404, r409, r422, r429

from conference.model.permissions import Action
from signaling.http.camera_bodies import (
    CameraBody,
    CameraChanges,
    CameraList,
    CameraLook,
    CameraResource,
    DeviceBody,
    DeviceList,
    DeviceStreams,
)
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem
from signaling.http.rest import PREFIX, documented, json_of, nothing


@documented
async def list_cameras(
    request: web.Request, cid: str, vid: str, /
) -> r200[CameraList] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The cameras of a venue that the server fetches, by position. How they fare is told to desks (`camera.updated`).

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.INVITEE_READ)
    cameras = await context.cameras.of_venue(cid, vid)
    return json_of(CameraList(items=[CameraResource.of(each, grant.role) for each in cameras]))


@documented
async def add_camera(
    request: web.Request, cid: str, vid: str, /, body: CameraBody
) -> (
    r201[CameraResource]
    | r400[Problem]
    | r401[Problem]
    | r403[Problem]
    | r404[Problem]
    | r409[Problem]
    | r422[Problem]
):
    """
    Another camera. The first one of a venue is its main one.

    Security: BearerToken: []
    Tags: venues
    Status Codes:
        422: camera_address_wrong
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.VENUE_EDIT)
    camera = await context.cameras.add(cid, grant.bearer, vid, body.draft())
    return json_of(CameraResource.of(camera, grant.role), status=201)


@documented
async def edit_camera(
    request: web.Request, cid: str, vid: str, camera_id: str, /, body: CameraChanges
) -> (
    r200[CameraResource]
    | r400[Problem]
    | r401[Problem]
    | r403[Problem]
    | r404[Problem]
    | r409[Problem]
    | r422[Problem]
):
    """
    Change what is named; the rest stays. An address of another machine needs user and password of its own.

    Security: BearerToken: []
    Tags: venues
    Status Codes:
        422: camera_address_wrong
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.VENUE_EDIT)
    camera = await context.cameras.edit(cid, grant.bearer, vid, camera_id, body.said())
    return json_of(CameraResource.of(camera, grant.role))


@documented
async def remove_camera(
    request: web.Request, cid: str, vid: str, camera_id: str, /
) -> r204 | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Take a camera away; its address is forgotten.

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.VENUE_EDIT)
    await context.cameras.remove(cid, grant.bearer, vid, camera_id)
    return nothing()


@documented
async def test_camera(
    request: web.Request, cid: str, vid: str, camera_id: str, /
) -> r200[CameraLook] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem] | r429[Problem]:
    """
    Fetch one picture of a camera, or the reason why there is none; takes up to 15 seconds.

    Security: BearerToken: []
    Tags: venues
    Status Codes:
        429: camera_busy
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.VENUE_EDIT)
    return json_of(CameraLook.of(await context.cameras.look(cid, grant.bearer, vid, camera_id)))


@documented
async def find_cameras(
    request: web.Request, cid: str, vid: str, /
) -> r200[DeviceList] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem] | r429[Problem]:
    """
    Search the networks of the server for cameras, by WS-Discovery; takes three seconds.

    Security: BearerToken: []
    Tags: venues
    Status Codes:
        429: camera_busy
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.VENUE_EDIT)
    return json_of(DeviceList.of(await context.camera_finding.find(cid, grant.bearer, vid)))


@documented
async def read_streams(
    request: web.Request, cid: str, vid: str, /, body: DeviceBody
) -> (
    r200[DeviceStreams]
    | r400[Problem]
    | r401[Problem]
    | r403[Problem]
    | r404[Problem]
    | r409[Problem]
    | r429[Problem]
):
    """
    Ask a device by ONVIF for its streams, or learn why there are none; takes up to 15 seconds.

    Security: BearerToken: []
    Tags: venues
    Status Codes:
        429: camera_busy
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.VENUE_EDIT)
    found = await context.camera_finding.streams(
        cid, grant.bearer, vid, body.address, body.user, body.password
    )
    return json_of(DeviceStreams.of(found))


def add_to(app: web.Application) -> None:
    """The routes of cameras."""
    path = f"{PREFIX}/consultations/{{cid}}/venues/{{vid}}/cameras"
    router = app.router
    router.add_get(path, list_cameras, allow_head=False)
    router.add_post(path, add_camera)
    router.add_post(f"{path}/find", find_cameras)
    router.add_post(f"{path}/streams", read_streams)
    router.add_patch(f"{path}/{{camera_id}}", edit_camera)
    router.add_delete(f"{path}/{{camera_id}}", remove_camera)
    router.add_post(f"{path}/{{camera_id}}/test", test_camera)
