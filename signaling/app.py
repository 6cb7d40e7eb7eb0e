"""The server: takes what a node needs in order, runs the web process, and gives everything back in reverse."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import structlog
from aiohttp import web

from conference.clock import SystemClock
from conference.media.pool import MediaPool
from conference.media.settings import MediaSettings
from conference.services.consultations import Consultations
from conference.services.passwords import Passwords
from conference.services.rooms import RoomLimits
from conference.services.staff import Staff
from recording.disk import DirectoryDisk
from signaling.auth.tokens import TokenKey
from signaling.children import Children
from signaling.composition import compose
from signaling.console import Ready
from signaling.data_dir import DataDirectory
from signaling.database import open_database
from signaling.demo import DemoStaff, demo_links, demo_staff
from signaling.descriptors import raise_descriptor_limit
from signaling.door import Door
from signaling.draining import Draining
from signaling.ephemeral import open_ephemeral
from signaling.health import media_answers
from signaling.http.connections import IDLE_S
from signaling.key_file import KeyFile
from signaling.key_ring import KeyRing
from signaling.network import announced_addresses
from signaling.reach import relay_of
from signaling.service_manager import ServiceManager
from signaling.settings import Settings
from signaling.shared_dir import open_shared
from signaling.shared_watch import STEP_S, SharedWatch
from signaling.start_error import StartError
from signaling.tasks import Background
from signaling.web_process import STOP_STEP_S

log = structlog.get_logger(__name__)

_DRAINING_S = 1.0


async def serve(settings: Settings, announce: Callable[[Ready], None]) -> None:
    """Run a server until SIGTERM or SIGINT; after SIGUSR1, until its rooms have ended."""
    raise_descriptor_limit()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    emblem = _emblem(settings)
    directory = DataDirectory.given(settings.data_dir, settings.shared_dir)
    directory.create()
    async with AsyncExitStack() as stack:
        manager = ServiceManager.of(os.environ)
        stack.callback(manager.close)
        stack.callback(directory.lock().release)
        door = Door(settings, directory.lan)
        stack.callback(door.release)
        key_file = None if settings.key_file is None else settings.key_file.resolve()
        ring = KeyRing(KeyFile(directory, key_file), SystemClock())
        directory.remember_key_file(key_file)
        key = TokenKey(ring)
        directory.remember_database(settings.database_url)
        database = open_database(directory, settings.database_url)
        stack.push_async_callback(database.close)
        try:
            await database.migrate()
            await database.require_writable()
        except OSError as error:
            raise StartError(f"the database does not answer: {error}") from error
        shared = await open_shared(directory, database)
        directory.remember_shared()
        ephemeral = open_ephemeral(settings, SystemClock(), door.port, lambda: ring.key_set.fingerprint)
        stack.push_async_callback(ephemeral.close)
        watch = None
        if shared is not None:
            watch = SharedWatch(shared, ephemeral.registry)
            stack.callback(watch.close)
            await watch.tick()  # it is known to run on the directory before it is known to run
        limits = RoomLimits(max_participants=settings.max_participants)
        media = MediaPool(_media_settings(settings, limits, door.shared_port), settings.media_processes)
        stack.push_async_callback(media.close)
        media_ports = await media.start()
        relay = None
        if door.certificate is not None:
            relay = relay_of(
                settings,
                directory.relay,
                base_url=door.base_url,
                certificate=door.given,
                media_ports=media_ports,
                clock=SystemClock(),
            )
        if relay is not None:
            stack.push_async_callback(relay.close)
            await relay.start()
        children = Children.of(
            settings, directory, emblem, stack, require=shared.require if shared is not None else lambda: None
        )
        async with asyncio.TaskGroup() as group:
            background = Background(group)
            process = compose(
                settings=settings,
                ring=ring,
                database=database,
                media=media,
                recorder=children.recorder,
                maker=children.maker,
                transcriber=children.transcriber,
                second_listener=children.second_listener,
                ingests=children.ingests,
                devices=children.devices,
                stores=children.stores,
                disk=DirectoryDisk(directory.stock),
                shared_dir=shared,
                watch=watch,
                background=background,
                clock=SystemClock(),
                limits=limits,
                ephemeral=ephemeral,
                lan_ca=None if door.lan is None else door.lan.ca_pem,
                relay=relay,
                certificate=door.certificate,
            )
            draining = Draining(process.rooms, stopping.set)
            loop.add_signal_handler(signal.SIGUSR1, draining.begin)
            background.every(_DRAINING_S, draining.tick)
            if watch is not None:
                background.every(STEP_S, watch.tick)
            links: dict[str, str] = {}
            staff: DemoStaff | None = None
            if settings.demo:
                staff = await demo_staff(Staff(database, Passwords(), SystemClock()), door.base_url)
                links = await demo_links(Consultations(database, SystemClock()), key, door.base_url)
            await process.run(background)
            runner = web.AppRunner(
                process.app, access_log=None, keepalive_timeout=IDLE_S, shutdown_timeout=STOP_STEP_S / 2
            )
            await runner.setup()
            assert runner.server is not None
            turn = None if relay is None else relay.client
            await door.open(runner.server, hand_over=media.hand_over, turn=turn, metrics=process.metrics)
            door.keep_certificate(background)
            gc.collect()
            gc.freeze()  # modules stay: going through them stops the event loop for 80 ms each time
            log.info("server.ready", url=door.base_url, media_ports=media_ports, pid=os.getpid())
            fingerprint = None if door.lan is None else door.lan.fingerprint
            announce(Ready(door.base_url, media_ports, os.getpid(), links, fingerprint, staff))
            manager.ready()
            if manager.is_waiting:
                background.keep(partial(manager.watch, partial(media_answers, media)))
            await stopping.wait()
            log.info("server.stopping")
            manager.stopping()
            await process.stop()
            await door.close()
            await runner.cleanup()
            background.cancel()
    log.info("server.stopped")


def _emblem(settings: Settings) -> Path | None:
    """Workers take the mark when they cannot read it: nobody would hear of that in time."""
    if settings.program_emblem is None:
        return None
    from recording.program.emblem import EmblemError, read_emblem  # with Pillow, for those who have one

    path = settings.program_emblem.resolve()
    try:
        read_emblem(path)
    except EmblemError as error:
        raise StartError(f"cannot use the emblem {path}: {error}") from error
    return path


def _media_settings(settings: Settings, limits: RoomLimits, shared_tcp_port: int) -> MediaSettings:
    return MediaSettings(
        host=settings.host,
        port=settings.media_port,
        addresses=announced_addresses(settings.host, settings.media_address),
        shared_tcp_port=shared_tcp_port,
        max_participants=limits.max_participants + limits.max_listeners,
        max_tracks=settings.max_tracks,
    )
