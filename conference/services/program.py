"""Program time of every live consultation: where it stands now, and how it goes on after a restart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from conference.clock import Clock
from conference.model.audit import SYSTEM, AuditEntry, Value
from conference.model.consultation import Consultation, ProgramGap
from conference.model.program_time import ProgramClock
from conference.services.ports import Storage


class ProgramTimes:
    """One clock per live consultation. A consultation that ended keeps the time at which it did."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._clocks: dict[str, ProgramClock] = {}

    def now_ms(self, consultation: Consultation) -> int | None:
        """Program time, or None before the room went live."""
        if consultation.is_running:
            return self._clock_of(consultation).at(self._clock.monotonic())
        return consultation.program_high_water_ms if consultation.started_at_ms is not None else None

    def _clock_of(self, consultation: Consultation) -> ProgramClock:
        clock = self._clocks.get(consultation.id)
        if clock is None:
            clock = self._clocks[consultation.id] = self._resumed(consultation)
        return clock

    def _resumed(self, consultation: Consultation) -> ProgramClock:
        wall_ms = self._clock.wall_ms()
        return ProgramClock.resumed(
            started_at_ms=wall_ms if consultation.started_at_ms is None else consultation.started_at_ms,
            high_water_ms=consultation.program_high_water_ms,
            wall_ms=wall_ms,
            monotonic_s=self._clock.monotonic(),
        )

    def forget(self, consultation_id: str) -> None:
        """The consultation ended, or begins anew."""
        self._clocks.pop(consultation_id, None)

    async def restore(self, chosen: Callable[[str], bool] = lambda _: True) -> None:
        """After a start: go on with every live consultation and list the outage as a gap."""
        clocks: dict[str, ProgramClock] = {}  # they run once the gaps are written
        async with self._storage.transaction() as unit:
            for stored in await unit.consultations.live():
                if not chosen(stored.id):
                    continue
                # A line is newer than the last heartbeat: after it time may not go on from before it.
                said_ms = await unit.audit.reached_ms(stored.id, stored.rehearsed_line)
                reached_ms = max(stored.program_high_water_ms, said_ms or 0)
                await unit.consultations.raise_high_water({stored.id: reached_ms})
                consultation = replace(stored, program_high_water_ms=reached_ms)
                clocks[stored.id] = self._resumed(consultation)
                resumed_at_ms = clocks[stored.id].base_ms
                if resumed_at_ms > consultation.program_high_water_ms:
                    gap = ProgramGap(consultation.id, consultation.program_high_water_ms, resumed_at_ms)
                    await unit.consultations.add_gap(gap)
                    between: dict[str, Value] = {"from_ms": gap.from_ms, "to_ms": gap.to_ms}
                    now_ms = self._clock.wall_ms()
                    await unit.audit.append(
                        AuditEntry(
                            consultation.id,
                            now_ms,
                            gap.to_ms,
                            SYSTEM,
                            "program.gap",
                            consultation.id,
                            between,
                        )
                    )
        self._clocks.update(clocks)

    def marks(self) -> dict[str, int]:
        """How far each running clock has come: what is persisted as the high-water mark."""
        now_s = self._clock.monotonic()
        return {consultation_id: clock.at(now_s) for consultation_id, clock in self._clocks.items()}
