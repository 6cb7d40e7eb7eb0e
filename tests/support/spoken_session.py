"""A sitting in Chinese on a real server: who takes part, what each says into a microphone of their own, and the
doors of the secretariat."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, RoomClient
from tests.support.scripted_recognizer import write_script
from tests.support.server import Server
from tests.support.spoken import Sentence, spoken
from tests.unit.signaling.harness import Client

Json = Any
PATIENCE_S: Final = 60.0  # a machine that has something else to do takes its time
_SILENCE: Final = 60_000  # packets of silence behind what is said
_PACKETS_A_SECOND: Final = 50


def script(folder: Path, sentences: Sequence[Sentence]) -> Path:
    """A folder to give the server for a speech model that knows these, by the length of the voice."""
    return write_script(folder, *sentences)


class Voice(AudioSource):
    """A microphone that is silent until somebody says something into it."""

    def __init__(self) -> None:
        self._silence = spoken(0.2)[-1:]
        self._voiced = 0
        super().__init__(packets=self._silence, level_db=127)

    @property
    def silent_ms(self) -> int:
        """For so long nothing has been said; below 0 while somebody speaks."""
        return (self._count - self._voiced) * 1000 // _PACKETS_A_SECOND

    def say(self, sentence: Sentence) -> None:
        """Once, from now on."""
        packets = spoken(sentence, 0.2)
        self._voiced = sentence[1] * _PACKETS_A_SECOND // 1000
        self._packets_of_file = packets + self._silence * _SILENCE
        self._count = 0

    def _tick(self) -> None:
        self.level_db = 10 if self.silent_ms < 0 else 127
        super()._tick()


class Speaker(RoomClient):
    """Somebody in the room with a microphone."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url, token, receive=False)
        self.voice = Voice()

    async def open_microphone(self) -> None:
        """Once the room is recorded, so that nothing said is missing in the files."""
        await eventually(lambda: self.consultation["recording"] == "on", timeout_s=PATIENCE_S)
        await self.publish([self.voice], names=["microphone"])

    def heard(self, event: str) -> list[Json]:
        return [body for name, body in self.events if name == event]

    async def captions_are(self, state: str) -> None:
        await eventually(
            lambda: self.consultation["captions"], lambda now: now == state, timeout_s=PATIENCE_S, what=state
        )

    async def sees(self, text: str) -> Json:
        """The caption that says this."""
        return await eventually(
            lambda: next((each for each in self.heard("caption.final") if each["text"] == text), None),
            timeout_s=PATIENCE_S,
            what=text,
        )


class Door:
    """REST of one consultation, by whoever has the token."""

    def __init__(self, http: aiohttp.ClientSession, server: Server, cid: str, token: str) -> None:
        self.http = http
        self.server = server
        self.cid = cid
        self.token = token

    async def ask(self, method: str, path: str, body: Json = None) -> tuple[int, Json]:
        """`path` below the consultation, or from /api on."""
        base = "" if path.startswith("/api/") else f"/api/v1/consultations/{self.cid}"
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"{self.server.url}{base}{path}"
        async with self.http.request(method, url, json=body, headers=headers) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else None

    async def good(self, method: str, path: str, body: Json = None) -> Json:
        status, answer = await self.ask(method, path, body)
        assert status < 300, (method, path, answer)
        return answer

    async def file(self, path: str) -> bytes:
        url = f"{self.server.url}/api/v1/consultations/{self.cid}{path}"
        async with self.http.get(url, headers={"Authorization": f"Bearer {self.token}"}) as response:
            assert response.status == 200, await response.text()
            return await response.read()

    def of(self, role: str, name: str) -> Door:
        return Door(self.http, self.server, self.cid, self.server.token(self.cid, role, name))


