"""WHIP publisher (RFC 9725) and WHEP player."""

from collections.abc import Sequence
from typing import Self
from urllib.parse import urljoin

import aiohttp

from tests.support.light_client.inbound import InboundStream
from tests.support.light_client.peer import Peer
from tests.support.light_client.sdp import OfferedTrack, SessionDescription
from tests.support.light_client.source import SimulcastSource, Source, attach


class HttpRefusedError(Exception):
    """The endpoint answered with an error."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body[:500]}")
        self.status, self.body = status, body


class _Resource:
    """POST an offer, later DELETE what was made."""

    def __init__(self, peer: Peer | None, token: str) -> None:
        self.peer = peer or Peer()
        self._token = token
        self.location = ""
        self.headers: dict[str, str] = {}

    @property
    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    async def _post(self, url: str, offer: str) -> SessionDescription:
        headers = {"Content-Type": "application/sdp", **self._authorization}
        async with (
            aiohttp.ClientSession() as http,
            http.post(url, data=offer.encode(), headers=headers) as response,
        ):
            body = await response.text()
            if response.status not in (200, 201):
                raise HttpRefusedError(response.status, body)
            self.headers = {name.lower(): value for name, value in response.headers.items()}
            self.location = urljoin(url, response.headers.get("Location", ""))
        return SessionDescription(body)

    async def delete(self) -> int:
        """End the session at the server; gives the status."""
        async with (
            aiohttp.ClientSession() as http,
            http.delete(self.location, headers=self._authorization) as response,
        ):
            return response.status

    async def close(self, *, delete: bool = True) -> None:
        """Leave; with `delete` also tell the server."""
        if delete and self.location:
            await self.delete()
            self.location = ""
        await self.peer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.close()
        except aiohttp.ClientError:
            await self.peer.close(notify=False)


class WhipPublisher(_Resource):
    """Publishes its sources."""

    def __init__(
        self, sources: Sequence[Source | SimulcastSource], *, token: str = "", peer: Peer | None = None
    ) -> None:
        super().__init__(peer, token)
        self.sources = list(sources)

    async def publish(self, url: str, *, tcp: bool = False) -> str:
        """Offer, connect, send; gives the participant id, the last part of the Location."""
        answer = await self._post(url, self.peer.offer([source.offered for source in self.sources]))
        self.peer.set_remote(answer)
        await self.peer.connect(tcp=tcp)
        attach(self.peer, self.sources)
        for source, section in zip(self.sources, answer.media, strict=True):
            if section.port:
                source.start(self.peer, section)
        return self.participant_id

    @property
    def participant_id(self) -> str:
        """From the Location."""
        return self.location.rstrip("/").rpartition("/")[2]

    async def close(self, *, delete: bool = True) -> None:
        for source in self.sources:
            source.stop()
        await super().close(delete=delete)


class WhepPlayer(_Resource):
    """Receives one participant."""

    def __init__(self, *, token: str = "", peer: Peer | None = None) -> None:
        super().__init__(peer, token)
        self.answer: SessionDescription | None = None

    async def play(
        self, url: str, tracks: Sequence[OfferedTrack] | None = None, *, rtx: bool = True, tcp: bool = False
    ) -> None:
        """Offer to receive sound and picture, connect."""
        if tracks is None:
            tracks = [OfferedTrack("audio"), OfferedTrack("video", codecs=("VP8", "H264"), rtx=rtx)]
        self.answer = await self._post(url, self.peer.offer(tracks))
        self.peer.set_remote(self.answer)
        await self.peer.connect(tcp=tcp)

    def stream(self, kind: str) -> InboundStream | None:
        """The stream of that kind with the most packets."""
        audio = [s for s in self.peer.streams.values() if (s.payload_type == 111) == (kind == "audio")]
        return max(audio, key=lambda s: s.packets, default=None)
