"""Captions in real Chromium: spoken into one browser's microphone, read in another, on the desk and by the public."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.browser.airing import plays, reaches
from tests.browser.meeting import enter
from tests.browser.office import Office, Prepared, prepare
from tests.browser.whole import said, shows
from tests.support.browser import LAPTOP, PHONE, BrowserClient, BrowserFactory, Screen
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.media import ROOT, participant_video, vp8_clip
from tests.support.scripted_recognizer import FACTORY
from tests.support.server import Server
from tests.support.spoken import LONG, MIDDLE, SHORT, Sentence, script, spoken, spoken_wav, text_of

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

CHAIR, MEMBER = "刘主持", "陈委员"
PATIENCE_S = 60.0

# Every state of the caption lines, in the order in which it was there.
WATCH_JS = """() => {
  window.seenCaptions = []
  const look = () => {
    for (const line of document.querySelectorAll('[data-testid=caption-line] .caption')) {
      const words = line.querySelector('.roll > span')
      const partial = words.querySelector('.partial')?.textContent ?? ''
      const now = {
        id: line.dataset.participantId,
        name: line.querySelector('.who').textContent,
        said: words.textContent.slice(0, words.textContent.length - partial.length),
        partial,
      }
      const last = window.seenCaptions.findLast((each) => each.id === now.id)
      if (JSON.stringify(last) !== JSON.stringify(now)) window.seenCaptions.push(now)
    }
  }
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true })
  look()
}"""


UNDER_JS = """() => ({
  words: document.querySelector('[data-testid=caption-line]')?.innerText ?? '',
  program_ms: Number(document.querySelector('[data-testid=live-player]')?.dataset.programMs ?? -1),
})"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With a model that says prepared sentences."""
    folder = script(tmp_path_factory.mktemp("model") / "zh-script")
    arguments = ["--speech-model", str(folder), "--speech-engine", FACTORY]
    with Server(arguments=arguments, environment={"PYTHONPATH": str(ROOT)}) as running:
        yield running


@dataclass
class Meeting:
    """A live consultation with a chair at a laptop and a member with a telephone."""

    server: Server
    office: Office
    consultation: str
    chair: BrowserClient
    member: BrowserClient
    ids: dict[str, str]

    async def call(self, method: str, path: str = "", body: dict[str, Any] | None = None) -> Any:
        return await asyncio.to_thread(
            self.office.call, method, f"/consultations/{self.consultation}{path}", body
        )

    async def switch(self, *, on: bool) -> None:
        """In 筹备, by the office."""
        revision = (await self.call("GET"))["revision"]
        await self.call("PATCH", "", {"revision": revision, "captions": on})


@asynccontextmanager
async def meeting(
    server: Server, browsers: BrowserFactory, *, chair: Sentence = SHORT, member: Sentence = LONG
) -> AsyncIterator[Meeting]:
    prepared: Prepared = await asyncio.to_thread(prepare, server)
    office, cid = prepared.office, prepared.consultation
    await asyncio.to_thread(office.call, "POST", f"/consultations/{cid}/start")
    clients, ids = {}, {}
    people: tuple[tuple[str, str, Sentence, Screen], ...] = (
        (CHAIR, "chair", chair, LAPTOP),
        (MEMBER, "member", member, PHONE),
    )
    for number, (name, role, sentence, screen) in enumerate(people, start=1):
        video = await asyncio.to_thread(participant_video, number, (320, 180), 5, 4.0)
        voice = await asyncio.to_thread(spoken_wav, sentence, 2.5)
        clients[name] = client = await browsers.launch(name=name, video=video, audio=voice, screen=screen)
        await client.open(server.room_url(cid, server.token(cid, role, name)))
        ids[name] = await enter(client)
        await client.evaluate(WATCH_JS)
    yield Meeting(server, office, cid, clients[CHAIR], clients[MEMBER], ids)


async def captions(client: BrowserClient) -> list[dict[str, str]]:
    return list(await client.evaluate("() => window.seenCaptions"))


async def state_is(client: BrowserClient, test_id: str, wanted: str) -> None:
    await client.wait_until(
        lambda: client.evaluate(
            "(id) => document.querySelector(`[data-testid=${id}]`)?.dataset.state", test_id
        ),
        lambda now: now == wanted,
        timeout_s=PATIENCE_S,
        what=f"has {test_id} {wanted}",
    )


async def pressed(client: BrowserClient, test_id: str) -> bool:
    return bool(
        await client.evaluate(
            "(id) => document.querySelector(`[data-testid=${id}]`).ariaPressed === 'true'", test_id
        )
    )


