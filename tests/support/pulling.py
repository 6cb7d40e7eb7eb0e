"""Ingests of a room, fed as the services do it, and a real client (aiortc) that sees and hears what comes of them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import TypeVar

import av
import numpy as np
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from conference.ingest.supervisor import IngestSupervisor
from conference.ingest_events import (
    IngestEvent,
    IngestFailed,
    IngestJob,
    IngestKind,
    IngestReady,
    IngestReason,
    IngestRunning,
)
from conference.media.client import MediaClient
from conference.model.media import MediaEvent, SubscriberOffer
from tests.support.eventually import eventually
from tests.support.media_meeting import ROOM

CAMERA = "camera"
E = TypeVar("E")


class Pulling:
    """`supervisor.close` in the end."""

    def __init__(self, media: MediaClient, directory: Path, *, silent_s: float = 10.0) -> None:
        self.media = media
        self.events: list[IngestEvent] = []
        self.supervisor = IngestSupervisor(directory, silent_s=silent_s)
        self.supervisor.listen(self._take)
        self._feeding: set[asyncio.Task[None]] = set()

    def _take(self, event: IngestEvent) -> None:
        self.events.append(event)
        if isinstance(event, IngestReady):
            task = asyncio.get_running_loop().create_task(
                self.media.feed(ROOM, event.socket_path, event.ingest_id)
            )
            self._feeding.add(task)
            task.add_done_callback(self._feeding.discard)

    async def pull(
        self, url: str, name: str = CAMERA, *, kind: IngestKind = IngestKind.CAMERA, is_paused: bool = False
    ) -> IngestJob:
        await self.media.join(ROOM, name, sound_open=True)
        job = IngestJob(name, ROOM, name, url, label="front", kind=kind, is_paused=is_paused)
        self.supervisor.start(job)
        return job

    def last(self, kind: type[E]) -> E | None:
        """The newest event of this kind."""
        return next((event for event in reversed(self.events) if isinstance(event, kind)), None)

    async def running(self) -> IngestRunning:
        """What it says of itself once its picture is there: its sound may be heard before."""

        def shown() -> IngestRunning | None:
            told = self.last(IngestRunning)
            return told if told is not None and told.width else None

        found = await eventually(shown, timeout_s=20, what="it runs")
        assert found is not None
        return found

    async def failed(self, reason: IngestReason) -> None:
        """It failed for this reason at some time."""
        await eventually(
            lambda: any(isinstance(event, IngestFailed) and event.reason is reason for event in self.events),
            timeout_s=20,
            what=reason,
        )


class Eye:
    """Decodes what it is sent of one participant; `close` in the end."""

    def __init__(self) -> None:
        self.pictures: list[tuple[float, av.VideoFrame]] = []  # with when they came
        self.sounds: list[tuple[float, av.AudioFrame]] = []
        self._client = RTCPeerConnection()
        self._name = ""
        self._media: MediaClient
        self._readers: list[asyncio.Task[None]] = []

    @classmethod
    async def watch(cls, media: MediaClient, target: str = CAMERA, name: str = "w_1") -> Eye:
        eye = cls()
        tracks: list[MediaStreamTrack] = []
        eye._client.on("track", tracks.append)
        for kind in ("audio", "video"):
            eye._client.addTransceiver(kind, direction="recvonly")
        await eye._client.setLocalDescription(await eye._client.createOffer())
        await media.join(ROOM, name, sound_open=False)
        answer = await media.pull(ROOM, name, target, eye._client.localDescription.sdp)
        await eye._client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        eye._readers = [asyncio.create_task(eye._read(track)) for track in tracks]
        return eye

    async def attend(self, media: MediaClient, name: str) -> None:
        """Receive what everybody publishes, screens too; `take` is to be given every event."""
        self._name, self._media = name, media
        self._client.on("track", lambda track: self._readers.append(asyncio.create_task(self._read(track))))
        await media.join(ROOM, name, sound_open=False)
        await media.subscribe(ROOM, name)

    def take(self, event: MediaEvent) -> None:
        """For MediaClient.listen."""
        if isinstance(event, SubscriberOffer) and event.participant_id == self._name:
            self._readers.append(asyncio.create_task(self._answer(event)))

    async def _answer(self, offer: SubscriberOffer) -> None:
        await self._client.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        await self._client.setLocalDescription(await self._client.createAnswer())
        answer = self._client.localDescription.sdp
        await self._media.answer(ROOM, self._name, offer.generation, answer)

    async def _read(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if isinstance(frame, av.VideoFrame):
                    self.pictures.append((time.monotonic(), frame))
                elif isinstance(frame, av.AudioFrame):
                    self.sounds.append((time.monotonic(), frame))

    async def sees(self, count: int = 50, timeout_s: float = 20) -> list[av.VideoFrame]:
        """That many pictures more."""
        seen = len(self.pictures)
        await eventually(lambda: len(self.pictures) >= seen + count, timeout_s=timeout_s, what="pictures")
        return [frame for _, frame in self.pictures[seen:]]

    def brightness(self) -> float:
        """Of the newest picture: luma, 16 to 235; -1 before the first."""
        if not self.pictures:
            return -1.0
        frame = self.pictures[-1][1]
        return float(frame.to_ndarray(format="yuv420p")[: frame.height].mean())

    def loudness(self) -> float:
        """The highest sample of the last fifth of a second that came; 0 where that is long ago."""
        now_s = time.monotonic()
        recent = [frame.to_ndarray() for at_s, frame in self.sounds[-10:] if now_s - at_s < 1.0]
        return float(max((np.abs(each.astype(np.int32)).max() for each in recent), default=0))

    def pitch_hz(self) -> float:
        """The strongest tone of the last second that was heard."""
        samples = np.concatenate([each.to_ndarray().reshape(-1, 2)[:, 0] for _, each in self.sounds[-50:]])
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
        assert spectrum.max() > 0
        return float(np.fft.rfftfreq(len(samples), 1 / 48_000)[spectrum.argmax()])

    async def close(self) -> None:
        for reader in self._readers:
            reader.cancel()
        await self._client.close()
