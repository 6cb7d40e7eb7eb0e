"""The transcript's editor in real Chromium: alone and with others, by mouse and by keys, over thousands of segments."""

from __future__ import annotations

import asyncio
import io
import json
from dataclasses import replace
from typing import Any

import docx
import pytest

from tests.browser.settled import present, reads, settled
from tests.browser.transcribed import (
    LIN,
    SAID,
    Transcribed,
    at_minutes,
    long_transcript,
    missing,
    speaking,
    spoken,
)
from tests.browser.whole import download, shows
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

CASH = "助餐点可以用现金，也可以刷社保卡。"
SENT = "行动不便的老人，由村助餐员送餐上门。"
CASH_AT, SENT_AT = 3, 4


async def transcribed(server: Server, **options: Any) -> Transcribed:
    session = await asyncio.to_thread(Transcribed, server)
    await asyncio.to_thread(lambda: session.keep(**options))
    return session


async def open_text(desk: BrowserClient, session: Transcribed, number: int) -> None:
    """Press a segment: its text is a field then, and has the focus."""
    words = desk.page.locator(f'[data-id="{session.segments[number].id}"] [data-testid=segment-words]')
    await words.click()
    await in_text(desk)


async def in_text(desk: BrowserClient) -> None:
    await desk.wait_until(
        lambda: desk.evaluate("() => document.activeElement?.dataset.testid === 'segment-text'"),
        what="has the caret in the text",
    )


async def other_caret(desk: BrowserClient, name: str) -> None:
    """Somebody else's caret stands in the text."""
    await desk.wait_until(
        lambda: desk.evaluate("() => document.querySelector('[data-testid=other-caret]')?.dataset.name"),
        lambda found: found == name,
        what=f"shows where {name} writes",
    )


async def write(desk: BrowserClient, words: str) -> None:
    """Instead of what stands in the field."""
    await desk.page.keyboard.press("ControlOrMeta+A")
    await desk.page.keyboard.insert_text(words)


async def put_caret(desk: BrowserClient, at: int) -> None:
    await desk.evaluate(
        "(at) => document.querySelector('[data-testid=segment-text]').setSelectionRange(at, at)", at
    )


async def shown(desk: BrowserClient) -> list[str]:
    """The words of the rows that are drawn, in their order; of an open one what is in its field."""
    return list(
        await desk.evaluate(
            """() => [...document.querySelectorAll('[data-testid=transcript-segment]')]
              .sort((a, b) => a.ariaPosInSet - b.ariaPosInSet)
              .map((row) => row.querySelector('textarea')?.value
                ?? row.querySelector('[data-testid=segment-words]').innerText)"""
        )
    )


async def until_shown(desk: BrowserClient, *words: str) -> None:
    async def all_there() -> bool:
        texts = await shown(desk)
        assert all(each in texts for each in words), texts
        return True

    await desk.wait_until(all_there, what=f"shows {words}")


async def until_kept(session: Transcribed, *words: str) -> None:
    for _ in range(200):
        texts = await asyncio.to_thread(session.texts)
        if all(each in texts for each in words):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(texts)


def docx_text(document: bytes) -> str:
    return "\n".join(each.text for each in docx.Document(io.BytesIO(document)).paragraphs)


async def value(desk: BrowserClient, test_id: str) -> str:
    return str(
        await desk.evaluate(
            """(id) => { const found = document.querySelector(`[data-testid=${id}]`)
              return found?.value ?? found?.innerText ?? '' }""",
            test_id,
        )
    )


async def test_two_at_once_in_other_segments_both_hold(server: Server, browsers: BrowserFactory) -> None:
    session = await transcribed(server)
    liu, wang = await asyncio.gather(
        at_minutes(browsers, session, "刘秘书"), at_minutes(browsers, session, "王秘书")
    )
    await open_text(liu, session, CASH_AT)
    await open_text(wang, session, SENT_AT)
    await asyncio.gather(reads(liu, "王秘书也在编辑"), reads(wang, "刘秘书也在编辑"))
    await asyncio.gather(other_caret(liu, "王秘书"), other_caret(wang, "刘秘书"))

    await asyncio.gather(write(liu, "助餐点可以付现金。"), write(wang, "由村里的助餐员送餐上门。"))
    await asyncio.gather(liu.tap("segment-done"), wang.tap("segment-done"))
    both = ("助餐点可以付现金。", "由村里的助餐员送餐上门。")
    await asyncio.gather(until_shown(liu, *both), until_shown(wang, *both))
    await until_kept(session, *both)
    assert await liu.count("edit-conflict") == await wang.count("edit-conflict") == 0
    await reads(liu, "已保存")
    for desk in (liu, wang):
        desk.assert_quiet()