@pytest.mark.core
async def test_what_two_say_at_once_is_read_under_their_names(
    server: Server, browsers: BrowserFactory
) -> None:
    async with meeting(server, browsers) as one:
        spoken = {CHAIR: text_of(SHORT), MEMBER: text_of(LONG)}
        for client in (one.chair, one.member):
            for name, text in spoken.items():
                who = one.ids[name]

                def grew_into_the_sentence(
                    seen: list[dict[str, str]], who: str = who, text: str = text
                ) -> bool:
                    of = [each for each in seen if each["id"] == who]
                    partials = [at for at, each in enumerate(of) if each["partial"]]
                    finals = [at for at, each in enumerate(of) if each["said"].endswith(text)]
                    return bool(partials and finals and partials[0] < finals[-1])

                await client.wait_until(
                    lambda client=client: captions(client),
                    grew_into_the_sentence,
                    timeout_s=PATIENCE_S,
                    what=f"reads {name}",
                )
            seen = await captions(client)
            assert {(each["id"], each["name"]) for each in seen} == {(one.ids[name], name) for name in spoken}
            # How long a voice lasts says what it said: a busy machine cuts the long one short, and makes none longer.
            of_chair = [each for each in seen if each["name"] == CHAIR]
            assert {each["said"].replace(text_of(SHORT), "") for each in of_chair} == {""}
            assert {each["partial"][:1] for each in of_chair} == {"", SHORT[0][0]}
            assert await client.axe() == []
            assert await client.horizontal_overflow() == 0
            client.assert_quiet()

        # What the office puts right stands right where it was read.
        newest = (await one.call("GET", "/transcript"))["items"][-1]
        mended = {"revision": newest["revision"], "text": "供水管网要抓紧改造。"}
        await one.call("PATCH", f"/transcript/{newest['id']}", mended)
        for client in (one.chair, one.member):
            await said(client, mended["text"])


async def test_everybody_switches_them_for_themselves_and_the_office_for_all(
    server: Server, browsers: BrowserFactory
) -> None:
    async with meeting(server, browsers) as one:
        chair, member = one.chair, one.member
        await state_is(chair, "caption-line", "on")
        await chair.page.keyboard.press("c")
        await shows(chair, "caption-line", 0)
        assert not await pressed(chair, "toggle-captions")
        assert await member.count("caption-line") == 1

        # Who comes back finds it as it was left, and a press brings back what is said.
        await chair.page.reload()
        await enter(chair)
        await state_is(chair, "toggle-captions", "on")
        assert await chair.count("caption-line") == 0
        await chair.tap("toggle-captions")
        await said(chair, text_of(LONG))

        await one.switch(on=False)
        await state_is(chair, "toggle-captions", "off")
        await shows(chair, "caption-line", 0)
        await shows(member, "caption-line", 0)
        await chair.tap("toggle-captions")
        await said(chair, "这次会议没有使用字幕")
        await one.switch(on=True)
        await state_is(chair, "caption-line", "on")
        await state_is(member, "caption-line", "on")


async def test_without_a_model_the_pages_say_so_and_what_to_do(
    start_server: Callable[..., Server], browsers: BrowserFactory
) -> None:
    server = await asyncio.to_thread(start_server, environment={"PYTHONPATH": str(ROOT)})
    async with meeting(server, browsers) as one:
        chair, member = one.chair, one.member
        await state_is(chair, "toggle-captions", "no_model")
        assert await chair.count("caption-line") == 0
        await chair.page.keyboard.press("c")
        await said(chair, "本机还没有安装语音模型。录制不受影响，会后可以补转写")
        await member.page.get_by_role("button", name="更多").click()
        await member.tap("more-captions")
        await said(member, "本机还没有安装语音模型。录制不受影响，会后可以补转写")

        desk = await browsers.launch(name="刘欣", screen=LAPTOP)
        token = server.token(one.consultation, "secretariat", "刘欣")
        await desk.open(f"{server.url}/desk/{one.consultation}#token={token}")
        await state_is(desk, "captions-card", "no_model")
        await desk.page.get_by_text("怎样安装").click()
        await said(desk, "yuanshang model install zh-small")
        await desk.tap("place-prepare")
        await shows(desk, "captions-need-model")
        assert await desk.axe() == []

        # Where nobody wants captions no model is missed.
        await desk.page.get_by_test_id("edit-captions").click()
        await state_is(chair, "toggle-captions", "off")
        await shows(desk, "captions-need-model", 0)
        await desk.tap("place-run")
        await state_is(desk, "captions-card", "off")
        desk.assert_quiet()


