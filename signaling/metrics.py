"""Metrics of the web process, in a registry of its own; the media process' samples are added when read."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter as Counts
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from conference.model.media import Kind
from conference.model.program import ProgramState
from conference.model.quality import FAIR
from conference.model.transcript import CaptionState
from conference.services.catching_up import CatchingUp
from conference.services.disk_watch import DiskWatch
from conference.services.insight import Insight
from conference.services.ports import Relay
from conference.services.programs import Programs
from conference.services.rooms import Rooms
from conference.services.transcription import Transcription
from signaling.http.connections import Connections
from signaling.http.crowd import Crowd
from signaling.shared_watch import GONE, OK, SharedWatch
from signaling.tls.certificate import Certificate
from signaling.tls.port import TlsPort

_LAG_INTERVAL_S = 0.5
_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^\n{}]*\})?$")
_QUALITY_QUANTILES = (0.0, 0.1, 0.5)  # of what should be high the low end counts
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """Counters that the doors of the web process count with."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.http_requests = Counter(
            "yuanshang_http_requests_total",
            "HTTP requests.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self.socket_events = Counter(
            "yuanshang_socket_events_total",
            "Socket.IO requests from clients.",
            ["event"],
            registry=self.registry,
        )
        self.socket_errors = Counter(
            "yuanshang_socket_errors_total",
            "Socket.IO requests refused, by code.",
            ["code"],
            registry=self.registry,
        )
        self.socket_malformed = Counter(
            "yuanshang_socket_malformed_total", "Frames that are not Socket.IO.", registry=self.registry
        )
        self.socket_overflows = Counter(
            "yuanshang_socket_overflows_total",
            "Sessions closed for reading too slowly.",
            registry=self.registry,
        )
        self.sessions_refused = Counter(
            "yuanshang_sessions_refused_total",
            "Sessions refused at the door, by code.",
            ["code"],
            registry=self.registry,
        )
        self.offer_answers = Counter(
            "yuanshang_offer_answers_total", "Answers to media offers.", ["result"], registry=self.registry
        )
        self.loop_lag = Histogram(
            "yuanshang_web_event_loop_lag_seconds",
            "How late a timer of the web process fires.",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def watch(self, rooms: Rooms) -> None:
        """Count rooms and participants whenever somebody reads."""
        self.registry.register(_RoomCollector(rooms))

    def watch_programs(self, programs: Programs, disk: DiskWatch) -> None:
        """How the programs fare, and the disk that they are kept on."""
        self.registry.register(_ProgramCollector(programs, disk))

    def watch_transcription(self, transcription: Transcription, catching_up: CatchingUp) -> None:
        """How captions fare, and how recognition keeps up."""
        self.registry.register(_TranscriptionCollector(transcription, catching_up))

    def watch_crowd(self, crowd: Crowd) -> None:
        """How many wait for the next piece of a livestream."""
        waiting = Gauge(
            "yuanshang_live_waiting",
            "Viewers, or proxies, that wait for the next piece of a livestream.",
            registry=self.registry,
        )
        waiting.set_function(lambda: crowd.waiting)

    def watch_relay(self, relay: Relay) -> None:
        """Whether there is a relay for networks that let only TLS pass."""
        up = Gauge("yuanshang_relay_up", "1 while media can be relayed in TLS.", registry=self.registry)
        up.set_function(lambda: relay.health == "ok")

    def watch_shared_directory(self, watch: SharedWatch) -> None:
        """Whether the directory that servers share is there."""
        up = Gauge(
            "yuanshang_shared_dir_up", "1 while the shared directory can be used.", registry=self.registry
        )
        up.set_function(lambda: watch.state != GONE)
        odd = Gauge(
            "yuanshang_shared_dir_odd",
            "1 while another server has another directory, or its locks do not reach here.",
            registry=self.registry,
        )
        odd.set_function(lambda: watch.state not in (OK, GONE))

    def watch_connections(self, connections: Connections) -> None:
        """How many speak HTTP, and which were cut."""
        self.registry.register(_ConnectionCollector(connections))

    def watch_tls(self, port: TlsPort, certificate: Certificate | None) -> None:
        """What comes to the TLS port, and how long its certificate is good."""
        self.registry.register(_TlsCollector(port, certificate))

    def watch_quality(self, insight: Insight) -> None:
        """How well tracks are seen and heard, and by which ways they go."""
        self.registry.register(_QualityCollector(insight))

    async def measure_lag(self) -> None:
        """Observe the event loop's lag; runs until cancelled."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(_LAG_INTERVAL_S)
            self.loop_lag.observe(max(0.0, time.monotonic() - before - _LAG_INTERVAL_S))

    def render(self, media: Mapping[str, float]) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry) + "".join(_media_lines(media)).encode()


class _RoomCollector(Collector):
    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def collect(self) -> Iterable[Metric]:
        rooms = self._rooms.all()
        seats = [seat for room in rooms for seat in room.seats.values()]
        connected = sum(seat.lost_at_s is None for seat in seats)
        yield GaugeMetricFamily("yuanshang_rooms", "Rooms that somebody is in.", len(rooms))
        participants = GaugeMetricFamily(
            "yuanshang_participants", "Participants in all rooms.", labels=["connected"]
        )
        participants.add_metric(["true"], connected)
        participants.add_metric(["false"], len(seats) - connected)
        yield participants
        registry = self._rooms.registry
        if registry.is_shared:
            yield GaugeMetricFamily(
                "yuanshang_redis_up", "1 while the other nodes can be heard.", registry.is_up
            )
            elsewhere = registry.elsewhere().values()
            yield GaugeMetricFamily(
                "yuanshang_rooms_elsewhere", "Rooms that other nodes hold.", len(elsewhere)
            )
            yield GaugeMetricFamily(
                "yuanshang_participants_elsewhere",
                "Participants connected to other nodes.",
                sum(each.present for each in elsewhere),
            )
        listeners = sum(len(room.listeners) for room in rooms)
        yield GaugeMetricFamily("yuanshang_whep_sessions", "WHEP sessions in all rooms.", listeners)


class _QualityCollector(Collector):
    """Of the last look at each room, at most fifteen seconds ago."""

    def __init__(self, insight: Insight) -> None:
        self._insight = insight

    def collect(self) -> Iterable[Metric]:
        scores = GaugeMetricFamily(
            "yuanshang_track_quality",
            "How well tracks are received, 0 to 100.",
            labels=["room", "kind", "quantile"],
        )
        weak = GaugeMetricFamily(
            "yuanshang_tracks_weak", "Tracks received with a quality below 50.", labels=["room"]
        )
        played = GaugeMetricFamily(
            "yuanshang_playback_ratio",
            "Share of the time in which pictures stood or sound was made up: where the worst tenth begins.",
            labels=["room", "of"],
        )
        paths = GaugeMetricFamily(
            "yuanshang_media_paths",
            "Participants by the way that their media takes.",
            labels=["room", "path"],
        )
        ailing = GaugeMetricFamily(
            "yuanshang_participants_ailing",
            "Participants whose connection needs a look.",
            labels=["room", "grade"],
        )
        for room_id, look in self._insight.looks().items():
            tracks = [each for one in look.participants for each in one.tracks]
            for kind in Kind:
                known = sorted(
                    each.score for each in tracks if each.score is not None and each.track.kind is kind
                )
                for quantile in _QUALITY_QUANTILES if known else ():
                    value = known[int(quantile * (len(known) - 1))]
                    scores.add_metric([room_id, kind.value, str(quantile)], value)
            weak.add_metric([room_id], sum(each.score is not None and each.score < FAIR for each in tracks))
            for of, shares in (
                ("freeze", [each.freeze for each in tracks if each.freeze is not None]),
                ("concealed", [each.concealed for each in tracks if each.concealed is not None]),
            ):
                if shares:
                    played.add_metric([room_id, of], sorted(shares)[int(0.9 * (len(shares) - 1))])
            for path, count in Counts(one.path for one in look.participants).items():
                paths.add_metric([room_id, path.value], count)
            for grade, count in Counts(one.grade for one in look.participants if one.grade).items():
                ailing.add_metric([room_id, grade.value], count)
        yield from (scores, weak, played, paths, ailing)


class _ConnectionCollector(Collector):
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(
            "yuanshang_http_connections", "Connections that speak HTTP.", self._connections.count
        )
        cut = CounterMetricFamily(
            "yuanshang_http_connections_cut",
            "Connections that were closed at once, by reason.",
            labels=["reason"],
        )
        for reason, count in self._connections.cut.items():
            cut.add_metric([reason], count)
        yield cut


class _TlsCollector(Collector):
    def __init__(self, port: TlsPort, certificate: Certificate | None) -> None:
        self._port = port
        self._certificate = certificate

    def collect(self) -> Iterable[Metric]:
        sorted_ = CounterMetricFamily(
            "yuanshang_tls_port_connections", "Connections, by what they turned out to be.", labels=["kind"]
        )
        for kind, count in self._port.sorted.items():
            sorted_.add_metric([kind], count)
        yield sorted_
        if self._certificate is not None:
            yield GaugeMetricFamily(
                "yuanshang_tls_certificate_expires_seconds",
                "End of the certificate in use, in seconds since 1970.",
                self._certificate.expires_s,
            )


class _ProgramCollector(Collector):
    def __init__(self, programs: Programs, disk: DiskWatch) -> None:
        self._programs = programs
        self._disk = disk

    def collect(self) -> Iterable[Metric]:
        states = GaugeMetricFamily("yuanshang_programs", "Programs being made.", labels=["state"])
        families = {
            "level": ("yuanshang_program_load_level", "0 as it should be, up to 5: what is left out."),
            "fps": ("yuanshang_program_fps", "Pictures a second."),
            "core": ("yuanshang_program_core", "Share of one processor core."),
            "late_frames": ("yuanshang_program_late_frames", "Pictures that came late, as last said."),
        }
        gauges = {
            field: GaugeMetricFamily(name, text, labels=["consultation"])
            for field, (name, text) in families.items()
        }
        counts = Counts(dict.fromkeys(ProgramState, 0))
        for consultation_id, state, load in self._programs.loads():
            counts[state] += 1
            if load is not None:
                for field, gauge in gauges.items():
                    gauge.add_metric([consultation_id], getattr(load, field))
        for state, count in counts.items():
            states.add_metric([state.value], count)
        yield states
        yield from gauges.values()
        seen = self._disk.seen
        if seen is not None:
            yield GaugeMetricFamily(
                "yuanshang_disk_free_bytes", "Free for recordings and programs.", seen.free_bytes
            )
            yield GaugeMetricFamily("yuanshang_disk_low", "1 while desks are warned.", seen.warn)


class _TranscriptionCollector(Collector):
    def __init__(self, transcription: Transcription, catching_up: CatchingUp) -> None:
        self._transcription = transcription
        self._catching_up = catching_up

    def collect(self) -> Iterable[Metric]:
        states = GaugeMetricFamily("yuanshang_captions", "Rooms that are listened to.", labels=["state"])
        counts = Counts(dict.fromkeys(CaptionState, 0))
        counts.update(self._transcription.states())
        for state, count in counts.items():
            states.add_metric([state.value], count)
        yield states
        cases, jobs = self._catching_up.counts()
        yield GaugeMetricFamily(
            "yuanshang_transcripts_incomplete", "Consultations of which text may be missing.", cases
        )
        yield GaugeMetricFamily(
            "yuanshang_transcription_jobs", "Stretches being recognised from the recording.", jobs
        )
        load = self._transcription.load
        if load is not None:
            yield GaugeMetricFamily(
                "yuanshang_transcriber_streams", "Microphones that are recognised now.", load.streams
            )
            yield GaugeMetricFamily(
                "yuanshang_transcriber_lag_seconds", "How far the slowest is behind.", load.lag_ms / 1000
            )
            yield GaugeMetricFamily("yuanshang_transcriber_core", "Share of one processor core.", load.core)


def _media_lines(samples: Mapping[str, float]) -> Iterable[str]:
    """Samples grouped by name; a name that Prometheus would not take is left out."""
    grouped: dict[str, list[str]] = {}
    for sample, value in samples.items():
        match = _SAMPLE.match(sample)
        if match is not None:
            grouped.setdefault(match[1], []).append(f"{sample} {float(value)!r}\n")
    for name, lines in grouped.items():
        kind = "counter" if name.endswith("_total") else "gauge"
        yield f"# TYPE {name} {kind}\n"
        yield from lines
