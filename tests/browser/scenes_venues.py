"""会场 as scenes: how venues fare is said between server and page, their pictures are real.

python -m tests.browser.screenshots FOLDER venues venues-side …
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import Route

from tests.browser.scenes import SCENES, Stage
from tests.browser.settled import present, reads
from tests.support.light_client import RoomClient, VideoSource
from tests.support.media import vp8_clip

LARGE = "?size=large"
MINUTE_MS = 60_000
ITEMS = (
    "camera", "light", "microphone", "loudspeaker", "echo", "network", "clock", "projection", "nameplate",
)  # fmt: skip
FAULTS = {"echo": ["some_echo"], "network": ["thin_up"], "light": ["dark"]}


def now_ms() -> int:
    return int(time.time() * 1000)


def checked(by: str, minutes_ago: int, **verdicts: str) -> dict[str, Any]:
    items = [
        {
            "item": each,
            "verdict": verdicts.get(each, "passed"),
            "faults": FAULTS.get(each, []) if each in verdicts else [],
        }
        for each in ITEMS
    ]
    return {
        "id": f"pc_{by}",
        "number": 1,
        "by": by,
        "ended_wall_ms": now_ms() - minutes_ago * MINUTE_MS,
        "verdict": "warning" if verdicts else "passed",
        "items": items,
    }


def venue(vid: str, name: str, place: str, operator: str, **more: Any) -> dict[str, Any]:
    return {
        "venue_id": vid,
        "name": name,
        "kind": "branch",
        "place": place,
        "operator_name": operator,
        "prepared": True,
        "verdict": "ok",
        "reason": "well",
        "value": None,
        "count": 0,
        "since_ms": now_ms() - 40 * MINUTE_MS,
        "need": 0,
        "steps": [],
        "participant_ids": [f"p_{vid}"],
        "picture_id": None,
        "people": 0,
        "uplink_bps": 6_100_000,
        "uplink_loss": 0.004,
        "rtt_ms": 38,
        "path": "udp",
        "cameras": [],
        "checked": checked(operator, 110),
        **more,
    }


def minutes(bps: int, loss: float, *, worse: bool = False) -> list[dict[str, Any]]:
    """An hour; the last six minutes are worse."""
    found = []
    for n in range(60):
        wave = 1 + 0.06 * math.sin(n / 3)
        late = worse and n >= 50
        share = loss * wave if not late else loss + (0.062 - loss) * (n - 49) / 10
        rate = round(bps * wave) if not late else round(bps * (0.9 - (n - 49) * 0.07))
        found.append(
            {
                "at_ms": now_ms() - (60 - n) * MINUTE_MS,
                "uplink_bps": rate,
                "loss": round(share, 4),
                "worst_loss": round(share, 4),
                "rtt_ms": 40,
            }
        )
    return found


def board() -> list[dict[str, Any]]:
    """As the mockup has it: one on a weak network, three that are well."""
    camera = {
        "id": "cm1",
        "label": "村口全景",
        "is_main": False,
        "state": "failed",
        "fault": "password_wrong",
    }
    weak = venue(
        "v3",
        "石桥村连线点",
        "村互助养老点",
        "丁会计",
        verdict="look",
        reason="uplink_loss",
        value=0.062,
        since_ms=now_ms() - 6 * MINUTE_MS,
        need=1,
        steps=["use_wire", "use_hotspot", "use_phone"],
        uplink_bps=600_000,
        uplink_loss=0.062,
        checked=checked("丁会计", 122, echo="warning", network="warning"),
        cameras=[camera],
    )
    return [
        venue("v1", "主会场", "市政协议事厅", "孙师傅", kind="main", uplink_bps=8_400_000, uplink_loss=0.001),
        venue("v2", "青禾县分会场", "县政协委员之家", "马干事", checked=checked("马干事", 110, light="warning")),
        weak,
        venue(
            "v4", "柳塘街道连线点", "街道养老服务中心", "许干事", path="https_port", rtt_ms=62,
            uplink_bps=3_200_000, uplink_loss=0.003,
        ),
    ]  # fmt: skip


def cut_off() -> list[dict[str, Any]]:
    first, second, third, fourth = board()
    broken = {
        **third,
        "verdict": "act",
        "reason": "away",
        "need": 3,
        "steps": ["wait", "check_power", "use_phone"],
        "uplink_bps": None,
        "uplink_loss": None,
        "rtt_ms": None,
        "path": "none",
        "since_ms": now_ms() - 18_000,
        "picture_id": None,
    }
    return [first, second, broken, fourth]


def before() -> list[dict[str, Any]]:
    """Two days ahead: one has checked, one has failed, the others did not come yet."""
    nothing: dict[str, Any] = {
        "uplink_bps": None,
        "uplink_loss": None,
        "rtt_ms": None,
        "path": "none",
        "participant_ids": [],
    }
    away = {
        **nothing,
        "verdict": "absent",
        "reason": "not_here",
        "steps": ["call", "resend_link", "use_phone"],
    }
    first, second, third, fourth = board()
    failed: dict[str, Any] = {
        "verdict": "look",
        "reason": "precheck_failed",
        "count": 1,
        "need": 1,
        "steps": ["repeat_precheck", "call"],
        "checked": checked("丁会计", 15, network="failed", echo="warning"),
    }
    return [
        first,
        {**second, **away, "checked": None},
        {**third, **failed},
        {**fourth, **away, "checked": None},
    ]


async def answered(
    stage: Stage, items: list[dict[str, Any]], *, is_live: bool = True, then: int = 200
) -> None:
    """The page's first look gets these venues; with another status than 200, those after it a refusal."""
    looks = 0

    def hour(each: dict[str, Any]) -> list[dict[str, Any]]:
        if each["uplink_bps"] is None and each["reason"] != "away":
            return []
        return minutes(each["uplink_bps"] or 3_000_000, 0.004, worse=each["need"] > 0)

    async def all_of(route: Route) -> None:
        nonlocal looks
        looks += 1
        if looks > 1 and then != 200:
            body = {"type": "about:blank", "title": "", "status": then, "code": "other_node"}
            await route.fulfill(status=then, content_type="application/problem+json", body=json.dumps(body))
            return
        body = {
            "at_ms": now_ms(),
            "is_live": is_live,
            "items": [{**each, "minutes": hour(each)} for each in items],
            "others": {"well": 7, "weak": 1},
            "next": None,
        }
        await route.fulfill(content_type="application/json", body=json.dumps(body))

    async def one_of(route: Route) -> None:
        vid = route.request.url.split("/venues/")[1].split("/")[0]
        found = next((each for each in items if each["venue_id"] == vid), None)
        if found is None:
            await route.fallback()
            return
        events = [
            {"at_ms": now_ms() - 44 * MINUTE_MS, "verdict": None, "reason": None, "path": "https_port"},
            {"at_ms": now_ms() - 6 * MINUTE_MS, "verdict": "look", "reason": "uplink_loss", "path": None},
        ]
        body = {**found, "minutes": hour(found), "events": events if found["need"] else []}
        await route.fulfill(content_type="application/json", body=json.dumps(body))

    await stage.client.page.route("**/consultations/*/venues/health", all_of)
    await stage.client.page.route("**/consultations/*/venues/*/health", one_of)


