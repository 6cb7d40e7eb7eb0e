"""A room of the media process with light clients in it, driven as the web process does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from conference.model.media import MediaEvent, MediaRestarted, SubscriberOffer
from conference.services.ports import MediaPlane
from tests.support.eventually import eventually
from tests.support.light_client import (
    AudioSource,
    InboundStream,
    Peer,
    SessionDescription,
    SimulcastSource,
    VideoSource,
)
from tests.support.light_client.source import Source, attach

ROOM = "room"


class Meeting:
    """A room of light clients: keeps every event, answers offers for those who asked to receive."""

    def __init__(self, media: MediaPlane, room: str = ROOM) -> None:
        """Of several on one media plane, let whoever listens to it call `take` of each."""
        self.media = media
        self.room = room
        self.events: list[MediaEvent] = []
        self.receivers: dict[str, Peer] = {}
        self.offers: dict[str, list[SubscriberOffer]] = {}
        self.codecs: dict[str, tuple[str, ...]] = {}
        self._publishers: list[tuple[Peer, Sequence[Source | SimulcastSource]]] = []
        self._answering: set[asyncio.Task[None]] = set()
        media.listen(self.take)

    def take(self, event: MediaEvent) -> None:
        if not isinstance(event, MediaRestarted) and event.room_id != self.room:
            return
        self.events.append(event)
        if isinstance(event, SubscriberOffer):
            task = asyncio.get_running_loop().create_task(self._answer(event))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, event: SubscriberOffer) -> None:
        self.offers.setdefault(event.participant_id, []).append(event)
        offer = SessionDescription(event.sdp)
        peer = self.receivers.get(event.participant_id)
        fresh = peer is None or peer.remote is None or peer.remote.ufrag != offer.ufrag
        if peer is None or fresh:
            if peer is not None:
                await peer.close()
            peer = self.receivers[event.participant_id] = Peer()
        answer = peer.answer(offer, self.codecs.get(event.participant_id, ("opus", "VP8", "H264", "rtx")))
        await self.media.answer(self.room, event.participant_id, event.generation, answer)
        if fresh:
            await peer.connect()

    async def publish(
        self,
        name: str,
        sources: list[Source] | None = None,
        *,
        peer: Peer | None = None,
        tcp: bool = False,
        tcp_port: int | None = None,
        hall: tuple[str, ...] = (),
        deaf_to: tuple[str, ...] = (),
    ) -> list[Source]:
        sources = sources if sources is not None else [AudioSource(), VideoSource()]
        where = {"tcp": tcp or tcp_port is not None, "tcp_port": tcp_port}
        await self._publish(name, sources, peer or Peer(), where, hall=hall, deaf_to=deaf_to)
        return sources

    async def publish_layers(self, name: str, layers: SimulcastSource, peer: Peer | None = None) -> None:
        """A camera in several encodings, without sound."""
        await self._publish(name, [layers], peer or Peer(), {})

    async def _publish(
        self,
        name: str,
        sources: Sequence[Source | SimulcastSource],
        peer: Peer,
        where: Mapping[str, Any],
        *,
        hall: tuple[str, ...] = (),
        deaf_to: tuple[str, ...] = (),
    ) -> None:
        await self.media.join(self.room, name, sound_open=True, hall=hall, deaf_to=deaf_to)
        text, _ = await self.media.publish(
            self.room, name, peer.offer([source.offered for source in sources])
        )
        answer = SessionDescription(text)
        peer.set_remote(answer)
        await peer.connect(**where)
        attach(peer, sources)
        for source, section in zip(sources, answer.media, strict=True):
            source.start(peer, section)
        self._publishers.append((peer, sources))

    async def receive(
        self,
        name: str,
        *,
        codecs: tuple[str, ...] = ("opus", "VP8", "H264", "rtx"),
        hears: bool = True,
        hall: tuple[str, ...] = (),
        deaf_to: tuple[str, ...] = (),
    ) -> None:
        self.codecs[name] = codecs
        await self.media.join(self.room, name, sound_open=True, hears=hears, hall=hall, deaf_to=deaf_to)
        await self.media.subscribe(self.room, name)

    def stream(self, receiver: str, publisher: str, source: str) -> InboundStream | None:
        """What `receiver` gets of a track, by the last offer's mapping."""
        if receiver not in self.offers or receiver not in self.receivers:
            return None
        offer = self.offers[receiver][-1]
        mid = next((t.mid for t in offer.tracks if (t.participant_id, t.source) == (publisher, source)), None)
        section = next((s for s in SessionDescription(offer.sdp).media if s.mid == mid), None)
        if section is None:
            return None
        return next(
            (
                self.receivers[receiver].streams[ssrc]
                for ssrc in section.ssrcs()
                if ssrc in self.receivers[receiver].streams
            ),
            None,
        )

    async def flows(self, receiver: str, publisher: str, source: str, packets: int = 20) -> InboundStream:
        """Wait for that many more packets."""
        before = self.stream(receiver, publisher, source)
        seen = before.packets if before is not None else 0

        def more() -> InboundStream | None:
            stream = self.stream(receiver, publisher, source)
            return stream if stream is not None and stream.packets >= seen + packets else None

        stream = await eventually(more, what=f"{source} of {publisher} at {receiver}")
        assert stream is not None
        return stream

    async def close(self) -> None:
        for peer, sources in self._publishers:
            for source in sources:
                source.stop()
            await peer.close()
        for peer in self.receivers.values():
            await peer.close()
        for task in list(self._answering):
            task.cancel()