async def test_two_at_once_in_one_segment_see_both_texts_and_overwrite_nothing(
    server: Server, browsers: BrowserFactory
) -> None:
    session = await transcribed(server)
    liu, wang = await asyncio.gather(
        at_minutes(browsers, session, "刘秘书"), at_minutes(browsers, session, "王秘书")
    )
    await open_text(liu, session, CASH_AT)
    await open_text(wang, session, CASH_AT)
    await write(wang, "王秘书改的文字。")
    await write(liu, "刘秘书改的文字。")
    await liu.page.keyboard.press("ControlOrMeta+S")
    await until_kept(session, "刘秘书改的文字。")

    await shows(wang, "edit-conflict", 1)
    assert await value(wang, "conflict-theirs") == "刘秘书改的文字。"
    assert await value(wang, "conflict-mine") == "王秘书改的文字。"
    await wang.page.keyboard.press("ControlOrMeta+Enter")
    await reads(wang, "请先选用哪一份文字")
    assert "刘秘书改的文字。" in await asyncio.to_thread(session.texts), "nothing is overwritten meanwhile"

    await wang.tap("keep-mine")
    await shows(wang, "edit-conflict", 0)
    await until_kept(session, "王秘书改的文字。")
    await until_shown(liu, "王秘书改的文字。")
    await wang.tap("segment-done")
    await wang.tap("tool-history")
    await shows(wang, "revision", 2)
    await wang.page.get_by_test_id("restore").first.click()
    await until_kept(session, "刘秘书改的文字。")
    await until_shown(liu, "刘秘书改的文字。")
    assert "transcript.edited" in await asyncio.to_thread(session.actions)


async def test_a_segment_by_keys_alone(server: Server, browsers: BrowserFactory) -> None:
    session = await transcribed(server)
    desk = await at_minutes(browsers, session)
    keys = desk.page.keyboard
    await desk.page.get_by_test_id("transcript-segment").first.focus()
    for _ in range(3):
        await keys.press("ArrowDown")
    await keys.press("Enter")
    await in_text(desk)
    assert await value(desk, "segment-text") == CASH

    await put_caret(desk, 9)
    await keys.press("Control+Shift+Enter")
    await until_shown(desk, "助餐点可以用现金，", "也可以刷社保卡。")
    assert await value(desk, "segment-text") == "也可以刷社保卡。", "one goes on in the second part"
    await keys.press("Control+Backspace")
    await until_shown(desk, CASH)
    assert await desk.evaluate("() => document.activeElement.selectionStart") == 9, "where they meet"

    await keys.press("Alt+u")
    await shows(desk, "is-unclear", 1)
    await keys.press("Alt+c")
    await shows(desk, "is-confidential", 1)
    await keys.press("Alt+1")  # who said most
    first = await asyncio.to_thread(lambda: session.call("GET", "/transcript?brief=1")["items"])
    row = next(each for each in first if each["text"] == CASH)
    assert row["is_unclear"]
    assert row["is_confidential"]

    await write(desk, "改过的一段。")
    await keys.press("Control+Enter")
    await desk.wait_until(lambda: value(desk, "segment-text"), lambda text: text == SENT, what="goes on")
    await until_kept(session, "改过的一段。")
    await keys.press("Escape")
    await shows(desk, "segment-text", 0)
    focused = await desk.evaluate("() => document.activeElement?.dataset.testid")
    assert focused == "transcript-segment", "Tab moves on from the row"
    await keys.press("Control+z")
    await until_kept(session, CASH)
    await keys.press("?")
    await present(desk, "transcript-keys")
    await keys.press("Escape")
    desk.assert_quiet()


async def test_who_spoke_is_named(server: Server, browsers: BrowserFactory) -> None:
    session = await transcribed(server)
    desk = await at_minutes(browsers, session)
    await reads(desk, "待确认发言人")
    await desk.tap("name-speaker")
    await desk.fill("speaker-name", "何委员")
    await desk.page.get_by_test_id("speaker-role").select_option("member")
    await desk.tap("speaker-save")
    await shows(desk, "name-speaker", 0)
    await reads(desk, "何委员")
    items = await asyncio.to_thread(lambda: session.call("GET", "/transcript?brief=1")["items"])
    named = next(each for each in items if each["speaker"]["name"] == "何委员")
    assert named["speaker"]["is_certain"]
    assert named["text"].startswith("我们县的做法是"), "the words stay"


