"""The network test of the join page: a connection that gives back what it gets, and the relay to try it by."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r400, r429
from pydantic import BaseModel, Field

from conference.address import source_of
from conference.events import IceServer
from conference.model.limit import Limit
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of

# A whole office stands behind one address; a test tries four ways.
PER_ADDRESS: Final = Limit("network-test-address", 400, 60.0)
_MAX_SDP_CHARS: Final = 32 << 10
_SALT: Final = secrets.token_bytes(16)  # the relay writes names into its log, and an address can be tried out


class TrialOffer(BaseModel):
    """An offer of one track; what is sent on it comes back, at most 120 packets a second."""

    sdp: str = Field(min_length=1, max_length=_MAX_SDP_CHARS)


class RelayResource(Resource):
    """A TURN server, as RTCPeerConnection takes it."""

    urls: tuple[str, ...]
    username: str
    credential: str

    @classmethod
    def of(cls, server: IceServer) -> RelayResource:
        return cls.model_validate(server)


class TrialAnswer(Resource):
    """The answer names every way by which media may come. `ice_servers`: relays, none where there are none."""

    sdp: str
    ice_servers: tuple[RelayResource, ...]


@documented
async def try_connection(
    request: web.Request, body: TrialOffer
) -> r200[TrialAnswer] | r400[Problem] | r429[Problem]:
    """
    A connection to try which ways to the media are open; it is dropped after 15 s. Needs no token.

    Tags: entrances
    """
    context = request.app[CONTEXT]
    await context.limit(PER_ADDRESS, request)
    answer = await context.media.try_out(body.sdp)
    # Bounded for each address: whoever tests has no token yet.
    source = source_of(context.client_address(request))
    whose = hashlib.blake2b(source.encode(), key=_SALT, digest_size=6).hexdigest()
    servers = context.rooms.relay.ice_servers(f"test-{whose}", brief=True)
    return json_of(TrialAnswer(sdp=answer, ice_servers=tuple(RelayResource.of(each) for each in servers)))


def add_to(app: web.Application) -> None:
    app.router.add_post(f"{PREFIX}/network-test", try_connection)
