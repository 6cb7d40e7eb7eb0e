"""What is found wrong with a connection, and in what order."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.model.diagnosis import Finding, Grade, Signs, diagnose
from conference.model.media_report import Path

WELL = Signs(uplink="connected", downlink="connected", path=Path.UDP, rtt_ms=30, freeze=0.0, concealed=0.0)


def found(signs: Signs) -> list[tuple[Finding, Grade]]:
    return [(one.finding, one.grade) for one in diagnose(signs)]


def test_who_is_well_needs_no_words() -> None:
    assert found(WELL) == []
    assert found(replace(WELL, uplink=None, rtt_ms=None, freeze=None, concealed=None)) == []


@pytest.mark.parametrize(
    ("more", "finding", "grade"),
    [
        ({"uplink_loss": 0.05}, Finding.UPLINK_LOSS, Grade.WARN),
        ({"uplink_loss": 0.12}, Finding.UPLINK_LOSS, Grade.BAD),
        ({"downlink_loss": 0.05}, Finding.DOWNLINK_LOSS, Grade.WARN),
        ({"rtt_ms": 500}, Finding.FAR, Grade.WARN),
        ({"sound_only": True, "lowered": 3}, Finding.SOUND_ONLY, Grade.BAD),
        ({"lowered": 3}, Finding.NARROW, Grade.WARN),
        ({"freeze": 0.2}, Finding.FREEZES, Grade.BAD),
        ({"concealed": 0.03}, Finding.BROKEN_SOUND, Grade.WARN),
        ({"camera_silent": True}, Finding.CAMERA_SILENT, Grade.WARN),
        ({"microphone_silent": True}, Finding.MICROPHONE_SILENT, Grade.WARN),
        ({"small_height": 180}, Finding.SMALL_PICTURE, Grade.WARN),
        ({"undecodable": 2}, Finding.UNDECODABLE, Grade.WARN),
        ({"not_reporting_s": 30.0}, Finding.NOT_REPORTING, Grade.NOTE),
        ({"path": Path.TCP}, Finding.OVER_TCP, Grade.NOTE),
        ({"path": Path.HTTPS_PORT}, Finding.OVER_TCP, Grade.NOTE),
        ({"path": Path.RELAY}, Finding.OVER_RELAY, Grade.NOTE),
        ({"downlink": "disconnected"}, Finding.MEDIA_LOST, Grade.BAD),
        ({"uplink": "new", "downlink": "new", "path": Path.NONE}, Finding.NO_MEDIA, Grade.BAD),
        ({"uplink": None, "downlink": "closed", "path": Path.NONE}, Finding.NO_MEDIA, Grade.BAD),
        ({"uplink": None, "downlink": "closed"}, Finding.MEDIA_LOST, Grade.BAD),
        ({"away_s": 4.0}, Finding.AWAY, Grade.BAD),
    ],
)
def test_each_trouble_has_its_finding(more: dict[str, object], finding: Finding, grade: Grade) -> None:
    assert found(replace(WELL, **more)) == [(finding, grade)]  # type: ignore[arg-type]


def test_who_has_just_come_may_take_a_moment() -> None:
    assert found(Signs(is_new=True, downlink="new")) == []


def test_who_sends_nothing_and_is_to_get_nothing_has_no_trouble() -> None:
    assert found(Signs()) == []


def test_whose_fault_it_is_is_said_only_where_something_suffers() -> None:
    blamed = replace(WELL, troubled_senders=("p_far",))
    assert found(blamed) == []
    bad, sender = diagnose(replace(blamed, freeze=0.2))
    assert (bad.finding, sender.finding, sender.participant_id) == (
        Finding.FREEZES,
        Finding.SENDER,
        "p_far",
    )


@given(
    st.builds(
        Signs,
        uplink=st.sampled_from([None, "new", "connected", "disconnected", "closed"]),
        downlink=st.sampled_from([None, "new", "connected", "disconnected", "closed"]),
        path=st.sampled_from(list(Path)),
        uplink_loss=st.floats(0, 1),
        downlink_loss=st.floats(0, 1),
        rtt_ms=st.none() | st.integers(0, 9000),
        sound_only=st.booleans(),
        lowered=st.integers(0, 30),
        freeze=st.none() | st.floats(0, 1),
        small_height=st.sampled_from([0, 180]),
    )
)
def test_the_gravest_comes_first_and_nothing_twice(signs: Signs) -> None:
    grades = [list(Grade).index(one.grade) for one in diagnose(signs)]
    assert grades == sorted(grades)
    findings = [one.finding for one in diagnose(signs)]
    assert len(findings) == len(set(findings))
