"""The aiohttp application: all HTTP doors together."""

from __future__ import annotations

from aiohttp import web

from signaling.http import (
    accounts,
    api,
    attendance,
    audit,
    body_words,
    broadcast,
    cameras,
    clips,
    comments,
    departments,
    entrances,
    exports,
    files,
    imports,
    inspector,
    invitees,
    link_sheets,
    minutes,
    minutes_files,
    network_test,
    operations,
    overview,
    own_speeches,
    prechecks,
    preparing,
    presence,
    proceedings,
    promotions,
    public_comments,
    public_identity,
    public_responses,
    recordings,
    rehearsals,
    responses,
    rules,
    second_pass,
    staff,
    streams,
    talkback,
    terms,
    trace,
    transcript_files,
    transcript_sound,
    transcription,
    transcripts,
    venue_board,
    venues,
)
from signaling.http.connections import note_request
from signaling.http.context import CONTEXT, HttpContext
from signaling.http.forwarding import Forwarding
from signaling.http.live import Live
from signaling.http.live_captions import LiveCaptions
from signaling.http.pages import Pages
from signaling.http.problems import problem_middleware
from signaling.http.public import PublicDoor
from signaling.http.security import SecurityHeaders
from signaling.http.speed_test import SpeedTest
from signaling.other_nodes import OtherNodes

MAX_BODY_BYTES = 64 * 1024  # JSON bodies; session descriptions are read with a limit of their own


def add_routes(app: web.Application, lan_ca: bytes | None = None) -> None:
    """Every route but the Socket.IO one."""
    api.add_to(app)
    rehearsals.add_to(app)
    staff.add_to(app)
    overview.add_to(app)
    rules.add_to(app)
    body_words.add_to(app)
    preparing.add_to(app)
    imports.add_to(app)
    venues.add_to(app)
    cameras.add_to(app)
    talkback.add_to(app)
    venue_board.add_to(app)
    prechecks.add_to(app)
    invitees.add_to(app)
    link_sheets.add_to(app)
    entrances.add_to(app)
    network_test.add_to(app)
    SpeedTest().add_to(app)
    files.add_to(app)
    clips.add_to(app)
    proceedings.add_to(app)
    recordings.add_to(app)
    exports.add_to(app)
    transcription.add_to(app)
    second_pass.add_to(app)
    broadcast.add_to(app)
    comments.add_to(app)
    promotions.add_to(app)
    public_comments.add_to(app)
    public_identity.add_to(app)
    responses.add_to(app)
    departments.add_to(app)
    public_responses.add_to(app)
    presence.add_to(app)
    accounts.add_to(app)
    attendance.add_to(app)
    trace.add_to(app)
    audit.add_to(app)
    transcripts.add_to(app)
    transcript_files.add_to(app)
    terms.add_to(app)
    minutes.add_to(app)
    minutes_files.add_to(app)
    transcript_sound.add_to(app)
    own_speeches.add_to(app)
    streams.add_to(app)
    inspector.add_to(app)
    operations.add_to(app)
    Pages(lan_ca=lan_ca).add_to(app)


def make_application(
    context: HttpContext, *, strict_transport: bool, lan_ca: bytes | None, nodes: OtherNodes
) -> web.Application:
    """The application, ready to be served. `lan_ca`: the certificate that phones may install. `nodes` is closed with
    it."""
    app = web.Application(middlewares=[note_request, problem_middleware], client_max_size=MAX_BODY_BYTES)
    if nodes.exist:
        app.middlewares.append(Forwarding(nodes).middleware)
        app.on_cleanup.append(nodes.close)
    app[CONTEXT] = context
    app.on_response_prepare.append(SecurityHeaders(strict_transport=strict_transport))
    add_routes(app, lan_ca)
    PublicDoor().add_to(app)
    LiveCaptions().add_to(app)
    Live(context.crowd).add_to(app)
    return app
