"""A participant of the room over Socket.IO, with light peers instead of a browser."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Self

import socketio

from tests.support.eventually import eventually
from tests.support.light_client.dtls import Certificate
from tests.support.light_client.inbound import InboundStream
from tests.support.light_client.path import Address, towards
from tests.support.light_client.peer import Peer
from tests.support.light_client.sdp import SessionDescription
from tests.support.light_client.source import SimulcastSource, Source, attach

NAMESPACE = "/room"
Json = dict[str, Any]


class SessionRefusedError(Exception):
    """`session.refused`, or a request that was not ok."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class RoomClient:
    """Connects, mirrors the room from snapshot and events, publishes and receives.

    `events` holds all that came, in order; `participants` is the state after them.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        certificate: Certificate | None = None,
        codecs: Sequence[str] = ("opus", "VP8", "H264", "rtx"),
        receive: bool = True,
        sample: int = 1,
        feedback_s: float = 0.0,
        look_s: float = 0.0,
        via: Address | None = None,
        **auth: Any,
    ) -> None:
        """`feedback_s`, `look_s` and `via` are those of the `Peer` that receives."""
        self.url, self._token, self._auth = url, token, auth
        self._certificate, self._codecs, self._receive, self._sample = certificate, codecs, receive, sample
        self._feedback_s, self._look_s, self._via = feedback_s, look_s, via
        self._socket = socketio.AsyncClient(reconnection=False)
        self._socket.on("*", self._on_event, namespace=NAMESPACE)
        self._socket.on("media.offer", self._on_offer, namespace=NAMESPACE)
        self._socket.on("disconnect", self._on_disconnect, namespace=NAMESPACE)
        self._changed = asyncio.Event()
        self._refused: SessionRefusedError | None = None
        self.events: list[tuple[str, Json]] = []
        self.snapshot: Json = {}
        self.waiting: Json = {}  # the event room.waiting, until we are admitted
        self.at_the_door: list[Json] | None = None  # who waits, where we may admit
        self.participants: dict[str, Json] = {}
        self.consultation: Json = {}
        self.clip: Json | None = None  # the one that is played
        self.speakers: list[Json] = []
        self.version = 0
        self.version_holes = 0
        self.disconnected = False
        self.publisher: Peer | None = None
        self.sources: list[Source | SimulcastSource] = []
        self.subscriber: Peer | None = None
        self.offers: list[SessionDescription] = []
        self.tracks: list[Json] = []
        self.offered: Json = {}  # the last publish request
        self._track_history: dict[int, Json] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # ---- session

    async def connect(self, *, timeout_s: float = 10.0) -> Json:
        """Connect and wait for the snapshot; `SessionRefusedError` when there is none.

        It is empty for who has to wait before the door: see `waiting` and `admitted`.
        """
        await self._socket.connect(
            self.url,
            namespaces=[NAMESPACE],
            auth={"token": self._token, **self._auth},
            transports=["websocket"],
            wait_timeout=timeout_s,
        )
        await eventually(
            lambda: bool(self.snapshot) or bool(self.waiting) or self._refused is not None,
            timeout_s=timeout_s,
            what="room.snapshot",
        )
        if self._refused is not None:
            await self._socket.disconnect()
            raise self._refused
        return self.snapshot

    async def admitted(self, *, timeout_s: float = 10.0) -> Json:
        """Wait before the door until somebody admits us; the snapshot."""
        return await eventually(lambda: self.snapshot, timeout_s=timeout_s, what="being admitted")

    @property
    def _self(self) -> Json:
        view: Json = self.snapshot["self"] if self.snapshot else self.waiting
        return view

    @property
    def participant_id(self) -> str:
        """Ours, also before the door."""
        return str(self._self["participant_id"])

    @property
    def resume(self) -> Json:
        """What a later client passes as `resume` to be the same participant."""
        return {"participant_id": self.participant_id, "secret": self._self["resume_secret"]}

    @property
    def me(self) -> Json:
        """Our own entry."""
        return self.participants[self.participant_id]

    async def request(
        self, event: str, data: Mapping[str, Any] | None = None, *, timeout_s: float = 10.0
    ) -> Json:
        """A request; its data, or `SessionRefusedError` with the code."""
        reply = await self.request_raw(event, dict(data or {}), timeout_s=timeout_s)
        if not isinstance(reply, dict) or reply.get("ok") is not True:
            error = reply.get("error", {}) if isinstance(reply, dict) else {}
            raise SessionRefusedError(str(error.get("code")), str(error.get("message", reply)))
        data_out = reply.get("data")
        return data_out if isinstance(data_out, dict) else {}

    async def request_raw(self, event: str, data: object, *, timeout_s: float = 10.0) -> Any:
        """A request with any payload; the ack as it came."""
        return await self._socket.call(event, data, namespace=NAMESPACE, timeout=timeout_s)

    async def wait_event(self, name: str, *, after: int = 0, timeout_s: float = 10.0) -> Json:
        """The first event of that name at or behind position `after` of `events`."""

        def found() -> Json | None:
            return next((data for event, data in self.events[after:] if event == name), None)

        result = await eventually(found, lambda data: data is not None, timeout_s=timeout_s, what=name)
        assert result is not None
        return result

    async def drop(self) -> None:
        """Cut the socket and stop all media without a word, like a lost network."""
        for peer in (self.publisher, self.subscriber):
            if peer is not None:
                await peer.close(notify=False)
        await self._end_tasks()
        transport = getattr(self._socket.eio, "ws", None)
        if transport is not None:
            await transport.close()
        await self._socket.disconnect()

    async def leave(self) -> None:
        """`room.leave`, then close."""
        await self.request("room.leave")
        await self.close()

    async def close(self) -> None:
        """Close everything."""
        for source in self.sources:
            source.stop()
        for peer in (self.publisher, self.subscriber):
            if peer is not None:
                await peer.close()
        await self._end_tasks()
        await self._socket.disconnect()

    async def _end_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # ---- events

    async def _on_event(self, event: str, data: Json | None = None, *_: object) -> None:
        data = data if isinstance(data, dict) else {}
        self.events.append((event, data))
        if event == "session.refused":
            self._refused = SessionRefusedError(str(data.get("code")), str(data.get("message")))
        elif event == "room.waiting":
            self.waiting = data
        elif event == "room.snapshot":
            self._load(data)
        else:
            self._apply(event, data)

    def _on_disconnect(self, *_: object) -> None:
        self.disconnected = True

    def _load(self, snapshot: Json) -> None:
        self.snapshot, self.waiting = snapshot, {}
        self.at_the_door = snapshot.get("waiting")
        self.version = int(snapshot["version"])
        self.participants = {person["id"]: person for person in snapshot["participants"]}
        self.consultation = snapshot["consultation"]
        self.clip = snapshot["clip"]
        self.speakers = snapshot["speakers"]

    def _apply(self, event: str, data: Json) -> None:
        if "version" in data:
            if int(data["version"]) != self.version + 1:
                self.version_holes += 1
            self.version = int(data["version"])
        match event:
            case "participant.joined" | "participant.updated":
                self.participants[data["participant"]["id"]] = data["participant"]
            case "participant.left":
                self.participants.pop(data["participant_id"], None)
            case "consultation.updated":
                self.consultation = data["consultation"]
            case "clip.updated":
                self.clip = data["clip"]
            case "captions.updated":
                self.consultation = {**self.consultation, "captions": data["state"]}
            case "speakers.changed":
                self.speakers = data["speakers"]
            case "waiting.joined":
                self.at_the_door = [*(self.at_the_door or []), data["person"]]
            case "waiting.left":
                left = data["participant_id"]
                self.at_the_door = [e for e in self.at_the_door or [] if e["participant_id"] != left]

    # ---- media

    async def publish(
        self,
        sources: Sequence[Source | SimulcastSource],
        *,
        names: Sequence[str] = (),
        more: Mapping[int, Json] | None = None,
        peer: Peer | None = None,
    ) -> Peer:
        """Offer these sources (`names`: microphone, camera, …; `more` by place: label, main), connect, send."""
        self.publisher = peer or Peer(bind=towards(self.url), certificate=self._certificate)
        self.sources = list(sources)
        request: Json = {"sdp": self.publisher.offer([source.offered for source in sources])}
        if names:
            request["tracks"] = [
                {"mid": str(mid), "source": name, **(more or {}).get(mid, {})}
                for mid, name in enumerate(names)
            ]
        self.offered = request
        answer = SessionDescription((await self.request("media.publish", request))["sdp"])
        self.publisher.set_remote(answer)
        await self.publisher.connect()
        attach(self.publisher, self.sources)
        for source, section in zip(self.sources, answer.media, strict=True):
            if section.port and section.direction != "inactive":
                source.start(self.publisher, section)
        return self.publisher

    async def say_anew(self, more: Mapping[int, Json]) -> None:
        """The same offer once more with other words about its tracks, by their places."""
        kept = [
            {**{key: value for key, value in track.items() if key in ("mid", "source")}, **more.get(mid, {})}
            for mid, track in enumerate(self.offered["tracks"])
        ]
        self.offered = {**self.offered, "tracks": kept}
        await self.request("media.publish", self.offered)

    async def _on_offer(self, data: Json) -> Json:
        self.events.append(("media.offer", data))
        offer = SessionDescription(data["sdp"])
        self.offers.append(offer)
        self.tracks = list(data["tracks"])
        known = self.subscriber.remote if self.subscriber is not None else None
        fresh = known is None or known.ufrag != offer.ufrag
        old = self.subscriber if fresh else None
        if fresh:
            self.subscriber = Peer(
                bind=towards(self.url),
                certificate=self._certificate,
                sample=self._sample,
                feedback_s=self._feedback_s,
                look_s=self._look_s,
                via=self._via,
            )
        assert self.subscriber is not None
        answer = self.subscriber.answer(offer, self._codecs)
        if fresh and self._receive:
            task = asyncio.create_task(self._connect_subscriber(self.subscriber, old))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._learn_tracks(offer)
        return {"sdp": answer}

    async def _connect_subscriber(self, peer: Peer, old: Peer | None) -> None:
        if old is not None:
            await old.close()
        await peer.connect()

    async def subscribed(self, *, timeout_s: float = 15.0) -> Peer:
        """Wait until the receiving connection stands."""
        await eventually(
            lambda: self.subscriber and self.subscriber.connected, timeout_s=timeout_s, what="subscriber"
        )
        assert self.subscriber is not None
        return self.subscriber

    def _learn_tracks(self, offer: SessionDescription) -> None:
        by_mid = {str(track["mid"]): track for track in self.tracks}
        for section in offer.media:
            track = by_mid.get(section.mid)
            if track is not None:
                for ssrc in section.ssrcs():
                    self._track_history[ssrc] = track

    def stream(self, participant_id: str, source: str = "camera") -> InboundStream | None:
        """What arrives now of one publication of somebody."""
        if self.subscriber is None:
            return None
        current = {str(track["publication_id"]) for track in self.tracks}
        for ssrc, track in reversed(self._track_history.items()):
            same = track["participant_id"] == participant_id and track["source"] == source
            if same and str(track["publication_id"]) in current and ssrc in self.subscriber.streams:
                return self.subscriber.streams[ssrc]
        return None

    async def receives(
        self, participant_id: str, source: str = "camera", *, packets: int = 10, timeout_s: float = 10.0
    ) -> InboundStream:
        """Wait until that many more packets of a publication came."""
        begin = self.stream(participant_id, source)
        seen = begin.packets if begin else 0

        def more() -> InboundStream | None:
            stream = self.stream(participant_id, source)
            return stream if stream is not None and stream.packets >= seen + packets else None

        stream = await eventually(more, timeout_s=timeout_s, what=f"{source} of {participant_id}")
        assert stream is not None
        return stream

    async def silent(self, participant_id: str, source: str = "microphone", *, for_s: float = 0.6) -> bool:
        """True when nothing of that publication arrived during `for_s`."""
        begin = self.stream(participant_id, source)
        seen, until = begin.packets if begin else 0, time.monotonic() + for_s
        while time.monotonic() < until:
            await asyncio.sleep(0.05)
            stream = self.stream(participant_id, source)
            if stream is not None and stream.packets > seen:
                return False
        return True