async def test_find_replace_and_terms(server: Server, browsers: BrowserFactory) -> None:
    session = await transcribed(server)
    desk = await at_minutes(browsers, session)
    await desk.page.keyboard.press("ControlOrMeta+H")
    await desk.fill("find-words", "助餐")
    await reads(desk, "找到 4 处，第 1 处")
    await desk.tap("find-next")
    await reads(desk, "找到 4 处，第 2 处")
    await desk.fill("replace-words", "老年用餐")
    await desk.tap("replace-all")
    await reads(desk, "已替换 4 段")
    await until_kept(session, "老年用餐点可以用现金，也可以刷社保卡。")
    await desk.fill("find-words", "没有的词")
    await reads(desk, "没有找到“没有的词”，换个词试试")
    await desk.tap("find-close")
    await shows(desk, "find-panel", 0)

    await desk.tap("terms")
    await desk.fill("term-wrong", "互助养老点")
    await desk.fill("term-right", "互助养老中心")
    await desk.tap("term-add")
    await shows(desk, "term", 1)
    await until_shown(desk, "村里的互助养老中心，最缺的不是房子。")
    await until_kept(session, "村里的互助养老中心，最缺的不是房子。")
    await desk.page.get_by_role("button", name="从词表删除").click()
    await shows(desk, "term", 0)
    await until_shown(desk, "村里的互助养老点，最缺的不是房子。")


async def test_thousands_of_segments_are_drawn_where_one_looks(
    server: Server, browsers: BrowserFactory
) -> None:
    session = await asyncio.to_thread(Transcribed, server)
    many = long_transcript(session.cid, 4000)
    await asyncio.to_thread(lambda: session.keep(many, agenda=False))
    desk = await at_minutes(browsers, session)
    assert await desk.count("transcript-segment") < 60
    assert await desk.evaluate(
        "() => document.querySelector('[data-testid=transcript-segment]').ariaSetSize"
    ) == str(len(many))

    await open_text(desk, session, 0)
    await write(desk, "第一段改过，还没有保存。")
    await desk.evaluate(
        "() => { const e = document.querySelector('[data-testid=transcript]'); e.scrollTop = e.scrollHeight }"
    )
    await until_shown(desk, many[-1].text)
    assert await value(desk, "segment-text") == "第一段改过，还没有保存。", "what is being written stays"

    await desk.page.keyboard.press("Escape")
    await until_kept(session, "第一段改过，还没有保存。")
    await desk.page.keyboard.press("ControlOrMeta+F")
    await desk.fill("find-words", "民政局回应")
    await reads(desk, "找到")
    for _ in range(3):
        await desk.page.keyboard.press("Enter")
    await desk.wait_until(
        lambda: desk.evaluate(
            """() => { const row = document.querySelector('li.cur')?.getBoundingClientRect()
              const box = document.querySelector('[data-testid=transcript]').getBoundingClientRect()
              return !!row && row.top >= box.top && row.bottom <= box.bottom }"""
        ),
        what="has the found one in sight",
    )
    desk.assert_quiet()


async def test_gaps_are_settled_before_minutes_are_submitted(
    server: Server, browsers: BrowserFactory
) -> None:
    session = await asyncio.to_thread(Transcribed, server, over=False)
    async with speaking(session):
        await missing(session, 6000)
    await asyncio.to_thread(session.call, "POST", "/end")
    await asyncio.to_thread(lambda: session.keep(agenda=False))
    desk = await at_minutes(browsers, session)
    await reads(desk, "1 处缺口待处理")
    await present(desk, "transcript-gap")
    await reads(desk, "字幕没有打开")
    await desk.tap("minutes-make")
    await present(desk, "minutes-doc")
    await reads(desk, "还有 1 处缺口。处理后才能提交审核。")
    assert await desk.page.get_by_test_id("minutes-review").is_disabled()
    await desk.tap("minutes-despite")
    await present(desk, "despite-reason")
    await desk.page.keyboard.press("Escape")

    await desk.tap("gap-waive")
    await desk.fill("reason", "线路中断，未录到")
    await desk.tap("confirm")
    await shows(desk, "open-gaps", 0)
    await reads(desk, "线路中断，未录到")
    await desk.tap("minutes-review")
    await present(desk, "minutes-approve")
    actions = await asyncio.to_thread(session.actions)
    assert {"transcript.gap_waived", "minutes.made", "minutes.reviewed"} <= set(actions)


@pytest.mark.core
async def test_minutes_are_written_from_what_was_said_and_approved(
    server: Server, browsers: BrowserFactory
) -> None:
    session = await transcribed(server)
    desk = await at_minutes(browsers, session)
    await desk.tap("minutes-make")
    await present(desk, "minutes-doc")
    decisions = desk.page.locator('[data-testid=minutes-section][data-key="decisions"]')
    await decisions.get_by_test_id("section-passages").click()
    await present(desk, "passage-section")
    await desk.page.get_by_test_id("passage-section").select_option("proposals")
    await desk.page.get_by_role("tab", name="会议纪要").click()
    await decisions.get_by_test_id("section-edit").click()
    await decisions.get_by_test_id("section-text").fill(
        "（一）助餐点保留现金支付。［引自 01:09:58 市民政局］"
    )
    await decisions.get_by_test_id("section-save").click()
    await reads(desk, "（一）助餐点保留现金支付。")
    await decisions.get_by_role("button", name="从 01:09:58 听").click()
    await desk.wait_until(
        lambda: desk.evaluate("() => document.querySelector('li.cur')?.innerText ?? ''"),
        lambda text: "助餐点可以用现金" in text,
        what="stands where it was said",
    )

    await desk.tap("minutes-review")
    await desk.tap("minutes-approve")
    await present(desk, "minutes-frozen")
    await reads(desk, "再改会成为新的一稿")
    assert await desk.count("section-edit") == 0, "what is approved stays as it is"
    await desk.tap("minutes-reopen")
    await reads(desk, "第 2 稿")
    overview = await asyncio.to_thread(session.call, "GET", "/minutes")
    assert [each["state"] for each in overview["versions"]] == ["approved", "draft"]
    assert overview["versions"][0]["approval"]["head_hash"]
    desk.assert_quiet()


