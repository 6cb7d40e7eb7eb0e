"""All that is looked at, in the order in which it is told."""

from __future__ import annotations

import asyncio

from signaling.data_dir import DataDirectory
from signaling.doctor.certificate import look_at_certificate
from signaling.doctor.clock import look_at_clock
from signaling.doctor.databases import look_at_database, look_at_redis
from signaling.doctor.disk import look_at_disk
from signaling.doctor.findings import Finding
from signaling.doctor.keys import look_at_keys
from signaling.doctor.machine import look_at_machine, this_machine
from signaling.doctor.ports import look_at_ports
from signaling.doctor.programs import (
    look_at_encoders,
    look_at_fonts,
    look_at_models,
    look_at_relay,
    model_in_use,
)
from signaling.doctor.reach import look_at_reach
from signaling.doctor.running import find_running, look_at_server
from signaling.doctor.shared import look_at_shared_directory
from signaling.settings import Settings


async def examine(settings: Settings) -> list[Finding]:
    """Takes some seconds. Leaves everything as it was."""
    directory = DataDirectory.given(settings.data_dir, settings.shared_dir)
    running = await find_running(settings, directory)
    return [
        *look_at_server(running),
        *look_at_ports(settings, running),
        *await look_at_reach(settings, running),
        *look_at_certificate(settings),
        *await asyncio.to_thread(look_at_clock),
        *await look_at_database(settings, directory),
        *await look_at_redis(settings),
        *await look_at_shared_directory(settings, directory),
        *await look_at_keys(settings, directory),
        *await asyncio.to_thread(look_at_disk, settings),
        *look_at_machine(
            settings, this_machine(), is_running=running.is_ours, model_mb=_model_mb(settings, directory)
        ),
        *look_at_fonts(settings),
        *look_at_encoders(settings),
        *look_at_relay(settings),
        *look_at_models(settings, directory),
    ]


def _model_mb(settings: Settings, directory: DataDirectory) -> int:
    from transcription.models import size_bytes

    folder = model_in_use(settings, directory) if settings.captions else None
    return 0 if folder is None or not folder.is_dir() else max(1, size_bytes(folder) >> 20)
