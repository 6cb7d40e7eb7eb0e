"""The media processes of a node, as one media plane: each room lives in one of them, the least busy when it came.

Implements conference.services.ports.MediaPlane over as many MediaClients. One is the rule; several are for machines of
many cores, as a media process uses one. A room goes from process to process never: where its process dies, it comes
back in the successor.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from conference.model.media import (
    PROGRAM_TARGET,
    RECORDING_TAP,
    MediaEvent,
    MediaRestarted,
    PublicationInfo,
    Source,
    TrackHint,
    TrackWish,
)
from conference.model.media_report import MediaReport
from conference.rtc.ufrag import process_of

from .client import MediaClient
from .settings import MAX_PROCESSES, MediaSettings

_MOST_IDLE: Final = 1000  # rooms that were asked about and never used


class _Placed:
    """Where a room is, and what it is needed for there."""

    def __init__(self, client: MediaClient) -> None:
        self.client = client
        self.participants: set[str] = set()
        self.links: set[str] = set()  # taps and feeds

    @property
    def is_needed(self) -> bool:
        return bool(self.participants or self.links)


class MediaPool:
    """Owned by signaling.app: `start` before use, `close` at the end."""

    def __init__(self, settings: MediaSettings, processes: int = 1) -> None:
        """`settings` of the first; each other one has the next port, or a free one where that is 0. Raises ValueError
        for a number of processes that cannot be."""
        if not 1 <= processes <= MAX_PROCESSES:
            raise ValueError(f"{processes} media processes")
        self.clients = tuple(
            MediaClient(replace(settings, port=settings.port and settings.port + number, number=number))
            for number in range(processes)
        )
        self._rooms: dict[str, _Placed] = {}
        self._listener: Callable[[MediaEvent], None] | None = None
        self._next_trial = 0
        for client in self.clients:
            client.listen(self._heard_from(client))

    # ── life ────────────────────────────────────────────────────────────────────────────────────

    async def start(self) -> tuple[int, ...]:
        """Start the processes, one after the other; returns their ports. Raises MediaError(port_in_use |
        media_unavailable): what was started until then is for `close`."""
        return tuple([await client.start() for client in self.clients])

    async def close(self) -> None:
        """Idempotent."""
        await asyncio.gather(*(client.close() for client in self.clients))

    def hand_over(self, connection: socket.socket, ufrag: str | None) -> bool:
        """Give the right process a TCP connection of which nothing was read; the caller closes its own copy in any
        case. `ufrag`: the user fragment of ours that its first check names, None where it cannot be told. False when
        there is no such process now, or it has not taken earlier ones."""
        number = 0 if len(self.clients) == 1 else process_of(ufrag or "")
        if number is None or number >= len(self.clients):
            return False
        return self.clients[number].hand_over(connection)

    def _heard_from(self, client: MediaClient) -> Callable[[MediaEvent], None]:
        def heard(event: MediaEvent) -> None:
            if self._listener is None:
                return
            if isinstance(event, MediaRestarted):
                here = (room_id for room_id, each in self._rooms.items() if each.client is client)
                event = replace(event, room_ids=frozenset(here))
            self._listener(event)

        return heard

    # ── where a room is ─────────────────────────────────────────────────────────────────────────

    def _placed(self, room_id: str) -> _Placed:
        """Where it is, or from now on will be: at the least busy process that runs."""
        placed = self._rooms.get(room_id)
        if placed is None:
            if len(self._rooms) >= _MOST_IDLE:
                self._rooms = {key: each for key, each in self._rooms.items() if each.is_needed}
            placed = self._rooms[room_id] = _Placed(min(self.clients, key=self._business))
        return placed

    def _business(self, client: MediaClient) -> tuple[bool, int, int]:
        """What there is to do for it; one that is away comes last."""
        here = [each for each in self._rooms.values() if each.client is client and each.is_needed]
        return not client.is_ready, sum(len(each.participants) for each in here), len(here)

    def _settle(self, room_id: str) -> None:
        """The media process forgets a room that nobody needs; so do we."""
        placed = self._rooms.get(room_id)
        if placed is not None and not placed.is_needed:
            del self._rooms[room_id]

    def _client(self, room_id: str) -> MediaClient:
        return self._placed(room_id).client

    # ── conference.services.ports.MediaPlane ────────────────────────────────────────────────────

    def epoch(self, room_id: str) -> str:
        return self._client(room_id).epoch(room_id)

    def listen(self, receive: Callable[[MediaEvent], None]) -> None:
        self._listener = receive

    async def join(
        self,
        room_id: str,
        participant_id: str,
        *,
        sound_open: bool,
        hears: bool = True,
        hall: tuple[str, ...] = (),
        deaf_to: tuple[str, ...] = (),
    ) -> None:
        placed = self._placed(room_id)
        placed.participants.add(participant_id)  # before: the room must not go elsewhere meanwhile
        await placed.client.join(
            room_id, participant_id, sound_open=sound_open, hears=hears, hall=hall, deaf_to=deaf_to
        )

    async def leave(self, room_id: str, participant_id: str) -> None:
        placed = self._placed(room_id)
        try:
            await placed.client.leave(room_id, participant_id)
        finally:
            placed.participants.discard(participant_id)
            placed.links.discard(_feed_name(participant_id))
            self._settle(room_id)

    async def publish(
        self, room_id: str, participant_id: str, sdp: str, hints: tuple[TrackHint, ...] = ()
    ) -> tuple[str, tuple[PublicationInfo, ...]]:
        return await self._client(room_id).publish(room_id, participant_id, sdp, hints)

    async def subscribe(self, room_id: str, participant_id: str, *, fresh: bool = False) -> None:
        await self._client(room_id).subscribe(room_id, participant_id, fresh=fresh)

    async def answer(self, room_id: str, participant_id: str, generation: int, sdp: str) -> None:
        await self._client(room_id).answer(room_id, participant_id, generation, sdp)

    async def pull(self, room_id: str, participant_id: str, target_id: str, sdp: str) -> str:
        return await self._client(room_id).pull(room_id, participant_id, target_id, sdp)

    async def trickle(self, room_id: str, participant_id: str, fragment: str) -> str | None:
        return await self._client(room_id).trickle(room_id, participant_id, fragment)

    async def try_out(self, sdp: str) -> str:
        """Each process in its turn, as each has a port of its own."""
        ready = [client for client in self.clients if client.is_ready] or self.clients
        self._next_trial += 1
        return await ready[self._next_trial % len(ready)].try_out(sdp)

    async def set_sound(self, room_id: str, participant_id: str, *, is_open: bool) -> None:
        await self._client(room_id).set_sound(room_id, participant_id, is_open=is_open)

    async def wish(self, room_id: str, participant_id: str, wishes: tuple[TrackWish, ...]) -> None:
        await self._client(room_id).wish(room_id, participant_id, wishes)

    async def focus(self, room_id: str, *, floor_ids: tuple[str, ...], chair_ids: tuple[str, ...]) -> None:
        await self._client(room_id).focus(room_id, floor_ids=floor_ids, chair_ids=chair_ids)

    async def tap(
        self,
        room_id: str,
        path: str,
        *,
        program_time_ms: int,
        at_monotonic_s: float,
        name: str = RECORDING_TAP,
        sources: tuple[Source, ...] = (),
    ) -> None:
        placed = self._placed(room_id)
        placed.links.add(_tap_name(name))
        await placed.client.tap(
            room_id,
            path,
            program_time_ms=program_time_ms,
            at_monotonic_s=at_monotonic_s,
            name=name,
            sources=sources,
        )

    async def untap(self, room_id: str, name: str = RECORDING_TAP) -> None:
        placed = self._placed(room_id)
        try:
            await placed.client.untap(room_id, name)
        finally:
            placed.links.discard(_tap_name(name))
            self._settle(room_id)

    async def feed(self, room_id: str, path: str, participant_id: str = PROGRAM_TARGET) -> None:
        placed = self._placed(room_id)
        placed.links.add(_feed_name(participant_id))
        await placed.client.feed(room_id, path, participant_id)

    async def unfeed(self, room_id: str, participant_id: str = PROGRAM_TARGET) -> None:
        placed = self._placed(room_id)
        try:
            await placed.client.unfeed(room_id, participant_id)
        finally:
            placed.links.discard(_feed_name(participant_id))
            self._settle(room_id)

    async def room_report(self, room_id: str) -> tuple[MediaReport, ...]:
        return await self._client(room_id).room_report(room_id)

    async def statistics(self) -> Mapping[str, float]:
        """Of several processes each sample says which: `media="1"`. Raises MediaError while one of them is away."""
        every = await asyncio.gather(*(client.statistics() for client in self.clients))
        if len(every) == 1:
            return every[0]
        return {
            _labelled(name, number): value
            for number, each in enumerate(every)
            for name, value in each.items()
        }


def _tap_name(name: str) -> str:
    return f"tap {name}"


def _feed_name(participant_id: str) -> str:
    return f"feed {participant_id}"


def _labelled(sample: str, number: int) -> str:
    name, brace, labels = sample.partition("{")
    return f'{name}{{media="{number}"{"," + labels if brace else "}"}'
