"""Two who speak at once, from their microphones to the captions of a third and to the transcript, with a real engine.

Vosk with a small Korean model that is used in tests only; espeak-ng speaks. The browsers treat the sound as they treat
that of any microphone: without echo, noise, and at a level of their choice.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest

from tests.browser.caption_watch import CaptionLine, CaptionWatch
from tests.browser.meeting import enter
from tests.browser.office import TITLE, Office
from tests.support.browser import LAPTOP, BrowserFactory
from tests.support.eventually import eventually
from tests.support.repeated_speech import Accuracy, Speaker, accuracy
from tests.support.server import Server
from tests.support.speech_model import model_with_grammar

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

# The model tells these words from each other in these voices. Neither speaker says one of the other's.
CHEN: Final = Speaker.of("陈委员", "ko", """
    어제 노인 역사 나무
    음식 미래 서울 노인
    나무 서울 어제 음식
    역사 미래 노인 어제
    서울 나무 미래 역사
    노인 음식 어제 미래
""")  # fmt: skip
WANG: Final = Speaker.of("王代表", "ko+f2", """
    지하철 서비스 커피 음악
    버스 아버지 지하철 커피
    서비스 음악 버스 아버지
    커피 버스 서비스 지하철
    아버지 커피 음악 버스
    음악 지하철 아버지 서비스
""")  # fmt: skip
SPEAKERS: Final = (CHEN, WANG)
READ_OF_EACH: Final = 20  # words, until it is over
LEAST_SAID, LEAST_RIGHT = 30, 0.8
PATIENCE_S: Final = 75.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It hears the speakers' words only."""
    words = tuple(sorted({*CHEN.words, *WANG.words}))
    assert len(words) >= 12
    folder = model_with_grammar(tmp_path_factory.mktemp("model") / "ko", words)
    with Server(arguments=["--speech-model", str(folder)]) as running:
        yield running


class Conversation:
    """Two browsers that speak and one that reads."""

    def __init__(self, server: Server, browsers: BrowserFactory) -> None:
        self.server, self.browsers = server, browsers
        self.office = Office(server)
        self.cid = server.create_consultation(TITLE)

    async def speaks(self, speaker: Speaker) -> str:
        """Enters with an open microphone, and without a picture; gives the participant id."""
        audio = await asyncio.to_thread(speaker.microphone)
        client = await self.browsers.launch(name=speaker.name, audio=audio, screen=LAPTOP)
        await client.open(self.server.room_url(self.cid, self.server.token(self.cid, "member", speaker.name)))
        await client.tap("join-camera", timeout_s=30)
        return await enter(client)

    async def reads(self) -> CaptionWatch:
        """Enters to listen and to read."""
        client = await self.browsers.launch(name="听众", screen=LAPTOP)
        await client.open(self.server.room_url(self.cid, self.server.token(self.cid, "observer", "听众")))
        await enter(client)
        watch = CaptionWatch(client)
        await watch.start()
        return watch

    async def call(self, method: str, path: str) -> Any:
        return await asyncio.to_thread(self.office.call, method, f"/consultations/{self.cid}{path}")

    async def is_whole(self) -> None:
        """All files are closed, and nothing of them is left to be recognised."""

        async def closed() -> bool:
            return all(
                each["state"] != "recording" for each in (await self.call("GET", "/recordings"))["items"]
            )

        async def done() -> bool:
            state = await self.call("GET", "/transcript/state")
            return not state["gaps"] and not state["jobs"]["running"]

        # What was recorded counts as missing when its file is closed, not before.
        await eventually(closed, timeout_s=PATIENCE_S, every_s=0.2, what="all files are closed")
        await eventually(done, timeout_s=PATIENCE_S, every_s=0.2, what="a whole transcript")

    async def file(self, kind: str) -> str:
        path = f"/api/v1/consultations/{self.cid}/transcript.{kind}"
        status, body = await asyncio.to_thread(self.server.get, path, self.office.token)
        assert status == 200, body
        return body.decode()


def words_of(text: str) -> list[str]:
    """Without the punctuation that was added."""
    return re.findall(r"\w+", text)


def sentences_read(lines: Sequence[CaptionLine], speaker: Speaker) -> list[str]:
    """What stood there for good under this name, each once: nobody says a sentence twice before all the others."""
    read = [part.strip() for each in lines if each.name == speaker.name for part in each.said.split(".")]
    return [each for each in dict.fromkeys(read) if each]


def assert_right(heard: dict[Speaker, list[str]]) -> None:
    """Enough was heard, and most of it as it was said."""
    found = {each: accuracy(each.words, words_of(" ".join(lines))) for each, lines in heard.items()}
    both = sum(found.values(), Accuracy(0, 0))
    told = {each.name: (found[each], lines) for each, lines in heard.items()}
    assert both.said >= LEAST_SAID, told
    assert both.right >= LEAST_RIGHT * both.said, told


def assert_own(speaker: Speaker, line: str) -> None:
    """The other speaker never said this. One word may have been cut in two, or taken for another."""
    own, *others = sorted(SPEAKERS, key=lambda each: each != speaker)
    words = words_of(line)
    for other in others:
        errors = accuracy(own.words, words).errors
        assert errors <= accuracy(other.words, words).errors + 1, (speaker.name, line)


def lines_by_name(text: str) -> dict[str, list[str]]:
    """Of an exported text: what stands under each speaker's headings."""
    found: dict[str, list[str]] = {}
    for block in text.split("\n\n")[1:]:
        heading, *lines = block.strip().splitlines()
        found.setdefault(heading.partition("] ")[2], []).extend(lines)
    return found


async def test_two_who_speak_at_once_are_read_by_a_third_and_written_down_under_their_names(
    server: Server, browsers: BrowserFactory
) -> None:
    talk = await asyncio.to_thread(Conversation, server, browsers)
    await talk.call("POST", "/start")
    watch, chen, wang = await asyncio.gather(talk.reads(), talk.speaks(CHEN), talk.speaks(WANG))
    ids = {CHEN: chen, WANG: wang}

    async def read() -> dict[Speaker, list[str]]:
        lines = await watch.lines()
        return {each: sentences_read(lines, each) for each in SPEAKERS}

    shown = await eventually(
        read,
        lambda found: all(len(words_of(" ".join(each))) >= READ_OF_EACH for each in found.values()),
        timeout_s=PATIENCE_S,
        every_s=0.2,
        what="has read enough of both",
    )
    await talk.call("POST", "/end")
    lines = await watch.lines()
    assert {(each.participant_id, each.name) for each in lines} == {
        (pid, who.name) for who, pid in ids.items()
    }
    for each in SPEAKERS:
        for sentence in shown[each]:
            assert_own(each, sentence)

    await talk.is_whole()
    segments = json.loads(await talk.file("json"))["segments"]
    written = {
        who: [each["text"] for each in segments if each["participant_id"] == pid] for who, pid in ids.items()
    }
    assert sum(len(each) for each in written.values()) == len(segments)
    for each, texts in written.items():
        assert {one["speaker"]["name"] for one in segments if one["participant_id"] == ids[each]} == {
            each.name
        }
        assert {sentence + "." for sentence in shown[each]} <= set(texts), (
            "what was read is in the transcript"
        )
        for text in texts:
            assert_own(each, text)
    assert_right(written)
    assert lines_by_name(await talk.file("txt")) == {who.name: texts for who, texts in written.items()}
    for client in browsers.clients:
        client.assert_quiet()
