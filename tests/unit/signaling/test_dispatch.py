"""Dispatch: whatever comes in, there is exactly one ack, and it is a good or a typed one."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from conference.model.errors import ERROR_TEXTS, ConferenceError
from signaling.metrics import Metrics
from signaling.realtime.dispatch import REQUEST_BURST, Dispatcher, Handler, Session
from signaling.realtime.outbox import Outbox
from signaling.realtime.requests import REQUESTS, Request
from signaling.realtime.token_bucket import TokenBucket


async def fine(_session: Session, _request: Request) -> dict[str, Any]:
    return {"done": True}


async def broken(_session: Session, _request: Request) -> dict[str, Any]:
    raise RuntimeError("a bug")


async def refusing(_session: Session, _request: Request) -> dict[str, Any]:
    raise ConferenceError("hard_muted")


def make(call: Any = fine) -> Dispatcher:
    return Dispatcher({name: Handler(model, call) for name, model in REQUESTS.items()}, Metrics())


def session() -> Session:
    return Session("s", "c", "p_1", Outbox("s", lambda: None), TokenBucket(rate=0, burst=REQUEST_BURST))


def code_of(ack: dict[str, Any]) -> str | None:
    return None if ack["ok"] else str(ack["error"]["code"])


async def ask(event: object, *arguments: Any, call: Any = fine) -> str | None:
    return code_of(await make(call).dispatch(session(), event, arguments))


async def test_a_good_request_is_acked_with_its_data() -> None:
    assert await make().dispatch(session(), "room.sync", ()) == {"ok": True, "data": {"done": True}}


async def test_errors_become_codes() -> None:
    assert await ask("room.sync", {}, call=broken) == "internal"
    assert await ask("room.sync", {}, call=refusing) == "hard_muted"
    assert await ask("nonsense", {}) == "unknown_event"
    assert await ask({"a": 1}, {}) == "unknown_event"
    assert await ask("room.sync", {}, {}) == "bad_request"
    assert await ask("room.sync", [1]) == "bad_request"
    assert await ask("participant.update", {"microphone": "yes"}) == "bad_request"
    assert await ask("participant.mute", {"muted": True}) == "bad_request"
    assert await ask("participant.mute", {"all": True, "participant_id": "p", "muted": True}) == "bad_request"
    assert await ask("participant.remove", {"participant_id": "../../etc"}) == "bad_request"
    assert await ask("participant.update", {"name": "  "}) == "bad_request"
    assert await ask("participant.update", {"name": "x" * 41}) == "too_large"
    assert await ask("media.publish", {"sdp": "x" * (256 * 1024 + 1)}) == "too_large"
    assert (
        await ask("media.publish", {"sdp": "v=0", "tracks": [{"mid": "0", "source": "tv"}]}) == "bad_request"
    )
    assert await ask("media.publish", {"sdp": "v=0", "tracks": [{"mid": "0", "source": "screen"}]}) is None


async def test_no_session_and_a_closed_one() -> None:
    assert code_of(await make().dispatch(None, "room.sync", ())) == "stale"
    closed = session()
    closed.outbox.close()
    assert code_of(await make().dispatch(closed, "room.sync", ())) == "stale"


async def test_the_rate_is_limited() -> None:
    dispatcher, one = make(), session()
    codes = [code_of(await dispatcher.dispatch(one, "room.sync", ())) for _ in range(int(REQUEST_BURST) + 3)]
    assert codes[-4:] == [None, "rate_limited", "rate_limited", "rate_limited"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("sdp", "tracks", "participant_id", "all", "muted", "hard", "name", "microphone", "camera")
shaped = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(FIELDS, json_values),
)


DISPATCHER = make()  # one for all examples: it keeps nothing of a session, and its metrics take long to make


@given(
    event=st.sampled_from(sorted(REQUESTS)) | json_values,
    arguments=st.lists(json_values | shaped, max_size=3),
)
def test_anything_is_answered(event: Any, arguments: list[Any]) -> None:
    async def run() -> dict[str, Any]:
        return await DISPATCHER.dispatch(session(), event, tuple(arguments))

    ack = asyncio.run(run())
    assert ack == {"ok": True, "data": {"done": True}} or ack["error"]["code"] in ERROR_TEXTS
    assert code_of(ack) != "internal"
