"""Receivers of simulcast: moved between layers and temporal layers, they see one stream that a decoder accepts."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from conference.rtc.layer_selector import BEST, MAX_TEMPORAL
from conference.sfu.subscription import SubscriptionState
from tests.unit.sfu.layered import ORDER, Simulcast, Transport, Viewer

moves = st.lists(
    st.tuples(
        st.integers(1, 40), st.sampled_from([*ORDER, None, BEST]), st.sampled_from([0, 1, 2, MAX_TEMPORAL])
    ),
    max_size=12,
)


def play(
    source: Simulcast,
    frames: int,
    targets: dict[int, tuple[str | None, int]],
    transport: Transport,
    dice: random.Random,
    *,
    lose: float = 0.0,
    reorder: float = 0.0,
) -> None:
    """So many frames of all layers, 30 a second, with losses on the way up that are mended 60 ms later."""
    late: list[tuple[float, str, bytes]] = []
    subscription = source.publication.subscriptions[0]
    now = 1000.0
    for number in range(frames):
        now = 1000.0 + number / 30
        if number in targets:
            source.publication.retarget(subscription, *targets[number], now)
        if number % 30 == 3:
            source.report(now)
        for name, encoder in source.encoders.items():
            for packet in encoder.encode(int(now * 90000), dice.choice((1, 1, 2, 5))):
                chance = dice.random()
                if chance < lose:
                    late.append((now + 0.06, name, packet))
                elif chance < lose + reorder:
                    late.append((now, name, packet))
                else:
                    source.receive(name, packet, now)
        due = [one for one in late if one[0] <= now]
        late = [one for one in late if one[0] > now]
        for _, name, packet in due:
            source.receive(name, packet, now)
        for stream in source.streams.values():
            stream.tick(now, 0.05)
        source.publication.tick(now)
        if number % 30 == 0:
            subscription.sender_report(now)
    for _, name, packet in late:
        source.receive(name, packet, now)


def targets_of(changes: list[tuple[int, str | None, int]]) -> dict[int, tuple[str | None, int]]:
    targets: dict[int, tuple[str | None, int]] = {}
    at = 5
    for after, layer, temporal in changes:
        at += after
        targets[at] = (layer, temporal)
    return targets


@settings(deadline=None, max_examples=100)
@given(moves, st.integers(0, 1 << 30))
def test_switches_leave_no_trace_in_the_numbering(
    changes: list[tuple[int, str | None, int]], seed: int
) -> None:
    source, transport = Simulcast(seed), Transport()
    source.subscribe(transport)
    targets = targets_of(changes)
    play(source, 60 + max(targets, default=0), targets, transport, random.Random(seed))
    frames = Viewer(transport.sent).judge()
    layer, temporal = changes[-1][1:] if changes else (BEST, MAX_TEMPORAL)
    last = frames[-8:]
    if layer is not None:
        assert {frame[0].layer for frame in last} == {"f" if layer == BEST else layer}
        assert max(frame[0].temporal for frame in last) == min(2, temporal)


@settings(deadline=None, max_examples=100)
@given(moves, st.integers(0, 1 << 30), st.sampled_from([0.0, 0.02, 0.15]), st.sampled_from([0.0, 0.1]))
def test_losses_on_the_way_up_are_mended_in_the_right_places(
    changes: list[tuple[int, str | None, int]], seed: int, lose: float, reorder: float
) -> None:
    source, transport = Simulcast(seed), Transport()
    subscription = source.subscribe(transport)
    targets = targets_of(changes)
    frames = 60 + max(targets, default=0)
    play(source, frames, targets, transport, random.Random(seed), lose=lose, reorder=reorder)
    # What came late for a receiver that had moved on is only sent when it asks.
    for number in range(200):
        missing = Viewer(transport.sent).missing()
        if not missing or subscription.state is not SubscriptionState.ACTIVE:
            break
        subscription.resend(missing, 2000.0 + number)
    if subscription.state is SubscriptionState.ACTIVE:
        Viewer(transport.sent).judge(dense=False)
    else:
        Viewer(transport.sent)
