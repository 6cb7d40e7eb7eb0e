"""A media process, and who meets in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from conference.media.client import MediaClient
from conference.media.settings import MediaSettings
from tests.support.media_meeting import Meeting


@pytest.fixture
async def media() -> AsyncIterator[MediaClient]:
    client = MediaClient(MediaSettings("127.0.0.1", 0, max_participants=10))
    await client.start()
    yield client
    await client.close()


@pytest.fixture
async def meeting(media: MediaClient) -> AsyncIterator[Meeting]:
    meeting = Meeting(media)
    yield meeting
    await meeting.close()
