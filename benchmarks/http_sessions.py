"""Rooms that are reached by WHIP and WHEP."""

from collections.abc import Sequence
from urllib.parse import urljoin

import aiohttp

from benchmarks.target import Publication, Session, Subscriber
from tests.support.light_client import SessionDescription, SimulcastSource, VideoSource
from tests.support.light_client.sdp import OfferedTrack


class WhipSession(Session):
    """`{label}` in the WHIP template is the publisher's name, `{id}` in the WHEP template the end of its Location."""

    def __init__(self, whip: str, whep: str, token: str = "", *, by_label: bool = False) -> None:
        self._whip, self._whep, self._by_label = whip, whep, by_label
        self._headers = {"Content-Type": "application/sdp"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._http = aiohttp.ClientSession()
        self._count = 0
        self._resources: list[str] = []

    async def _post(self, url: str, offer: str) -> tuple[SessionDescription, str]:
        async with self._http.post(url, data=offer, headers=self._headers) as response:
            body = await response.text()
            if response.status not in (200, 201):
                raise RuntimeError(f"{url}: {response.status} {body[:300]}")
            resource = urljoin(url, response.headers.get("Location", ""))
        self._resources.append(resource)
        return SessionDescription(body), resource

    async def publish(self, source: VideoSource | SimulcastSource) -> Publication:
        self._count += 1
        label = f"bench{self._count}"
        peer = self.peer()
        answer, resource = await self._post(self._whip.format(label=label), peer.offer([source.offered]))
        peer.set_remote(answer)
        await peer.connect()
        identity = label if self._by_label else resource.rstrip("/").rpartition("/")[2]
        return Publication(source, peer, identity)

    async def subscribe(self, publications: Sequence[Publication]) -> list[Subscriber]:
        made: list[Subscriber] = []
        for publication in publications:
            peer = self.peer()
            has_feedback = self.feedback_s > 0
            track = OfferedTrack("video", rtx=has_feedback, transport_cc=has_feedback)
            answer, _ = await self._post(self._whep.format(id=publication.identity), peer.offer([track]))
            peer.set_remote(answer)
            await peer.connect()
            made.append(Subscriber(peer))
        return made

    async def close(self) -> None:
        for resource in self._resources:
            async with self._http.delete(resource, headers=self._headers):
                pass
        await self._http.close()
