"""One sitting in Chinese from the first word to frozen minutes: real sound, a scripted engine, and every door between.

What is said becomes captions; two editors correct it at once; terms and search; a stretch that cannot be recognised
stands in the way of approval; the record is made, approved, printed, reopened, and archived with everything else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.support.media import ROOT
from tests.support.scripted_recognizer import FACTORY
from tests.support.server import Server
from tests.support.spoken_session import Sitting, script
from tests.support.spoken_story.minutes import approve_despite_gaps, approve_second_version, archive_is_intact
from tests.support.spoken_story.papers import read_first_version
from tests.support.spoken_story.sitting import go_on, hold, interrupt, prepare, speak_elsewhere
from tests.support.spoken_story.story import SENTENCES, Story
from tests.support.spoken_story.transcript import (
    organizer,
    terms_change_what_nobody_corrected,
    two_correct_at_once,
    words_are_found,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = script(tmp_path_factory.mktemp("model") / "zh-script", SENTENCES)
    arguments = ["--demo", "--time-zone", "Asia/Shanghai"]
    arguments += ["--speech-model", str(folder), "--speech-engine", FACTORY]
    with Server(arguments=arguments, environment={"PYTHONPATH": str(ROOT)}) as running:
        yield running


@pytest.fixture
async def story(server: Server) -> AsyncIterator[Story]:
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http,
        AsyncExitStack() as stack,
    ):
        yield Story(Sitting(http, server, stack))


@pytest.mark.timeout(300)
async def test_from_the_first_word_to_frozen_minutes(story: Story, server: Server, tmp_path: Path) -> None:
    await prepare(story)
    async with AsyncExitStack() as stack:
        other = Sitting(story.sitting.http, server, stack)
        async with asyncio.TaskGroup() as group:
            group.create_task(speak_elsewhere(other))
            group.create_task(hold(story))
        await interrupt(story)
        await go_on(story)
        editors = [await story.sitting.sit_down(each) for each in (story.desk, organizer(story))]
        await terms_change_what_nobody_corrected(story)
        await two_correct_at_once(story, *editors)
        await words_are_found(story, other)
    approved = await approve_despite_gaps(story)
    first = await read_first_version(story, approved)
    await archive_is_intact(story, approved, tmp_path)
    await approve_second_version(story, first)
