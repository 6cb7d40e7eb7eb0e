"""The supervised processes for the heavy work of a node; each begins when there is something to do for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from conference.ingest.devices import OnvifDevices
from conference.ingest.supervisor import IngestSupervisor
from recording.hls.store import ProgramStores
from recording.program.supervisor import ProgramSupervisor
from recording.supervisor import RecorderSupervisor
from signaling.data_dir import DataDirectory
from signaling.network import announced_addresses
from signaling.settings import Settings
from transcription.second_pass_supervisor import SecondPassSupervisor
from transcription.supervisor import TranscriberSupervisor


@dataclass(frozen=True, slots=True)
class Children:
    """Whoever gave the stack closes them with it."""

    recorder: RecorderSupervisor
    stores: ProgramStores
    maker: ProgramSupervisor
    transcriber: TranscriberSupervisor
    second_listener: SecondPassSupervisor
    ingests: IngestSupervisor
    devices: OnvifDevices

    @classmethod
    def of(
        cls,
        settings: Settings,
        directory: DataDirectory,
        emblem: Path | None,
        stack: AsyncExitStack,
        require: Callable[[], None],
    ) -> Children:
        """As the settings say; `emblem` was read once to see that it can be. `require` raises OSError where files must
        not be written, because the directory is not the one that it should be."""
        reserve_bytes = settings.recording_reserve_mb << 20
        recorder = RecorderSupervisor(
            directory.recordings, directory.run, reserve_bytes=reserve_bytes, require=require
        )
        stack.push_async_callback(recorder.close)
        stores = ProgramStores(directory.program, is_shared=directory.shared is not None)
        maker = ProgramSupervisor(
            directory.program,
            directory.run,
            reserve_bytes=reserve_bytes,
            emblem=emblem,
            time_zone=settings.time_zone,
            take_fact=stores.take,
            require=require,
        )
        stack.push_async_callback(maker.close)
        transcriber = TranscriberSupervisor(
            directory.run,
            recordings=directory.recordings,
            models=directory.models,
            model=None if settings.speech_model is None else settings.speech_model.resolve(),
            engine=settings.speech_engine,
            streams=settings.caption_streams,
        )
        stack.push_async_callback(transcriber.close)
        second_listener = SecondPassSupervisor(
            directory.recordings,
            model=None if settings.second_pass_model is None else settings.second_pass_model.resolve(),
            engine=settings.second_pass_engine,
        )
        stack.push_async_callback(second_listener.close)
        ingests = IngestSupervisor(directory.run)
        stack.push_async_callback(ingests.close)
        devices = OnvifDevices(lambda: announced_addresses("0.0.0.0", ()))  # noqa: S104 — all of ours by IPv4
        return cls(recorder, stores, maker, transcriber, second_listener, ingests, devices)
