"""线路 as scenes: what the server would say of connections in trouble is said between server and page.

python -m tests.browser.screenshots FOLDER inspector inspector-side …
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import Route

from tests.browser.scenes import SCENES, Stage
from tests.browser.settled import present, reads

LARGE = "?size=large"
MEGA = 1_000_000


def found(finding: str, grade: str, value: float | None = None, count: int = 0, of: str | None = None) -> Any:
    return {"finding": finding, "grade": grade, "value": value, "count": count, "participant_id": of}


def camera(*layers: tuple[str, int, int, float, int]) -> Any:
    names = ("name", "width", "height", "fps", "bitrate_bps")
    return {
        "id": "v",
        "kind": "video",
        "source": "camera",
        "codec": "VP8",
        "bitrate_bps": sum(each[4] for each in layers),
        "silent_ms": 20,
        "is_open": True,
        "needed": ["q", "h", "f"],
        "layers": [dict(zip(names, each, strict=True)) for each in layers],
    }


def voice(is_open: bool = True) -> Any:
    return {
        "id": "a",
        "kind": "audio",
        "source": "microphone",
        "codec": "opus",
        "bitrate_bps": 32_000,
        "silent_ms": 20,
        "is_open": is_open,
        "needed": [""],
        "layers": [],
    }


def received(of: str, source: str, **more: Any) -> Any:
    is_sound = source in ("microphone", "screen_sound")
    return {
        "publication_id": f"{of}{source}",
        "participant_id": of,
        "kind": "audio" if is_sound else "video",
        "source": source,
        "state": "active",
        "layer": "" if is_sound else "h",
        "height": 0 if is_sound else 360,
        "shown_height": 0 if is_sound else 360,
        "best_height": 0 if is_sound else 720,
        "temporal": 2,
        "reason": "" if is_sound else "size",
        "bitrate_bps": 32_000 if is_sound else 500_000,
        "loss": 0.0,
        "freeze": None if is_sound else 0.0,
        "concealed": 0.0 if is_sound else None,
        "fps": None if is_sound else 25.0,
        "score": 100,
        **more,
    }


LAYERS = (("q", 320, 180, 15.0, 120_000), ("h", 640, 360, 25.0, 480_000), ("f", 1280, 720, 25.0, 1_400_000))


def person(pid: str, name: str | None, role: str | None, path: str = "udp", **more: Any) -> dict[str, Any]:
    connection = {"state": "connected", "path": path, "loss": 0.0}
    return {
        "id": pid,
        "name": name,
        "role": role,
        "venue": None,
        "kind": "client",
        "device": "laptop",
        "connected": True,
        "path": path,
        "uplink_loss": 0.001,
        "downlink_loss": 0.002,
        "rtt_ms": 24,
        "score": 98,
        "found": [],
        "uplink": connection,
        "downlink": connection,
        "uplink_bps": 2 * MEGA,
        "estimate_bps": 8 * MEGA,
        "delivered_bps": 3 * MEGA,
        "link": "normal",
        "sound_only": False,
        "pictures": 5,
        "sounds": 3,
        "hidden": 0,
        "lowered": 0,
        "largest_height": 720,
        "largest_fps": 25.0,
        "sends": [voice(), camera(*LAYERS)],
        "receives": None,
        **more,
    }


PEOPLE = (
    person("p1", "主会场", "venue_operator", uplink_bps=8_400_000),
    person(
        "p2",
        "石桥村连线点",
        "venue_operator",
        uplink_loss=0.118,
        downlink_loss=0.062,
        rtt_ms=148,
        score=41,
        estimate_bps=400_000,
        delivered_bps=310_000,
        link="full",
        lowered=2,
        pictures=1,
        sounds=2,
        hidden=26,
        largest_height=180,
        largest_fps=11.0,
        uplink_bps=600_000,
        sends=[voice(), camera(LAYERS[0], LAYERS[1])],
        found=[
            found("uplink_loss", "bad", 0.118),
            found("downlink_loss", "warn", 0.062),
            found("narrow", "warn", 400_000, 2),
            found("freezes", "warn", 0.08),
        ],
        receives=[
            received("p1", "microphone", loss=0.05, concealed=0.03, score=62),
            received(
                "p1", "camera", layer="q", height=180, reason="bandwidth", bitrate_bps=120_000, loss=0.06,
                freeze=0.08, fps=11.0, score=39,
            ),
            received("p4", "microphone", concealed=0.01, score=83),
            received("p4", "camera", layer=None, height=0, state="waiting", reason="bandwidth", score=0),
        ],
    ),
    person(
        "p3",
        "吴委员",
        "member",
        "relay",
        device="phone",
        rtt_ms=88,
        uplink_bps=900_000,
        largest_height=360,
        largest_fps=15.0,
        found=[found("over_relay", "note")],
    ),
    person("p4", "柳塘街道连线点", "venue_operator", "https_port", rtt_ms=62, found=[found("over_tcp", "note")]),
    person(
        "p5",
        "欧阳慧敏",
        "citizen",
        "none",
        device="phone",
        uplink=None,
        downlink=None,
        rtt_ms=None,
        score=None,
        estimate_bps=None,
        delivered_bps=None,
        uplink_bps=0,
        pictures=0,
        sounds=0,
        sends=[],
        uplink_loss=0.0,
        downlink_loss=0.0,
        found=[found("no_media", "bad")],
    ),
    person(
        "p6",
        "青禾县分会场",
        "venue_operator",
        found=[found("freezes", "bad", 0.22), found("sender", "warn", of="p2")],
        score=71,
    ),
    person(
        "w1", None, None, kind="whep", device=None, uplink=None, uplink_bps=0, sends=[], pictures=1, sounds=1
    ),
)  # fmt: skip


async def answered(stage: Stage, people: tuple[dict[str, Any], ...], *, then: int = 200) -> None:
    """The page's first look gets these people; with another status than 200, those after it a refusal."""
    looks = 0

    async def answer(route: Route) -> None:
        nonlocal looks
        looks += 1
        if looks > 1 and then != 200:
            body = {"type": "about:blank", "title": "", "status": then, "code": "media_unavailable"}
            await route.fulfill(status=then, content_type="application/problem+json", body=json.dumps(body))
            return
        body = {"at_ms": int(time.time() * 1000), "program_time_ms": None, "participants": list(people)}
        await route.fulfill(content_type="application/json", body=json.dumps(body))

    await stage.client.page.route("**/consultations/*/inspector*", answer)