async def test_the_desk_knows_how_they_fare(server: Server, browsers: BrowserFactory) -> None:
    async with meeting(server, browsers, member=MIDDLE) as one:
        desk = await browsers.launch(name="刘欣", screen=LAPTOP)
        token = server.token(one.consultation, "secretariat", "刘欣")
        await desk.open(f"{server.url}/desk/{one.consultation}#token={token}")
        await state_is(desk, "captions-card", "on")
        await said(desk, "字幕与转写正常")
        await desk.tap("recording-pause")
        await state_is(desk, "captions-card", "paused")
        await state_is(one.chair, "caption-line", "paused")
        await said(one.chair, "录制已暂停，字幕也暂停")
        await desk.tap("recording-pause")
        await state_is(desk, "captions-card", "on")
        await said(one.chair, text_of(MIDDLE))
        assert await desk.axe() == []
        desk.assert_quiet()


async def test_the_public_reads_it_with_the_picture_and_afterwards(
    start_server: Callable[..., Server], tmp_path: Path, browsers: BrowserFactory
) -> None:
    arguments = ["--speech-model", str(script(tmp_path / "zh-script")), "--speech-engine", FACTORY]
    environment = {"PYTHONPATH": str(ROOT)}
    server = await asyncio.to_thread(
        start_server, programs=True, arguments=arguments, environment=environment
    )
    prepared: Prepared = await asyncio.to_thread(prepare, server)
    cid, office = prepared.consultation, prepared.office
    path = f"/consultations/{cid}"
    await asyncio.to_thread(office.call, "POST", f"{path}/start")
    url = f"{server.url}/live/{cid}"
    async with RoomClient(server.url, server.token(cid, "member", "林委员"), receive=False) as member:
        packets = await asyncio.to_thread(spoken, LONG, 2.0)
        frames = await asyncio.to_thread(vp8_clip, 1)
        sources: list[AudioSource | VideoSource] = [
            AudioSource(packets=packets, level_db=10),
            VideoSource(fps=15, frames=frames),
        ]
        await member.publish(sources, names=["microphone", "camera"])
        viewer = await browsers.launch(name="网友", screen=LAPTOP)
        await viewer.open(url)
        await reaches(viewer, "live", timeout_s=PATIENCE_S)
        await plays(viewer)

        def under_the_picture(page: dict[str, Any]) -> bool:
            return "林委员" in page["words"] and text_of(LONG) in page["words"]

        page = await viewer.wait_until(
            lambda: viewer.evaluate(UNDER_JS), under_the_picture, timeout_s=PATIENCE_S, what="reads it"
        )
        told = await asyncio.to_thread(office.call, "GET", f"/public{path}/captions?from_ms=0&to_ms=600000")
        assert min(each["start_ms"] for each in told["items"]) <= page["program_ms"] + 500, "not before it"

        await viewer.tap("tab-words")
        await shows(viewer, "text-line")
        first = (await asyncio.to_thread(office.call, "GET", f"{path}/transcript"))["items"][0]
        mended = {"revision": first["revision"], "text": "供水管网要抓紧改造。"}
        await asyncio.to_thread(office.call, "PATCH", f"{path}/transcript/{first['id']}", mended)
        await said(viewer, mended["text"])
        assert await viewer.axe() == []

        await viewer.tap("captions")
        await shows(viewer, "caption-line", 0)
        await viewer.tap("captions")
        await shows(viewer, "caption-line")

        reader = await browsers.launch(name="弱网", screen=PHONE)
        await reader.open(f"{url}?text=1")
        await said(reader, text_of(LONG))
        await said(reader, "由语音自动转写，以会议记录为准")
        await reader.close()
        await asyncio.to_thread(office.call, "POST", f"{path}/end")

    await reaches(viewer, "replay", timeout_s=PATIENCE_S)
    await shows(viewer, "text-line")
    await viewer.page.get_by_test_id("text-search").fill("抓紧")
    await said(viewer, "找到 1 处，第 1 处")
    await viewer.page.get_by_test_id("text-search").fill("助餐")
    await said(viewer, "没有找到“助餐”，换个词试试")
    await viewer.page.get_by_test_id("text-search").fill("")
    await viewer.page.get_by_test_id("text-line").first.get_by_role("button").click()
    await plays(viewer)
    await viewer.wait_until(
        lambda: viewer.evaluate(UNDER_JS),
        lambda page: mended["text"] in page["words"],
        timeout_s=PATIENCE_S,
        what="reads it again, with its moment",
    )
    assert await viewer.axe() == []
    assert viewer.page_errors == []
