"""The chain: whatever is changed afterwards is found, and named."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from conference.model.audit import (
    CLI,
    Actor,
    ActorKind,
    AuditEntry,
    AuditHead,
    AuditLine,
    AuditText,
    Breach,
    Fault,
    Personal,
    Value,
    beginning,
    canonical_json,
    check_line,
    personal_hashes,
    seal,
    verify,
)

_CHAIR = Actor(ActorKind.PARTICIPANT, "p_1", "chair", "王主任")


def chain_of(count: int) -> tuple[list[AuditLine], list[AuditText], AuditHead]:
    head = beginning("c")
    lines: list[AuditLine] = []
    texts: list[AuditText] = []
    for number in range(count):
        entry = AuditEntry(
            "c",
            1_800_000_000_000 + number,
            number,
            _CHAIR,
            "participant.renamed",
            f"p_{number}",
            _content(number),
        )
        line, kept = seal(entry, head)
        head = AuditHead("c", line.number, line.hash)
        lines.append(line)
        texts.extend(kept)
    return lines, texts, head


def _content(number: int) -> dict[str, Value]:
    return {"name": Personal(f"委员{number}"), "count": number, "list": [{"who": Personal("x")}, True, None]}


def test_a_chain_as_it_was_written_is_whole() -> None:
    lines, texts, head = chain_of(5)
    assert verify(lines, texts, head) is None
    assert verify([], (), beginning("c")) is None


def test_personal_text_is_not_in_the_line() -> None:
    lines, texts, _ = chain_of(1)
    assert "王主任" not in lines[0].content
    assert "委员" not in lines[0].content
    assert {text.field: text.text for text in texts} == {
        "by_name": "王主任",
        "name": "委员0",
        "list.0.who": "x",
    }
    assert personal_hashes(lines[0].content).keys() == {"by_name", "name", "list.0.who"}


def test_equal_texts_are_salted_apart() -> None:
    lines, _, _ = chain_of(2)
    first, second = (personal_hashes(line.content)["by_name"] for line in lines)
    assert first != second


def test_deleting_personal_text_leaves_the_chain_verifiable() -> None:
    lines, texts, head = chain_of(3)
    assert verify(lines, [text for text in texts if text.number != 2], head) is None
    assert verify(lines, (), head) is None


def test_a_changed_text_is_named() -> None:
    lines, texts, head = chain_of(3)
    forged = [replace(text, text="别人") if text.number == 2 else text for text in texts]
    assert verify(lines, forged, head) == Breach(2, Fault.TEXT)
    stray = [*texts, AuditText("c", 9, "name", "00", "x")]
    assert verify(lines, stray, head) == Breach(9, Fault.TEXT)


def test_missing_moved_and_doubled_lines_are_named() -> None:
    lines, _, head = chain_of(4)
    assert verify([lines[0], *lines[2:]], (), head) == Breach(2, Fault.NUMBER)
    assert verify([lines[0], lines[2], lines[1], lines[3]], (), head) == Breach(2, Fault.NUMBER)
    assert verify([lines[0], *lines], (), head) == Breach(2, Fault.NUMBER)
    assert verify(lines[:-1], (), head) == Breach(4, Fault.HEAD)
    assert verify([], (), head) == Breach(1, Fault.HEAD)


def test_another_spelling_of_the_same_content_is_a_change() -> None:
    lines, _, head = chain_of(2)
    lines[1] = replace(lines[1], content=json.dumps(json.loads(lines[1].content)))
    assert verify(lines, (), head) == Breach(2, Fault.CONTENT)
    lines[1] = replace(lines[1], content="{")
    assert verify(lines, (), head) == Breach(2, Fault.CONTENT)


def test_a_line_that_was_hashed_anew_breaks_the_next() -> None:
    lines, texts, head = chain_of(3)
    forged, _ = seal(AuditEntry("c", 1, None, CLI, "token.issued"), AuditHead("c", 1, lines[0].hash))
    texts = [text for text in texts if text.number != 2]
    assert verify([lines[0], forged, lines[2]], texts, head) == Breach(3, Fault.HASH)


@given(st.data())
def test_any_change_of_any_field_is_found_in_its_line(data: st.DataObject) -> None:
    lines, texts, head = chain_of(4)
    index = data.draw(st.integers(0, 3))
    name = data.draw(st.sampled_from(list(AuditLine.__slots__)))
    before = getattr(lines[index], name)
    kind: st.SearchStrategy[Any] = (
        st.integers(0, 2**40) if name in ("number", "at_ms", "program_time_ms") else st.text(max_size=80)
    )
    if name in ("program_time_ms", "actor_id", "subject"):
        kind = kind | st.none()
    changed: dict[str, Any] = {name: data.draw(kind.filter(lambda each: each != before))}
    lines[index] = replace(lines[index], **changed)
    breach = verify(lines, texts, head)
    assert breach is not None
    assert breach.number == index + 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.text().map(Personal),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=10,
    )
)
def test_any_content_is_sealed_in_one_spelling(value: Value) -> None:
    line, texts = seal(AuditEntry("c", 1, None, CLI, "a", content={"v": value}), beginning("c"))
    assert canonical_json(json.loads(line.content)) == line.content
    assert check_line(line, beginning("c"), texts) is None or _paths_meet(texts)


def _paths_meet(texts: list[AuditText]) -> bool:
    """Keys with dots of their own may give two fields one path; real content has none."""
    return any("." in text.field.removeprefix("v.") or text.field.endswith(".") for text in texts)
