"""Counts of the media process under the names that /metrics shows (Prometheus)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from conference.net.doors import Doors
from conference.net.tcp_mux import TcpMux
from conference.net.udp_mux import UdpMux
from conference.sfu.counters import Counters
from conference.sfu.room import Room

_QUANTILES = (0.5, 0.9, 0.99)
_LOW_QUANTILES = (0.1, 0.5, 0.9)  # of what may be sent the little counts


def collect(rooms: Collection[Room], doors: Doors, counters: Counters, loop_lag_s: float) -> dict[str, float]:
    """One value a sample; sizes in bytes, times in seconds, loss as a share of 1."""
    participants = [participant for room in rooms for participant in room.participants.values()]
    subscribers = [one.subscriber for one in participants if one.subscriber is not None]
    publishers = [one.publisher for one in participants if one.publisher is not None]
    publications = [track for one in participants for track in one.publications.values()]
    sockets: list[UdpMux | TcpMux] = [*doors.udp, *doors.tcp]
    values: dict[str, float] = {
        "yuanshang_media_participants": len(participants),
        "yuanshang_media_rooms": len({id(room) for room in rooms}),
        "yuanshang_media_publications": len(publications),
        "yuanshang_media_subscriptions": sum(len(track.subscriptions) for track in publications),
        "yuanshang_media_packets_received_total": sum(m.received for m in sockets),
        "yuanshang_media_bytes_received_total": sum(m.received_bytes for m in sockets),
        "yuanshang_media_packets_sent_total": sum(m.batch.sent for m in doors.udp)
        + sum(m.sent for m in doors.tcp),
        "yuanshang_media_bytes_sent_total": sum(m.batch.sent_bytes for m in doors.udp),
        "yuanshang_media_nacks_received_total": counters.nacks_received,
        "yuanshang_media_nacks_sent_total": counters.nacks_sent,
        "yuanshang_media_packets_resent_total": counters.packets_resent,
        "yuanshang_media_packets_recovered_total": counters.packets_recovered,
        "yuanshang_media_plis_received_total": counters.plis_received,
        "yuanshang_media_plis_sent_total": counters.plis_sent,
        "yuanshang_media_unsupported_codec_total": counters.unsupported_codec,
        "yuanshang_media_handshakes_failed_total": counters.handshakes_failed,
        "yuanshang_media_taps": sum(len(room.taps) for room in rooms),
        "yuanshang_media_feeds": sum(len(room.fed) for room in rooms),
        "yuanshang_media_tap_dropped_total": counters.tap_dropped,
        "yuanshang_media_loop_lag_seconds": loop_lag_s,
        "yuanshang_media_addresses": len(doors.directory.by_address),
        "yuanshang_media_ufrags": len(doors.directory.by_ufrag),
        "yuanshang_media_tcp_connections": sum(listener.connections for listener in doors.tcp),
        "yuanshang_media_transports": len(subscribers) + len(publishers),
    }
    for room in rooms:
        _add_room(values, room)
    for reason, count in counters.drops.items():
        values[f'yuanshang_media_drops_total{{reason="{reason}"}}'] = count
    values['yuanshang_media_drops_total{reason="socket_full"}'] = sum(m.batch.dropped for m in doors.udp)
    _add_quantiles(values, "yuanshang_media_rtt_seconds", [s.rtt_s() for s in subscribers])
    _add_quantiles(
        values, "yuanshang_media_loss_ratio", [s.worst_loss() for s in subscribers], 'direction="downlink"'
    )
    _add_quantiles(
        values, "yuanshang_media_loss_ratio", [p.worst_loss() for p in publishers], 'direction="uplink"'
    )
    return values


def _add_room(values: dict[str, float], room: Room) -> None:
    """What the receivers of a room are sent: pictures by layer and by why, and how much could be sent to them."""
    reports = room.reports()
    layers = Counter(
        "none" if subscription.layer is None else subscription.layer or "only"
        for participant in room.participants.values()
        for publication in participant.publications.values()
        if publication.kind == "video"
        for subscription in publication.subscriptions
    )
    reasons = Counter(given.reason.value for report in reports for given in report.given.values())
    for layer, count in layers.items():
        values[f'yuanshang_media_pictures{{room="{room.id}",layer="{layer}"}}'] = count
    for reason, count in reasons.items():
        values[f'yuanshang_media_tiles{{room="{room.id}",reason="{reason}"}}'] = count
    values[f'yuanshang_media_sound_only{{room="{room.id}"}}'] = sum(report.sound_only for report in reports)
    known = [report.available_bps for report in reports if report.available_bps is not None]
    if known:
        _add_quantiles(values, "yuanshang_media_available_bps", known, f'room="{room.id}"', _LOW_QUANTILES)


def _add_quantiles(
    values: dict[str, float],
    name: str,
    samples: Sequence[float],
    label: str = "",
    quantiles: Sequence[float] = _QUANTILES,
) -> None:
    ordered = sorted(samples)
    label = f",{label}" if label else ""
    for quantile in quantiles:
        value = ordered[min(len(ordered) - 1, int(quantile * len(ordered)))] if ordered else 0.0
        values[f'{name}{{quantile="{quantile}"{label}}}'] = value