async def test_the_sound_of_that_very_track_is_beside_its_words(
    server: Server, browsers: BrowserFactory
) -> None:
    session = await asyncio.to_thread(Transcribed, server, over=False)
    async with speaking(session) as participant_id:
        (gap,) = await missing(session, 14_000)
    await asyncio.to_thread(session.call, "POST", "/end")
    first, second = gap["from_ms"] + 500, gap["from_ms"] + 10_500
    said = [
        replace(spoken(session.cid, number, LIN, at_ms, words), participant_id=participant_id)
        for number, (at_ms, words) in enumerate([(first, SAID[5][2] * 3), (second, SAID[3][2])])
    ]
    await asyncio.to_thread(lambda: session.keep(said, agenda=False))
    desk = await at_minutes(browsers, session)

    async def player() -> dict[str, Any]:
        return dict(
            await desk.evaluate(
                "() => ({...document.querySelector('[data-testid=transcript-player]').dataset})"
            )
        )

    words = desk.page.get_by_test_id("segment-words").first
    await words.click(position={"x": 4, "y": 12})
    heard = await desk.wait_until(
        player, lambda now: now["playing"] == "true" and int(now["programMs"]) > first, what="plays"
    )
    assert heard["segment"] == said[0].id, "a press hears the word"
    await desk.page.keyboard.press("Tab")
    paused = await desk.wait_until(player, lambda now: now["playing"] == "false", what="pauses by Tab")
    assert await value(desk, "segment-text") == said[0].text, "Tab stays in the text"
    await desk.page.keyboard.press("Shift+Tab")
    back_to = max(first, int(paused["programMs"]) - 3000)
    await desk.wait_until(player, lambda now: abs(int(now["programMs"]) - back_to) <= 2, what="goes back")
    await desk.wait_until(
        lambda: desk.evaluate("() => !!document.querySelector('.wv svg path.ahead')?.getAttribute('d')"),
        what="shows the sound",
    )
    await desk.page.keyboard.press("Control+Enter")
    await desk.wait_until(lambda: value(desk, "segment-text"), lambda text: text == said[1].text)
    await desk.page.keyboard.press("Escape")
    await desk.page.keyboard.press("ArrowUp")
    await desk.tap("follow")
    await desk.wait_until(
        player,
        lambda now: now["segment"] == said[1].id and now["playing"] == "true",
        timeout_s=30,
        what="goes on with the next by itself",
    )
    desk.assert_quiet()


async def test_the_transcript_is_taken_away(server: Server, browsers: BrowserFactory) -> None:
    session = await transcribed(server)
    desk = await at_minutes(browsers, session)
    await desk.tap("export-more")
    text = (await download(desk, "export-transcript-txt")).decode()
    assert "市民政局" in text
    assert CASH in text
    captions = (await download(desk, "export-transcript-vtt")).decode()
    assert captions.startswith("WEBVTT")
    body = json.loads(await download(desk, "export-transcript-json"))
    assert CASH in [each["text"] for each in body["segments"]]
    times = await download(desk, "export-transcript-xlsx")
    assert times.startswith(b"PK"), "a workbook of who spoke how long"
    assert "transcript.exported" in await asyncio.to_thread(session.actions)

    await desk.page.keyboard.press("Escape")
    await desk.tap("minutes-make")
    await present(desk, "minutes-doc")
    document = await download(desk, "minutes-export")
    assert "会议认为" in docx_text(document), "the button gives what is shown, to be corrected by hand"
    assert (await download(desk, "minutes-preview")).startswith(b"%PDF")
    assert "minutes.exported" in await asyncio.to_thread(session.actions)


async def test_the_page_is_for_everybody(server: Server, browsers: BrowserFactory) -> None:
    session = await transcribed(server)
    desk = await at_minutes(browsers, session)
    await settled(desk)
    assert await desk.axe() == []
    await open_text(desk, session, CASH_AT)
    assert await desk.axe() == []
    assert await desk.horizontal_overflow() == 0
