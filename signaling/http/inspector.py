"""The room inspector over HTTP: how everybody's media fares now, and the last quarter of an hour as JSON lines."""

from __future__ import annotations

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r401, r403, r404

from conference.model.diagnosis import Finding, Grade
from conference.model.media import Kind, Source
from conference.model.media_report import Path
from conference.model.participant import Device
from conference.model.permissions import Action, Role
from conference.services.insight import Inspected
from conference.services.insight_tracks import PlayedTrack
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of


class FoundResource(Resource):
    """What ails somebody. `value` by the finding: a share of 1, milliseconds, seconds, bit/s or pixels; `count`: of
    tracks; `participant_id`: whose fault it is, where it is somebody else's."""

    finding: Finding
    grade: Grade
    value: float | None
    count: int
    participant_id: str | None


class ConnectionResource(Resource):
    state: str
    path: Path
    loss: float


class LayerResource(Resource):
    name: str
    width: int
    height: int
    fps: float
    bitrate_bps: int


class SentResource(Resource):
    """A track that the participant sends. `needed`: the layers that anybody is to get; `is_open`: the gate of a
    sound."""

    id: str
    kind: Kind
    source: Source
    codec: str
    bitrate_bps: int
    silent_ms: int | None
    is_open: bool
    needed: list[str]
    layers: list[LayerResource]


class ReceivedResource(Resource):
    """A track that the participant is to get. `layer` null: nothing is sent; `reason`: "size" or "bandwidth", empty for
    sound; `temporal`: 2 all pictures, 1 half of them, 0 a quarter; `freeze`, `concealed`: shares of the time; `score`:
    0 to 100, null while there is nothing to be seen or heard."""

    publication_id: str
    participant_id: str
    kind: Kind
    source: str
    state: str
    layer: str | None
    height: int
    shown_height: int
    best_height: int
    temporal: int
    reason: str
    bitrate_bps: int
    loss: float
    freeze: float | None
    concealed: float | None
    fps: float | None
    score: int | None

    @classmethod
    def of(cls, played: PlayedTrack) -> ReceivedResource:
        track = played.track
        return cls(
            publication_id=track.publication_id,
            participant_id=track.participant_id,
            kind=track.kind,
            source=track.source,
            state=track.state,
            layer=track.layer,
            height=track.height,
            shown_height=track.shown_height,
            best_height=track.best_height,
            temporal=track.temporal,
            reason=track.reason,
            bitrate_bps=track.bitrate_bps,
            loss=track.loss,
            freeze=played.freeze,
            concealed=played.concealed,
            fps=played.fps,
            score=played.score,
        )


class InspectedResource(Resource):
    """A participant, or a player by WHEP, who has neither name nor role. Losses and `rtt_ms` are those of the last
    seconds; `estimate_bps`: what its downlink carries, `delivered_bps`: what came out, `link`: "normal", "full" or
    "silent"; `hidden`: pictures that it does not show; `lowered`: those that come smaller, seldomer or not at all
    because the way is narrow. `receives` is only there for who was asked for."""

    id: str
    name: str | None
    role: Role | None
    venue: str | None
    kind: str
    device: Device | None
    connected: bool
    path: Path
    uplink_loss: float
    downlink_loss: float
    rtt_ms: int | None
    score: int | None
    found: list[FoundResource]
    uplink: ConnectionResource | None
    downlink: ConnectionResource | None
    uplink_bps: int
    estimate_bps: int | None
    delivered_bps: int | None
    link: str
    sound_only: bool
    pictures: int
    sounds: int
    hidden: int
    lowered: int
    largest_height: int
    largest_fps: float | None
    sends: list[SentResource]
    receives: list[ReceivedResource] | None

    @classmethod
    def of(cls, one: Inspected, *, with_tracks: bool) -> InspectedResource:
        media = one.media
        pictures = [each for each in one.tracks if each.track.kind is Kind.VIDEO]
        shown = [each for each in pictures if each.track.layer is not None]
        largest = max(shown, key=lambda each: each.track.height, default=None)
        return cls(
            id=one.id,
            name=one.name,
            role=one.role,
            venue=one.venue,
            kind=one.kind,
            device=one.device,
            connected=one.connected,
            path=one.path,
            uplink_loss=round(one.uplink_loss, 4),
            downlink_loss=round(one.downlink_loss, 4),
            rtt_ms=one.rtt_ms,
            score=one.score,
            found=[FoundResource.model_validate(each) for each in one.found],
            uplink=None if media.uplink is None else ConnectionResource.model_validate(media.uplink),
            downlink=None if media.downlink is None else ConnectionResource.model_validate(media.downlink),
            uplink_bps=sum(each.bitrate_bps for each in media.sends),
            estimate_bps=media.estimate_bps,
            delivered_bps=media.delivered_bps,
            link=media.link,
            sound_only=media.sound_only,
            pictures=len(shown),
            sounds=sum(each.track.kind is Kind.AUDIO and each.track.layer is not None for each in one.tracks),
            hidden=media.hidden,
            lowered=sum(each.track.reason == "bandwidth" for each in pictures),
            largest_height=0 if largest is None else largest.track.height,
            largest_fps=None if largest is None else largest.fps,
            sends=[SentResource.model_validate(each) for each in media.sends],
            receives=[ReceivedResource.of(each) for each in one.tracks] if with_tracks else None,
        )


class InspectorResource(Resource):
    """A room at one moment, in the order of joining, players last. `relay`, for those whose network lets only HTTPS
    pass: ok, starting, absent (not installed), failed, or off where there is to be none."""

    at_ms: int
    program_time_ms: int | None
    relay: str
    participants: list[InspectedResource]


@documented
async def get_inspector(
    request: web.Request, cid: str, /, of: str | None = None
) -> r200[InspectorResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    How everybody's media fares now. `of`: the participant whose received tracks are wanted, too.

    503 media_unavailable while the media process starts anew, 421 other_node when another server has the room.

    Security: BearerToken: []
    Tags: inspector
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.ROOM_INSPECT)
    context.rooms.require_here(cid)
    look = await context.insight.look(cid)
    return json_of(
        InspectorResource(
            at_ms=look.at_ms,
            program_time_ms=look.program_time_ms,
            relay=context.rooms.relay.health,
            participants=[
                InspectedResource.of(each, with_tracks=each.id == of) for each in look.participants
            ],
        )
    )


@documented
async def get_trail(request: web.Request, cid: str, /) -> r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The last quarter of an hour as JSON lines: one a participant, every five seconds. It holds ids, roles and numbers;
    no names, no addresses, nothing that was said or shown.

    Security: BearerToken: []
    Tags: inspector
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.ROOM_INSPECT)
    context.rooms.require_here(cid)
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/x-ndjson; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{cid}-inspector.jsonl"',
            "Cache-Control": "no-store",
        }
    )
    await response.prepare(request)
    async for step in context.insight.trail(cid):
        await response.write(step)
    await response.write_eof()
    return response


def add_to(app: web.Application) -> None:
    """The routes of the inspector."""
    consultation = f"{PREFIX}/consultations/{{cid}}"
    app.router.add_get(f"{consultation}/inspector", get_inspector, allow_head=False)
    app.router.add_get(f"{consultation}/inspector.jsonl", get_trail, allow_head=False)
