"""What there is to say of a room's media, read off its objects beside the path of the packets.

A large room is told in pages, so that no packet waits for more than a few milliseconds of it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from conference.model.media import Kind, Source
from conference.model.media_report import (
    ConnectionReport,
    LayerReport,
    MediaReport,
    Path,
    ReceivedTrack,
    SentTrack,
)
from conference.sfu.allocator import Given, Reason
from conference.sfu.participant import Participant
from conference.sfu.publication import Publication
from conference.sfu.publisher import Publisher
from conference.sfu.room import Room
from conference.sfu.subscriber import Subscriber
from conference.sfu.subscription import Subscription
from conference.sfu.transport import Transport

PAGE = 250  # tracks looked at: less than two milliseconds


def read_page(room: Room, after: str, now: float) -> tuple[tuple[MediaReport, ...], str]:
    """Those who came after this participant, and after whom to go on; empty when nobody is left.

    Who went on meanwhile is named no more: the page then begins with the first.
    """
    participants = list(room.participants.values())
    ids = [one.id for one in participants]
    start = ids.index(after) + 1 if after in ids else 0
    reports: list[MediaReport] = []
    heights: dict[Publication, int] = {}
    looked_at = 0
    for participant in participants[start:]:
        reports.append(_report(room, participant, heights, now))
        looked_at += 1 + len(participant.publications)
        if participant.subscriber is not None:
            looked_at += len(participant.subscriber.slots)
        if looked_at >= PAGE:
            break
    is_last = start + len(reports) >= len(participants)
    return tuple(reports), "" if is_last else reports[-1].participant_id


def _report(room: Room, participant: Participant, heights: dict[Publication, int], now: float) -> MediaReport:
    """`heights`: of the largest layers, once they were looked up for somebody."""
    publisher, subscriber = participant.publisher, participant.subscriber
    given = room.report(participant.id)
    received: list[ReceivedTrack] = []
    hidden = 0
    if subscriber is not None:
        told = {} if given is None else given.given
        for subscription in subscriber.subscriptions():
            if _is_hidden(subscription, told):
                hidden += 1
            elif not _is_quiet(subscription.publication):
                received.append(_received(participant, subscription, told, heights, now))
    rtt_s = 0.0 if subscriber is None else subscriber.rtt_s()
    estimator = None
    if subscriber is not None and subscriber.downlink.is_numbered:
        estimator = subscriber.downlink.estimator
    return MediaReport(
        participant_id=participant.id,
        uplink=None if publisher is None else _uplink(publisher),
        # Without a slot nothing was offered, and a connection is not even tried.
        downlink=_downlink(subscriber, received) if subscriber is not None and subscriber.slots else None,
        rtt_ms=round(1000 * rtt_s) or None,
        estimate_bps=None if subscriber is None else subscriber.available_bps(now),
        delivered_bps=None if estimator is None else estimator.delivered_bps,
        link="normal" if estimator is None else estimator.state,
        sound_only=given is not None and given.sound_only,
        hidden=hidden,
        sends=tuple(_sent(one, now) for one in participant.publications.values()),
        receives=tuple(received),
    )


def _uplink(publisher: Publisher) -> ConnectionReport:
    return ConnectionReport(
        publisher.transport.state.value, _path(publisher.transport), publisher.worst_loss()
    )


def _downlink(subscriber: Subscriber, received: list[ReceivedTrack]) -> ConnectionReport:
    """The loss of all tracks together: that of one with a packet now and then says little."""
    weight = sum(one.bitrate_bps for one in received)
    loss = sum(one.loss * one.bitrate_bps for one in received) / weight if weight else 0.0
    return ConnectionReport(subscriber.transport.state.value, _path(subscriber.transport), loss)


def _path(transport: Transport) -> Path:
    path = transport.path
    if path is None:
        return Path.NONE
    if path.protocol == "tcp":
        return Path.HTTPS_PORT if path.is_shared else Path.TCP
    return Path.LOOPBACK if ipaddress.ip_address(path.address[0]).is_loopback else Path.UDP


def _sent(publication: Publication, now: float) -> SentTrack:
    layers = publication.layers(now)
    last = max((stream.last_arrival for stream in publication.streams.values()), default=0.0)
    stream = publication.stream
    return SentTrack(
        id=publication.id,
        kind=Kind(publication.kind),
        source=Source(publication.source),
        codec=publication.codec,
        bitrate_bps=sum(one.bitrate_bps for one in layers),
        silent_ms=None if last == 0.0 else max(0, int(1000 * (now - last))),
        is_open=stream is None or stream.is_open,
        order=publication.order,
        needed=tuple(sorted(publication.needed_layers(), key=publication.order.index)),
        layers=()
        if publication.kind == "audio"
        else tuple(
            LayerReport(one.name, one.width, one.height, round(one.fps, 1), one.bitrate_bps) for one in layers
        ),
    )


def _is_hidden(subscription: Subscription, told: Mapping[str, Given]) -> bool:
    given = told.get(subscription.publication.id)
    return given is not None and given.reason is Reason.HIDDEN


def _is_quiet(publication: Publication) -> bool:
    """A microphone that nobody is to hear now."""
    if publication.kind != "audio":
        return False
    stream = publication.stream
    return stream is None or not stream.is_open or not publication.is_audible


def _received(
    participant: Participant,
    subscription: Subscription,
    told: Mapping[str, Given],
    heights: dict[Publication, int],
    now: float,
) -> ReceivedTrack:
    publication = subscription.publication
    best = heights.get(publication)
    if best is None:
        best = max((one.height for one in publication.layers(now)), default=0)
        heights[publication] = best
    stream = publication.streams.get(subscription.layer) if subscription.layer is not None else None
    given = told.get(publication.id)
    wish = None if participant.wishes is None else participant.wishes.get(publication.id)
    is_sound = publication.kind == "audio"
    return ReceivedTrack(
        publication_id=publication.id,
        participant_id=publication.participant_id,
        kind=Kind(publication.kind),
        source=publication.source,
        state=subscription.state.value,
        layer=subscription.layer,
        height=0 if stream is None else stream.height,
        shown_height=0 if wish is None else wish.height,
        best_height=0 if is_sound else best,
        temporal=subscription.selector.max_temporal,
        reason="" if is_sound or given is None else given.reason.value,
        bitrate_bps=0 if stream is None else stream.bitrate_bps,
        loss=0.0 if stream is None else subscription.fraction_lost,
    )
