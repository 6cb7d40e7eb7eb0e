"""Floods: the same by one device, the same by many, and bounded memory."""

from conference.model.flood import FLOOD_COUNT, FLOOD_S, REPEAT_S, FloodGate


def codes(gate: FloodGate, *said: tuple[str, str, float]) -> list[str | None]:
    reasons = (gate.judge(*each) for each in said)
    return [None if each is None else each.code for each in reasons]


def test_one_device_repeats_itself() -> None:
    said = [("d", "一样的话", 0.0), ("d", "一样的话", REPEAT_S - 1), ("e", "一样的话", REPEAT_S - 1)]
    assert codes(FloodGate(), *said) == [None, "repeat", None]
    assert codes(FloodGate(), said[0], ("d", "一样的话", REPEAT_S)) == [None, None]


def test_many_devices_say_the_same() -> None:
    crowd = [(f"d{number}", "同一句话同一句话", float(number)) for number in range(FLOOD_COUNT + 2)]
    assert codes(FloodGate(), *crowd) == [None] * FLOOD_COUNT + ["flood"] * 2
    slowly = [(device, text, at_s * FLOOD_S) for device, text, at_s in crowd]
    assert set(codes(FloodGate(), *slowly)) == {None}
    short = [(device, "支持", at_s) for device, _, at_s in crowd]
    assert set(codes(FloodGate(), *short)) == {None}, "many people say just that"


def test_it_forgets_what_was_said_first() -> None:
    gate = FloodGate(kept=10)
    codes(gate, *((f"d{number}", f"第{number}句", 0.0) for number in range(100)))
    assert codes(gate, ("d0", "第0句", 1.0), ("d99", "第99句", 1.0)) == [None, "repeat"]
    assert max(len(gate._said), len(gate._heard)) == 10
