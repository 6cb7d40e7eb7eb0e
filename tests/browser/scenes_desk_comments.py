"""留言 at the desk, the chair's short list and the card in the room as named scenes.

python -m tests.browser.scenes_desk_comments FOLDER [SCENE …] [--screens phone,laptop]
"""

from __future__ import annotations

import argparse
import asyncio
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.browser.commenting import Public
from tests.browser.meeting import enter
from tests.browser.scenes import SCENES, Stage, gather_people
from tests.browser.scenes_floor import desk_url, take
from tests.browser.settled import present, reads
from tests.support.light_client import RoomClient

# As the mockup has them: how many, who, from where, what.
ASKED = (
    (23, "护工大姐", "柳塘街道", "护理员一个月两千出头，留不住人，待遇怎么解决？"),
    (14, "石桥小学退休教师", "石桥村", "互助点白天有人，晚上没人。能不能安排夜间巡访？"),
    (11, "在外打工的女儿", "", "农忙时能不能把父母送到镇上住半个月？"),
    (9, "杏林", "柳塘街道", "村里老人不会用手机，助餐点能不能接受现金？"),
    (6, "城关老街坊", "城关镇", "老房子没有电梯，能不能给楼道装扶手和坐凳？"),
    (3, "柳塘村民", "柳塘街道", "高龄津贴手机上认证太麻烦，能不能在村里办？"),
    (2, "南坪退休医生", "南坪镇", "乡镇卫生院能不能定期到养老院巡诊，配药也方便些？"),
    (1, "小周", "", "上门安装呼叫器，联系电话 13912340021"),
)
ENDINGS = ("", "。", "啊", "呢", "，谢谢")


async def asked(stage: Stage) -> tuple[Public, list[str]]:
    """A live session and a public that asks; the ids of who asked first, by group."""
    public = Public(stage.server, stage.consultation)
    await asyncio.to_thread(public.staff, "POST", "/start", None, "chair")
    first: list[str] = []
    for count, nickname, place, text in ASKED:
        for number in range(count):
            words = text + ENDINGS[number % len(ENDINGS)]
            made = await asyncio.to_thread(public.device().post, words, nickname, place or None)
            if number == 0:
                first.append(made)
    return public, first


def claim(stage: Stage, comment_id: str) -> None:
    """By another moderator."""
    token = stage.server.token(stage.consultation, "moderator", "刘审核")
    request = urllib.request.Request(
        f"{stage.server.url}/api/v1/consultations/{stage.consultation}/comments/{comment_id}/claim",
        method="POST",
        data=b"{}",
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    urllib.request.urlopen(request, timeout=10).close()


async def desk_comments(stage: Stage, query: str = "") -> None:
    """One group is another moderator's, one is proposed, one was held by the filter."""
    public, ids = await asked(stage)
    await asyncio.to_thread(claim, stage, ids[2])
    await asyncio.to_thread(public.staff, "POST", f"/comments/{ids[1]}/promote", {})
    token = stage.server.token(stage.consultation, "moderator", "陈审核")
    await stage.client.open(f"{stage.server.url}/desk/{stage.consultation}/comments{query}#token={token}")
    await present(stage.client, "comment-item", 6)


async def desk_comments_large(stage: Stage) -> None:
    await desk_comments(stage, "?size=large")


async def desk_comments_english(stage: Stage) -> None:
    await desk_comments(stage, "?lang=en")


async def desk_comments_held(stage: Stage) -> None:
    await desk_comments(stage)
    await stage.client.tap("queue-held")
    await present(stage.client, "comment-item")
    await reads(stage.client, "含联系方式，已暂缓")


async def desk_comments_reasons(stage: Stage) -> None:
    await desk_comments(stage)
    await stage.client.tap("comment-reject")
    await present(stage.client, "reasons")


async def desk_comments_done(stage: Stage) -> None:
    """Nothing waits."""
    public = Public(stage.server, stage.consultation)
    await asyncio.to_thread(public.staff, "POST", "/start", None, "chair")
    token = stage.server.token(stage.consultation, "moderator", "陈审核")
    await stage.client.open(f"{stage.server.url}/desk/{stage.consultation}/comments#token={token}")
    await reads(stage.client, "待审核的留言已处理完")


async def promoted(stage: Stage) -> None:
    """One is before the session and somebody has the floor to answer it, two are proposed."""
    public, ids = await asked(stage)
    token = stage.server.token(stage.consultation, "department", "市民政局")
    department = RoomClient(stage.server.url, token, receive=False)
    await department.connect()
    stage.people.append(department)
    for each in ids[:2]:
        await asyncio.to_thread(public.staff, "POST", f"/comments/{each}/promote", {})
    await asyncio.to_thread(public.staff, "POST", f"/comments/{ids[3]}/promote", {}, "chair")
    chair = RoomClient(
        stage.server.url, stage.server.token(stage.consultation, "chair", "刘主持"), receive=False
    )
    await chair.connect()
    stage.people.append(chair)
    await chair.request("floor.grant", {"participant_id": department.participant_id})


async def run_proposals(stage: Stage, query: str = "") -> None:
    await promoted(stage)
    await stage.client.open(desk_url(stage.server, stage.consultation, query))
    await present(stage.client, "proposal", 2)
    await reads(stage.client, "市民政局回应中")


async def run_proposals_large(stage: Stage) -> None:
    await run_proposals(stage, "?size=large")


async def room_promotion(stage: Stage, query: str = "") -> None:
    """The card, or where there is no place for it the sign that opens it."""
    await gather_people(stage)
    await promoted(stage)
    await stage.client.open(stage.url("member", "陈委员", query=query))
    await enter(stage.client)
    shown = "() => document.querySelectorAll('[data-testid^=\"promotion-c\"]').length"
    await stage.client.wait_until(lambda: stage.client.evaluate(shown), bool, what="shows what is promoted")


async def room_promotion_large(stage: Stage) -> None:
    await room_promotion(stage, "?size=large")


DESK_COMMENT_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "desk-comments": desk_comments,
    "desk-comments-large": desk_comments_large,
    "desk-comments-english": desk_comments_english,
    "desk-comments-held": desk_comments_held,
    "desk-comments-reasons": desk_comments_reasons,
    "desk-comments-done": desk_comments_done,
    "run-proposals": run_proposals,
    "run-proposals-large": run_proposals_large,
    "room-promotion": room_promotion,
    "room-promotion-large": room_promotion_large,
}
SCENES.update(DESK_COMMENT_SCENES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scenes", nargs="*", default=list(DESK_COMMENT_SCENES))
    parser.add_argument("--screens", default="phone,laptop")
    options = parser.parse_args()
    asyncio.run(take(options.folder, options.scenes, options.screens.split(",")))


if __name__ == "__main__":
    main()
