"""The public's comments as named scenes: beside the livestream, one's own, paused, after the end; and the answers.

python -m tests.browser.scenes_comments FOLDER [SCENE …] [--screens phone,laptop]
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.browser.airing import reaches
from tests.browser.commenting import WRITTEN, Public, shows, write
from tests.browser.scenes import SCENES, Stage
from tests.browser.scenes_floor import take
from tests.browser.scenes_live import on_air, watched
from tests.browser.settled import present, reads

MINE = "希望护理员培训能开到乡镇，培训补贴按时发。"


async def commented(stage: Stage, query: str = "", screen: str = "comment-item") -> Public:
    """On the air; the public wrote, and one of it was put to the session."""
    airing = await on_air(stage)
    public = Public(stage.server, stage.consultation)
    ids = await asyncio.to_thread(public.wrote, *WRITTEN)
    await asyncio.to_thread(public.device().post, WRITTEN[-1][2], "河边人家")
    await asyncio.to_thread(public.staff, "POST", f"/comments/{ids[-1]}/promote", {}, "chair")
    for device in (public.device(), public.device()):
        await asyncio.to_thread(device.call, "POST", f"/comments/{ids[1]}/like")
    await watched(stage, airing, query)
    await present(stage.client, screen, 2)
    return public


async def comments(stage: Stage, query: str = "") -> None:
    await commented(stage, query)
    await write(stage.client, MINE)
    await shows(stage.client, MINE, "pending")


async def comments_large(stage: Stage) -> None:
    await comments(stage, "?size=large")


async def comments_english(stage: Stage) -> None:
    await comments(stage, "?lang=en")


async def comments_writing(stage: Stage, query: str = "") -> None:
    await commented(stage, query)
    await stage.client.fill("comment-input", MINE)


async def comments_writing_large(stage: Stage) -> None:
    await comments_writing(stage, "?size=large")


async def comments_own(stage: Stage, query: str = "") -> None:
    """One on its way without a network, one received, one shown, one turned down."""
    public = await commented(stage, query)
    for text, decision in (
        ("请打我电话 13800138000 详谈", "reject"),
        ("晚上有人巡访吗？", "approve"),
        (MINE, ""),
    ):
        await write(stage.client, text)
        made = await shows(stage.client, text, "pending")
        if decision:
            await asyncio.to_thread(public.decide, made["id"], decision)
    await stage.client.page.route("**/comments", lambda route: route.abort())
    await write(stage.client, "适老改造补贴能不能先装后补？")
    await stage.client.tap("tab-mine")
    await shows(stage.client, "晚上有人巡访吗？", "approved")
    await shows(stage.client, "请打我电话 13800138000 详谈", "rejected")
    await shows(stage.client, "适老改造补贴能不能先装后补？", "sending", says="网络不稳")


async def comments_own_large(stage: Stage) -> None:
    await comments_own(stage, "?size=large")


async def comments_replay(stage: Stage) -> None:
    airing = await on_air(stage)
    public = Public(stage.server, stage.consultation)
    await asyncio.to_thread(public.wrote, *WRITTEN)
    await watched(stage, airing)
    await airing.post("end")
    await reaches(stage.client, "replay", timeout_s=60)
    await stage.client.fill("comment-input", MINE)


async def comments_text(stage: Stage) -> None:
    await commented(stage)
    await stage.client.open(f"{stage.server.url}/live/{stage.consultation}?text=1")
    await present(stage.client, "text-page")
    await stage.client.tap("tab-comments")
    await present(stage.client, "comment-item", 2)


async def answering(stage: Stage) -> Public:
    """One put to the session and answered, one answered besides, two in hand."""
    public = Public(stage.server, stage.consultation)
    await asyncio.to_thread(public.staff, "POST", "/start", None, "chair")
    ids = await asyncio.to_thread(public.wrote, *WRITTEN)
    await asyncio.to_thread(public.device().post, WRITTEN[3][2], "河边人家")
    await asyncio.to_thread(public.staff, "POST", f"/comments/{ids[3]}/promote", {}, "chair")
    cash = (
        "可以用现金，也可以刷社保卡。行动不便的由村助餐员送餐，每份补贴两元，明年一月起覆盖全部 94 个行政村。"
    )
    await asyncio.to_thread(public.answered, ids[3], cash)
    await asyncio.to_thread(public.answered, ids[2], ANSWER)
    await asyncio.to_thread(public.assigned, ids[0], "市民政局")
    await asyncio.to_thread(public.assigned, ids[1], "市财政局")
    return public


ANSWER = "可拨打 12345 或联系村互助点登记，两个工作日内上门检修，不收费用。"


async def comments_answered(stage: Stage, query: str = "") -> None:
    public = await answering(stage)
    await stage.client.open(f"{stage.server.url}/live/{stage.consultation}{query}")
    await write(stage.client, MINE)
    mine = (await shows(stage.client, MINE, "pending"))["id"]
    await asyncio.to_thread(public.decide, str(mine), "approve")
    await asyncio.to_thread(public.answered, str(mine), "明年起培训班每季度开到乡镇一次。")
    await stage.client.open(f"{stage.server.url}/live/{stage.consultation}{query}")
    await stage.client.tap("tab-mine")
    await shows(stage.client, MINE, "answered", says="每季度")
    if stage.client.page.viewport_size and stage.client.page.viewport_size["width"] > 900:
        await stage.client.tap("tab-comments")
        await shows(stage.client, WRITTEN[2][2], "answered", says=ANSWER)


async def comments_answered_large(stage: Stage) -> None:
    await comments_answered(stage, "?size=large")


async def answers(stage: Stage, query: str = "") -> None:
    await answering(stage)
    await stage.client.open(f"{stage.server.url}/answers/{stage.consultation}{query}")
    await present(stage.client, "response-item", 2)


async def answers_large(stage: Stage) -> None:
    await answers(stage, "?size=large")


async def answers_pending(stage: Stage) -> None:
    await answers(stage)
    await stage.client.page.get_by_role("radio", name="办理中 2").click()
    await reads(stage.client, "市财政局")


COMMENT_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "comments": comments,
    "comments-large": comments_large,
    "comments-english": comments_english,
    "comments-writing": comments_writing,
    "comments-writing-large": comments_writing_large,
    "comments-own": comments_own,
    "comments-own-large": comments_own_large,
    "comments-replay": comments_replay,
    "comments-text": comments_text,
    "comments-answered": comments_answered,
    "comments-answered-large": comments_answered_large,
    "answers": answers,
    "answers-large": answers_large,
    "answers-pending": answers_pending,
}
SCENES.update(COMMENT_SCENES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scenes", nargs="*", default=list(COMMENT_SCENES))
    parser.add_argument("--screens", default="phone,laptop")
    options = parser.parse_args()
    asyncio.run(take(options.folder, options.scenes, options.screens.split(",")))


if __name__ == "__main__":
    main()