class Sitting:
    """A consultation that the secretariat prepares, opens and keeps. `desk` is the secretariat's door."""

    def __init__(self, http: aiohttp.ClientSession, server: Server, stack: AsyncExitStack) -> None:
        self.http = http
        self._stack = stack
        self.server = server
        self.staff = Door(http, server, "", "")
        self.desk = self.staff

    @property
    def recordings(self) -> Path:
        return self.server.data_dir / "recordings" / self.desk.cid

    async def prepare(
        self, title: str, invitees: Sequence[Json], agenda: Sequence[Json], **more: Json
    ) -> None:
        """Made by the account of the trial, published and begun."""
        staff = self.server.staff
        login = {"login": staff["login"], "password": staff["password"]}
        self.staff.token = (await self.staff.good("POST", "/api/v1/sessions", login))["token"]
        draft = {"title": title, "is_public": True, "scheduled_at_ms": 1_900_000_000_000, **more}
        made = await self.staff.good("POST", "/api/v1/consultations", draft)
        self.staff.cid = cid = made["id"]
        token = (await self.staff.good("POST", "/token"))["token"]
        self.desk = Door(self.http, self.server, cid, token)
        for each in invitees:
            await self.invite(**each)
        await self.desk.good("PUT", "/agenda", {"items": list(agenda)})

    async def invite(self, **fields: Json) -> Json:
        """An invitee, with the link."""
        return await self.desk.good("POST", "/invitees", fields)

    async def open(self) -> None:
        await self.staff.good("POST", "/publish")
        await self.desk.good("POST", "/start")

    async def enter(self, link: str) -> Speaker:
        """By a personal link, or by that of a hall's operator."""
        entered = await self.staff.good("POST", f"/api/v1/links/{link.rpartition('/')[2]}/enter")
        return await self._stack.enter_async_context(Speaker(self.server.url, entered["token"]))

    async def sit_down(self, door: Door) -> Client:
        """A desk with its snapshot."""
        client = Client(self.server.url, "/desk")
        await client.connect({"token": door.token})
        self._stack.push_async_callback(client.close)
        await eventually(client.has_snapshot)
        return client

    async def switch_captions(self, *, on: bool) -> None:
        revision = (await self.desk.good("GET", ""))["revision"]
        await self.staff.good("PATCH", "", {"revision": revision, "captions": on})

    async def segments(self) -> list[Json]:
        items: list[Json] = (await self.desk.good("GET", "/transcript"))["items"]
        return items

    async def segment(self, words: str) -> Json:
        """The one that has these words."""
        segments = await self.segments()
        found = [each for each in segments if words in each["text"]]
        assert len(found) == 1, (
            words,
            [(each["text"], each["start_ms"], each["end_ms"]) for each in segments],
        )
        return found[0]

    async def gaps(self) -> list[Json]:
        items: list[Json] = (await self.desk.good("GET", "/transcript/state"))["gaps"]
        return items

    async def gaps_are(self, **states: str) -> list[Json]:
        """By the names of microphones."""
        return await eventually(
            self.gaps,
            lambda gaps: {each["name"]: each["state"] for each in gaps} == states,
            timeout_s=PATIENCE_S,
            every_s=0.2,
            what=f"gaps {states}",
        )

    async def take_away(self, *speakers: Speaker) -> list[Path]:
        """Files of their microphones, once these are closed, as if a disk were out of reach; see `bring_back`."""
        ids = {each.participant_id for each in speakers}

        async def closed() -> bool:
            rows = (await self.desk.good("GET", "/recordings?limit=500"))["items"]
            own = [each["state"] for each in rows if each["participant_id"] in ids]
            return len(own) >= len(ids) and set(own) == {"done"}

        await eventually(closed, timeout_s=PATIENCE_S, every_s=0.2, what="the end of their files")
        moved = await asyncio.to_thread(self._files, ids)
        for path in moved:
            path.rename(path.with_suffix(".away"))
        return moved

    @staticmethod
    def bring_back(moved: Sequence[Path]) -> None:
        for path in moved:
            path.with_suffix(".away").rename(path)

    def _files(self, participant_ids: set[str]) -> list[Path]:
        facts = [
            (manifest.parent, json.loads(line))
            for manifest in self.recordings.glob("*/manifest.jsonl")
            for line in manifest.read_text().splitlines()
        ]
        return [
            directory / fact["file"]
            for directory, fact in facts
            if fact["fact"] == "opened" and fact["participant_id"] in participant_ids
        ]
