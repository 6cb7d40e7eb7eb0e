"""Rows of cameras, on every database."""

from __future__ import annotations

from dataclasses import replace

from conference.model.audit import CLI, AuditEntry
from conference.model.camera import Camera, CameraTransport
from conference.model.consultation import Consultation, Mode, Status
from conference.storage.database import Database


def camera(camera_id: str, venue_id: str, position: int) -> Camera:
    return Camera(
        id=camera_id,
        consultation_id="c",
        venue_id=venue_id,
        position=position,
        label="主席台",
        address="rtsp://h/***",
        sealed_address="sealed " * 200,
        has_password=True,
        transport=CameraTransport.UDP,
        with_sound=False,
        is_main=position == 1,
        enabled=True,
        created_at_ms=7,
    )


async def test_cameras_come_by_venue_and_position_without_those_that_were_removed(database: Database) -> None:
    kept = [camera("m_3", "v_2", 1), camera("m_2", "v_1", 2), camera("m_1", "v_1", 1)]
    async with database.transaction() as unit:
        await unit.consultations.add(
            Consultation("c", "协商会", Status.SCHEDULED, Mode.FREE, True, False, True, 1)
        )
        assert await unit.cameras.next_position("v_1") == 1
        await unit.cameras.save(kept)
        await unit.audit.append(AuditEntry("c", 1, None, CLI, "a", None, {}))
    async with database.transaction() as unit:
        assert await unit.cameras.of("c") == [kept[2], kept[1], kept[0]]
        assert await unit.cameras.of("other") == []
        await unit.cameras.save([kept[1].retired(9), replace(kept[2], label="全景", is_main=False)])
        await unit.audit.append(AuditEntry("c", 1, None, CLI, "a", None, {}))
    async with database.reading() as unit:
        assert [(each.id, each.label) for each in await unit.cameras.of("c")] == [
            ("m_1", "全景"),
            ("m_3", "主席台"),
        ]
        assert await unit.cameras.next_position("v_1") == 3
        assert await unit.cameras.get("m_2") == kept[1].retired(9)
        assert await unit.cameras.get("m_none") is None