async def at_inspector(stage: Stage, query: str = "") -> None:
    token = stage.server.token(stage.consultation, "secretariat", "刘秘书")
    await stage.client.open(f"{stage.server.url}/desk/{stage.consultation}/inspector{query}#token={token}")


async def inspector(stage: Stage, query: str = "") -> None:
    await answered(stage, PEOPLE)
    await at_inspector(stage, query)
    await present(stage.client, "inspected", len(PEOPLE))


async def inspector_large(stage: Stage) -> None:
    await inspector(stage, LARGE)


async def inspector_side(stage: Stage, query: str = "") -> None:
    await inspector(stage, query)
    await stage.client.page.get_by_role("button", name="石桥村连线点").click()
    await present(stage.client, "inspected-side")


async def inspector_side_large(stage: Stage) -> None:
    await inspector_side(stage, LARGE)


async def inspector_empty(stage: Stage) -> None:
    await at_inspector(stage)
    await present(stage.client, "inspector-empty")


async def inspector_trouble(stage: Stage) -> None:
    await answered(stage, PEOPLE, then=503)
    await at_inspector(stage)
    await present(stage.client, "inspector-trouble")
    await reads(stage.client, "下面是")


INSPECTOR_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "inspector": inspector,
    "inspector-large": inspector_large,
    "inspector-side": inspector_side,
    "inspector-side-large": inspector_side_large,
    "inspector-empty": inspector_empty,
    "inspector-trouble": inspector_trouble,
}
SCENES.update(INSPECTOR_SCENES)
