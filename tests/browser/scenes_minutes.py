"""记录 with transcript and minutes, and 我的发言, as named scenes.

python -m tests.browser.scenes_minutes FOLDER [SCENE …] [--screens phone,laptop]
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from conference.model.second_pass import SecondPass
from conference.model.transcript import TranscriptSegment
from tests.browser.scenes import SCENES, Stage
from tests.browser.scenes_floor import take
from tests.browser.settled import present, reads
from tests.browser.transcribed import CIVIL, LIN, SAID, Transcribed, missing, segments_of, speaking, spoken

LARGE: Final = "?size=large"
CASH_AT, SENT_AT = 3, 4
BY_HAND: Final = "助餐点可以用现金（张局长当场更正：八月起）"
DECISION: Final = "（一）助餐点保留现金支付。由市民政局负责。"


async def session_of(stage: Stage, *, over: bool = True) -> Transcribed:
    session = await asyncio.to_thread(Transcribed, stage.server, over=over)
    stage.consultation = session.cid
    return session


async def open_desk(stage: Stage, session: Transcribed, query: str = "") -> None:
    await stage.client.open(session.colleague("刘秘书", query))
    await present(stage.client, "transcript-segment")


def reworked(cid: str) -> list[TranscriptSegment]:
    """One is corrected, one is unclear, one is for the secretariat alone, one has better text to be taken."""
    found = segments_of(cid)
    found[2] = replace(
        found[2], text="刚才有一百二十六位网友问到助餐点的事，请民政局回应。", automatic=(), is_edited=True
    )
    found[5] = replace(found[5], is_unclear=True)
    found[6] = replace(found[6], is_confidential=True)
    found[7] = replace(found[7], proposal="目前持证上岗的，每人每月补贴三百元，由县级财政承担。")
    return found


async def open_text(stage: Stage, session: Transcribed, number: int) -> None:
    row = stage.client.page.locator(f'[data-id="{session.segments[number].id}"] [data-testid=segment-words]')
    await row.click()
    await present(stage.client, "segment-text")


async def minutes(stage: Stage, query: str = "") -> Transcribed:
    """An ended session, its summary begun, one segment open."""
    session = await session_of(stage)
    await asyncio.to_thread(lambda: session.keep(reworked(session.cid)))
    for kind in ("record", "summary"):
        await asyncio.to_thread(session.call, "POST", f"/minutes/{kind}")
    await open_desk(stage, session, query)
    await open_text(stage, session, CASH_AT)
    await present(stage.client, "is-edited")
    return session


async def minutes_large(stage: Stage) -> None:
    await minutes(stage, LARGE)


async def minutes_record(stage: Stage, query: str = "") -> None:
    """The record, on a telephone in the place of the words."""
    await minutes(stage, query)
    await to_minutes(stage)
    await stage.client.page.get_by_role("tab", name="会议记录").click()
    await reads(stage.client, "议程")


async def to_minutes(stage: Stage) -> None:
    side = stage.client.page.get_by_role("radio", name="纪要与记录")
    if await side.is_visible():
        await side.click()


async def minutes_record_large(stage: Stage) -> None:
    await minutes_record(stage, LARGE)


async def minutes_conflict(stage: Stage) -> None:
    """A colleague was faster."""
    session = await minutes(stage)
    await stage.client.page.keyboard.press("ControlOrMeta+A")
    await stage.client.page.keyboard.insert_text("助餐点可以用现金，也可以刷卡。")
    theirs = {"revision": 1, "text": "助餐点可以用现金，也可以刷社保卡和银行卡。"}
    path = f"/transcript/{session.segments[CASH_AT].id}"
    await asyncio.to_thread(session.call, "PATCH", path, theirs)
    await present(stage.client, "edit-conflict")


async def minutes_find(stage: Stage) -> None:
    await minutes(stage)
    await stage.client.page.keyboard.press("ControlOrMeta+H")
    await stage.client.fill("find-words", "助餐")
    await reads(stage.client, "找到")


async def minutes_gap(stage: Stage) -> None:
    """Nothing was recognised of what was recorded."""
    session = await session_of(stage, over=False)
    async with speaking(session):
        await missing(session, 5000)
    await asyncio.to_thread(session.call, "POST", "/end")
    await asyncio.to_thread(lambda: session.keep(agenda=False))
    await asyncio.to_thread(session.call, "POST", "/minutes/summary")
    await open_desk(stage, session)
    await present(stage.client, "transcript-gap")


async def minutes_approved(stage: Stage) -> None:
    await minutes(stage)
    await to_minutes(stage)
    await stage.client.tap("minutes-review")
    await stage.client.tap("minutes-approve")
    await present(stage.client, "minutes-frozen")


async def made_anew(stage: Stage, query: str = "") -> Transcribed:
    """A record that was written in by hand, and made anew when the transcript had changed."""
    session = await session_of(stage)
    await asyncio.to_thread(session.keep)

    def rewritten() -> None:
        made = session.call("POST", "/minutes/record")
        item = next(each for each in made["sections"] if "助餐点可以用现金" in each["text"])
        sections = [
            {"key": item["key"], "text": item["text"].replace("助餐点可以用现金", BY_HAND)},
            {"key": "decisions", "text": DECISION},
        ]
        path = f"/minutes/{made['id']}"
        made = session.call("PATCH", path, {"revision": made["revision"], "sections": sections})
        corrected(session)
        session.call("POST", "/minutes/record", {"revision": made["revision"]})

    await asyncio.to_thread(rewritten)
    await open_desk(stage, session, query)
    await to_minutes(stage)
    await stage.client.page.get_by_role("tab", name="会议记录").click()
    await reads(stage.client, "议程")
    return session


def corrected(session: Transcribed) -> None:
    """Somebody corrects a segment."""
    segment = session.segments[SENT_AT]
    shown = session.call("GET", f"/transcript/{segment.id}")
    body = {"revision": shown["revision"], "text": f"{shown['text']}每份补贴两元。"}
    session.call("PATCH", f"/transcript/{segment.id}", body)


async def minutes_earlier(stage: Stage, query: str = "") -> None:
    """早前的文本: what was written by hand, beside what took its place."""
    await made_anew(stage, query)
    await stage.client.tap("minutes-earlier")
    await present(stage.client, "earlier-take")


async def minutes_earlier_large(stage: Stage) -> None:
    await minutes_earlier(stage, LARGE)


async def minutes_earlier_none(stage: Stage) -> None:
    await minutes_record(stage)
    await stage.client.tap("minutes-earlier")
    await present(stage.client, "earlier-none")


async def minutes_outdated(stage: Stage) -> None:
    """A record that is older than the transcript."""
    session = await made_anew(stage)
    await asyncio.to_thread(corrected, session)
    await stage.client.page.reload()
    await present(stage.client, "transcript-segment")
    await to_minutes(stage)
    await stage.client.page.get_by_role("tab", name="会议记录").click()
    await present(stage.client, "minutes-outdated")


async def minutes_empty(stage: Stage) -> None:
    session = await session_of(stage)
    await stage.client.open(session.colleague("刘秘书"))
    await present(stage.client, "transcript-empty")


async def second_pass(stage: Stage, query: str = "") -> None:
    """The recording was heard again: what that proposes stands beside the texts."""
    session = await session_of(stage)
    better = {
        1: "全市有助餐点三百二十个，覆盖百分之六十的村。",
        3: "助餐点可以用现金，也可以刷社保卡和银行卡。",
        7: "目前持证上岗的，每人每月补贴三百元，由县级财政承担。",
    }
    segments = segments_of(session.cid)
    for number, text in better.items():
        segments[number] = replace(segments[number], proposal=text)
    run = SecondPass(
        session.cid, "node", "faster-whisper", "刘秘书", 1, total=8, done=8, unheard=1, proposals=3
    )
    await asyncio.to_thread(lambda: session.keep(segments))
    await asyncio.to_thread(lambda: session.heard_again(run.ended(2)))
    await open_desk(stage, session, query)
    await reads(stage.client, "3 段有建议文字")
    await stage.client.tap("next-proposal")
    await present(stage.client, "segment-proposal")


async def second_pass_failed(stage: Stage) -> None:
    """It broke off too often: why, what is kept, and what can be done."""
    session = await session_of(stage)
    segments = segments_of(session.cid)
    segments[1] = replace(segments[1], proposal="全市有助餐点三百二十个，覆盖百分之六十的村。")
    run = SecondPass(session.cid, "node", "faster-whisper", "刘秘书", 1, total=8, done=5, proposals=1)
    await asyncio.to_thread(lambda: session.keep(segments))
    await asyncio.to_thread(lambda: session.heard_again(run.ended(2, "worker_ended")))
    await open_desk(stage, session)
    await reads(stage.client, "多次中断")


async def second_pass_taken(stage: Stage) -> None:
    """All was taken, and may be taken back."""
    await second_pass_all(stage)
    await stage.client.page.get_by_role("alertdialog").get_by_role("button", name="全部采用").click()
    await present(stage.client, "take-all-back")


async def second_pass_taken_back(stage: Stage) -> None:
    """All was taken and taken back: everything stands as it was proposed."""
    await second_pass_taken(stage)
    await stage.client.tap("take-all-back")
    await reads(stage.client, "3 段有建议文字")


async def second_pass_large(stage: Stage) -> None:
    await second_pass(stage, LARGE)


async def second_pass_all(stage: Stage) -> None:
    """All of it is to be taken: that is asked once more."""
    await second_pass(stage)
    await stage.client.tap("take-all")
    await reads(stage.client, "采用全部 3 段")


async def second_pass_off(stage: Stage) -> None:
    """This server has no model for it: how to switch it on."""
    session = await session_of(stage)
    await asyncio.to_thread(session.keep)
    await open_desk(stage, session)
    await stage.client.tap("second-pass-how")
    await present(stage.client, "second-pass-why")


async def own_speeches(stage: Stage, query: str = "") -> None:
    session = await session_of(stage, over=False)
    token = stage.server.token(session.cid, "member", LIN.name)
    async with speaking(session, token) as participant_id:
        (gap,) = await missing(session, 5000)
    await asyncio.to_thread(session.call, "POST", "/end")
    said = [
        replace(spoken(session.cid, number, who, gap["from_ms"] + at_ms, words), participant_id=whose)
        for number, (who, whose, at_ms, words) in enumerate(
            [(LIN, participant_id, 500, SAID[5][2]), (CIVIL, "p_other", 1500, SAID[3][2])]
        )
    ]
    await asyncio.to_thread(lambda: session.keep(said))
    await stage.client.open(f"{stage.server.url}/room/{session.cid}{query}#token={token}")
    await present(stage.client, "own-speech")


async def own_speeches_large(stage: Stage) -> None:
    await own_speeches(stage, LARGE)


async def shown(stage: Stage) -> None:
    await minutes(stage)


MINUTES_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "minutes": shown,
    "minutes-large": minutes_large,
    "minutes-record": minutes_record,
    "minutes-record-large": minutes_record_large,
    "minutes-conflict": minutes_conflict,
    "minutes-find": minutes_find,
    "minutes-gap": minutes_gap,
    "minutes-approved": minutes_approved,
    "minutes-earlier": minutes_earlier,
    "minutes-earlier-large": minutes_earlier_large,
    "minutes-earlier-none": minutes_earlier_none,
    "minutes-outdated": minutes_outdated,
    "minutes-empty": minutes_empty,
    "minutes-second-pass": second_pass,
    "minutes-second-pass-large": second_pass_large,
    "minutes-second-pass-all": second_pass_all,
    "minutes-second-pass-off": second_pass_off,
    "minutes-second-pass-failed": second_pass_failed,
    "minutes-second-pass-taken": second_pass_taken,
    "minutes-second-pass-taken-back": second_pass_taken_back,
    "own-speeches": own_speeches,
    "own-speeches-large": own_speeches_large,
}
SCENES.update(MINUTES_SCENES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scenes", nargs="*", default=list(MINUTES_SCENES))
    parser.add_argument("--screens", default="phone,laptop")
    options = parser.parse_args()
    asyncio.run(take(options.folder, options.scenes, options.screens.split(",")))


if __name__ == "__main__":
    main()
