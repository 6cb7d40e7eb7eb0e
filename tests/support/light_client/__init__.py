"""A light WebRTC client without a browser: ICE, DTLS-SRTP and RTP with a synchronous packet path."""

from tests.support.light_client.dtls import Certificate, HandshakeError
from tests.support.light_client.inbound import InboundStream
from tests.support.light_client.peer import Peer
from tests.support.light_client.room import RoomClient, SessionRefusedError
from tests.support.light_client.sdp import SessionDescription
from tests.support.light_client.source import AudioSource, SimulcastSource, VideoSource
from tests.support.light_client.whip import HttpRefusedError, WhepPlayer, WhipPublisher

__all__ = [
    "AudioSource",
    "Certificate",
    "HandshakeError",
    "HttpRefusedError",
    "InboundStream",
    "Peer",
    "RoomClient",
    "SessionDescription",
    "SessionRefusedError",
    "SimulcastSource",
    "VideoSource",
    "WhepPlayer",
    "WhipPublisher",
]
