"""The room over real sockets: snapshot, events, requests, coming back."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conference.model.media import (
    Kind,
    PublicationInfo,
    PublicationsChanged,
    QualityChanged,
    Source,
    Speaker,
    SpeakersChanged,
)
from conference.model.participant import EntryMeans
from conference.model.permissions import Role
from conference.services.trace import Bearer
from tests.support.eventually import eventually
from tests.unit.signaling.harness import KEY, SHORT, Client, RoomState, Signalling, signalling


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Signalling]:
    async with signalling(tmp_path) as running:
        yield running


async def test_the_snapshot_is_the_first_event(server: Signalling) -> None:
    server.media.offers_on_subscribe = True
    chair = await server.join(Role.CHAIR, "李主席")
    member = await server.join(name="张三", kind="phone")
    await eventually(lambda: len(server.media.answers) == 2)
    assert [client.names()[0] for client in (chair, member)] == ["room.snapshot"] * 2
    snapshot = member.state.snapshot
    assert snapshot is not None
    assert [each["name"] for each in snapshot["participants"]] == ["李主席", "张三"]
    assert snapshot["participants"][1]["device"] == "phone"
    assert snapshot["media"] == {"epoch": "e1", "ice_servers": []}
    assert chair.of("participant.joined")[0]["participant"]["id"] == member.me
    assert server.media.answers[0][2] == "answer to offer 1"


async def test_a_name_may_be_chosen_at_the_door(server: Signalling) -> None:
    client = await server.join(name="链接上的名字")
    other = await server.connect({"token": server.token(), "name": "  王五  ", "kind": "submarine"})
    await eventually(lambda: other.state.snapshot)
    await client.ask("room.sync")
    assert other.state.snapshot is not None
    assert other.state.snapshot["self"]["name"] == "王五"
    long = await server.connect({"token": server.token(), "name": "长" * 300})
    await eventually(lambda: long.state.snapshot)
    assert long.state.snapshot is not None
    assert len(long.state.snapshot["self"]["name"]) == 40


async def test_requests(server: Signalling) -> None:
    chair, member = await server.join(Role.CHAIR, "李主席"), await server.join()
    assert await member.ask("floor.request") == {"place": 1}
    assert await member.ask("media.publish", {"sdp": "offer"}) == {"sdp": "answer to offer"}
    assert (await member.ask("participant.update", {"camera": False}))["participant"]["camera"] is False
    assert await chair.ask("participant.mute", {"all": True, "muted": True, "hard": True}) == {"changed": 1}
    assert await member.refused("participant.update", {"microphone": True}) == "hard_muted"
    assert await member.refused("participant.mute", {"all": True, "muted": False}) == "forbidden"
    assert await chair.ask("floor.withdraw", {"participant_id": member.me}) == {}
    assert await chair.refused("participant.remove", {"participant_id": "p_nobody"}) == "not_found"
    assert await member.ask("media.restart") == {}
    assert await chair.ask("participant.mute", {"participant_id": member.me, "muted": False}) == {
        "changed": 1
    }
    assert [event["muted"] for event in member.of("participant.mute")] == [True, False]
    server.media.emit(SpeakersChanged("c", (Speaker(member.me, -30),)))
    await eventually(lambda: chair.of("speakers.changed"))
    assert chair.of("speakers.changed")[-1]["speakers"] == [{"participant_id": member.me, "level_db": -30}]


async def test_leaving_and_being_removed(server: Signalling) -> None:
    chair, member, other = await server.join(Role.CHAIR), await server.join(), await server.join()
    assert await member.ask("room.leave") == {}
    assert await member.refused("floor.request") in ("not_found", "stale")
    assert await chair.ask("participant.remove", {"participant_id": other.me}) == {}
    await eventually(lambda: not other.connected)
    assert other.of("session.removed") == [{"by": "张三", "reason": "removed"}]
    await eventually(lambda: len(chair.of("participant.left")) == 2)
    assert [event["reason"] for event in chair.of("participant.left")] == ["left", "removed"]


async def test_a_dropped_socket_is_lost_after_the_grace_period(server: Signalling) -> None:
    chair, member = await server.join(Role.CHAIR), await server.join()
    await member.drop()
    await eventually(lambda: chair.of("participant.updated"))
    assert chair.of("participant.updated")[0]["participant"]["connected"] is False
    await eventually(lambda: chair.of("participant.left"))
    assert chair.of("participant.left")[0]["reason"] == "lost"


async def test_coming_back_in_time_is_the_same_participant(server: Signalling) -> None:
    chair, member = await server.join(Role.CHAIR), await server.join()
    await chair.ask("participant.mute", {"participant_id": member.me, "muted": True, "hard": True})
    await member.drop()
    back = await server.join(resume=member.resume)
    assert back.me == member.me
    assert back.state.snapshot is not None
    assert back.state.snapshot["self"]["resumed"] is True
    assert back.state.participants[back.me]["hard_muted"] is True
    assert not chair.of("participant.left")


async def test_a_second_socket_replaces_the_first(server: Signalling) -> None:
    first = await server.join()
    second = await server.join(resume=first.resume)
    await eventually(lambda: not first.connected)
    assert first.names()[-1] == "session.replaced"
    assert second.me == first.me
    assert await second.ask("floor.request") == {"place": 1}


async def test_an_offer_is_repeated_until_it_is_answered(server: Signalling) -> None:
    server.media.offers_on_subscribe = True
    client = await server.join()
    client.answer = lambda _offer: {"nonsense": True}
    await eventually(lambda: server.media.answers)
    await client.ask("media.restart")
    await eventually(lambda: len(client.of("media.offer")) >= 3)
    client.answer = lambda offer: {"sdp": "fine"}
    await eventually(lambda: any(sdp == "fine" for _, _, sdp in server.media.answers))


async def test_a_new_media_process_is_announced(server: Signalling) -> None:
    chair, member = await server.join(Role.CHAIR), await server.join()
    await chair.ask("participant.mute", {"participant_id": member.me, "muted": True})
    server.media.restart("e2")
    await eventually(lambda: member.of("media.restart"))
    assert member.of("media.restart") == [{"epoch": "e2"}]
    assert server.media.gates == {chair.me: True, member.me: False}


async def test_a_restart_of_the_server_forgets_nobody(tmp_path: Path) -> None:
    patient = replace(SHORT, grace_s=60.0)
    async with signalling(tmp_path, patient) as server:
        chair, member = await server.join(Role.CHAIR), await server.join()
        await chair.ask("participant.mute", {"participant_id": member.me, "muted": True, "hard": True})
        resume = member.resume
    async with signalling(tmp_path, patient) as server:
        back = await server.join(resume=resume)
        assert back.me == resume["participant_id"]
        assert back.state.participants[back.me]["hard_muted"] is True
        assert back.state.participants[chair.me]["connected"] is False
        assert await back.refused("participant.update", {"microphone": True}) == "hard_muted"


class Crowd:
    """Random people doing random things."""

    def __init__(self, server: Signalling, seed: int) -> None:
        self.server = server
        self.random = random.Random(seed)
        self.clients: list[Client] = []
        self.knocking: list[Client] = []

    async def step(self) -> None:
        actions = [
            self.join,
            self.ask,
            self.ask,
            self.ask,
            self.ask,
            self.media,
            self.leave,
            self.drop_and_return,
            self.knock,
            self.knock,
            self.operate,
        ]
        for each in [each for each in self.knocking if each.state.snapshot or not each.connected]:
            self.knocking.remove(each)
            if each.state.snapshot:
                self.clients.append(each)
        if len(self.clients) < 2:
            await self.join()
        else:
            await self.random.choice(actions)()

    async def join(self) -> None:
        if len(self.clients) < 6:
            role = self.random.choice([Role.CHAIR, Role.SECRETARIAT, Role.MEMBER, Role.MEMBER, Role.OBSERVER])
            self.clients.append(await self.server.join(role, f"人{len(self.clients)}"))

    async def operate(self) -> None:
        """An operator of the one hall, whom messages from the desk concern."""
        if len(self.clients) < 6:
            token = KEY.issue("c", Role.VENUE_OPERATOR, "马干事", venue="分会场", ttl_s=60)
            client = await self.server.connect({"token": token})
            await eventually(lambda: client.state.snapshot)
            self.clients.append(client)

    async def knock(self) -> None:
        """A stranger with a hall's code: comes before the door, or goes away from it."""
        if len(self.knocking) < 3:
            token = KEY.issue("c", Role.MEMBER, "路人", ttl_s=60, via=EntryMeans.CODE, in_hall=True)
            client = await self.server.connect({"token": token})
            await eventually(lambda: client.of("room.waiting"))
            self.knocking.append(client)
        else:
            await self.knocking.pop(0).call("room.leave")

    def somebody_waiting(self) -> str:
        known = [each.of("room.waiting")[0]["participant_id"] for each in self.knocking]
        return self.random.choice(known) if known else "p_none"

    async def ask(self) -> None:
        client, target = self.random.choice(self.clients), self.random.choice(self.clients)
        flags = {"muted": self.random.random() < 0.6, "hard": self.random.random() < 0.4}
        requests: list[tuple[str, dict[str, Any]]] = [
            ("participant.update", {"microphone": self.random.random() < 0.5}),
            (
                "participant.update",
                {"camera": self.random.random() < 0.5, "name": f"名{self.random.randrange(9)}"},
            ),
            ("participant.mute", {"participant_id": target.me, **flags}),
            ("participant.mute", {"all": True, **flags}),
            ("floor.request", {}),
            ("floor.withdraw", {"participant_id": target.me}),
            ("floor.grant", {"participant_id": target.me, "duration_ms": self.random.randrange(1, 400)}),
            ("floor.grant", {"participant_id": target.me, "duration_ms": 200, "ending": "hard"}),
            ("floor.order", {"participant_ids": [target.me]}),
            ("floor.mode", {"mode": self.random.choice(["free", "agenda", "chair"])}),
            ("floor.end", {}),
            ("floor.extend", {"ms": 100}),
            ("agenda.set", {"items": [{"title": f"第{n}项", "kind": "speech"} for n in range(3)]}),
            ("agenda.next", {}),
            ("agenda.end", {}),
            ("statement.add", {"text": "好", "key": f"key-{self.random.randrange(40):04}"}),
            (
                "statement.add",
                {"text": "悄悄话", "key": f"key-{self.random.randrange(40):04}", "private": True},
            ),
            ("statement.like", {"id": self.some_statement(), "liked": self.random.random() < 0.7}),
            ("statement.take", {"id": self.some_statement(), "taken": self.random.random() < 0.7}),
            ("media.publish", {"sdp": "offer"}),
            ("venue.message", {"text": "收到", "key": f"key-{self.random.randrange(40):04}"}),
            ("venue.message", {"venue_id": "分会场", "text": "请把话筒传给何委员"}),
            ("participant.admit", {"participant_id": self.somebody_waiting()}),
            ("participant.admit", {"all": True}),
            ("participant.refuse", {"participant_id": self.somebody_waiting()}),
        ]
        ack = await client.call(*self.random.choice(requests))
        assert ack["ok"] or ack["error"]["code"] not in ("internal", "unknown_event"), ack

    def some_statement(self) -> str:
        known = [each for client in self.clients for each in client.state.statements]
        return self.random.choice(known) if known else "s_none"

    async def media(self) -> None:
        target = self.random.choice(self.clients)
        track = PublicationInfo(f"v{self.random.randrange(3)}", Kind.VIDEO, Source.CAMERA, codec="VP8")
        self.server.media.emit(PublicationsChanged("c", target.me, (track,)))
        self.server.media.emit(QualityChanged("c", target.me, self.random.randrange(4)))

    async def leave(self) -> None:
        client = self.clients.pop(self.random.randrange(len(self.clients)))
        await client.ask("room.leave")

    async def drop_and_return(self) -> None:
        index = self.random.randrange(len(self.clients))
        resume = self.clients[index].resume
        await self.clients[index].drop()
        self.clients[index] = await self.server.join(resume=resume)


@pytest.mark.parametrize("seed", range(4))
async def test_snapshot_and_events_equal_a_fresh_snapshot(server: Signalling, seed: int) -> None:
    crowd = Crowd(server, seed)
    desks = [await server.desk(Role.SECRETARIAT), await server.desk(Role.MODERATOR)]
    for step in range(100):
        await crowd.step()
        if step == 40:
            await server.process.life_cycle.start("c", Bearer(Role.CHAIR, "t", "主持人"))
    await server.process.media_sessions.tell_qualities()  # nothing is on its way any more
    for client in (*crowd.clients, *desks):
        fresh = RoomState()
        fresh.start(await client.ask("room.sync"))  # its ack comes after every event before it
        assert client.state.comparable() == fresh.comparable()
    assert any(client.of("waiting.left") for client in (*crowd.clients, *desks))