async def with_pictures(stage: Stage, items: list[dict[str, Any]]) -> None:
    """The first venues show what people in the room send, who are not theirs: the server knows of no venue."""
    for number, each in enumerate(items[:3], start=2):
        person = RoomClient(
            stage.server.url, stage.server.token(stage.consultation, "member", each["name"]), receive=False
        )
        await person.connect()
        stage.people.append(person)
        picture = VideoSource(fps=15, frames=await asyncio.to_thread(vp8_clip, number))
        await person.publish([picture], names=["camera"])
        each["picture_id"] = person.participant_id


async def at_venues(stage: Stage, query: str = "") -> None:
    token = stage.server.token(stage.consultation, "secretariat", "刘秘书")
    await stage.client.open(f"{stage.server.url}/desk/{stage.consultation}/venues{query}#token={token}")


async def venues(stage: Stage, query: str = "") -> None:
    items = board()
    size = stage.client.page.viewport_size
    is_wide = size is not None and size["width"] > 860
    if is_wide:
        await with_pictures(stage, items)
    await answered(stage, items)
    await at_venues(stage, query)
    await present(stage.client, "venue-row", len(items))
    if is_wide:
        await present(stage.client, "venue-plot")
    if is_wide and not query:  # in large letters it stands below the list, out of sight
        live = stage.client.page.get_by_test_id("venue-live")
        await stage.client.wait_until(
            lambda: live.get_attribute("data-playing"), lambda on: on == "true", timeout_s=40, what="plays"
        )
    if is_wide:
        stills = stage.client.page.locator('[data-testid="venue-still"][data-still="true"]')
        await stage.client.wait_until(stills.count, lambda n: n == 3, timeout_s=40, what="stills are there")


async def venues_large(stage: Stage) -> None:
    await venues(stage, LARGE)


async def venues_side(stage: Stage, query: str = "") -> None:
    await answered(stage, board())
    await at_venues(stage, query)
    await present(stage.client, "venue-row", 4)
    await stage.client.page.get_by_role("button", name="打开石桥村连线点").click()
    await present(stage.client, "venue-plot")


async def venues_side_large(stage: Stage) -> None:
    await venues_side(stage, LARGE)


async def venues_cut(stage: Stage) -> None:
    await answered(stage, cut_off())
    await at_venues(stage)
    await reads(stage.client, "断线，正在等它回来")


async def venues_before(stage: Stage) -> None:
    await answered(stage, before(), is_live=False)
    await at_venues(stage)
    await reads(stage.client, "还没有进入")


async def venues_empty(stage: Stage) -> None:
    await at_venues(stage)
    await present(stage.client, "board-empty")


VENUE_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "venues": venues,
    "venues-large": venues_large,
    "venues-side": venues_side,
    "venues-side-large": venues_side_large,
    "venues-cut": venues_cut,
    "venues-before": venues_before,
    "venues-empty": venues_empty,
}
SCENES.update(VENUE_SCENES)
