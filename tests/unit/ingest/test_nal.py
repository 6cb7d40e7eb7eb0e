"""What is read of coded pictures before browsers get them, or not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conference.ingest import nal
from tests.support.encoded import pictures

_PLAIN = {"profile": "baseline", "g": "5", "bf": "0", "sc_threshold": "0", "tune": "zerolatency"}
_WITH_B = {"profile": "main", "g": "30", "bf": "2", "b_strategy": "0"}


def of(data: bytes) -> nal.Picture:
    return nal.Picture(nal.units_of(data))


def test_pictures_to_begin_with_are_found_with_their_parameter_sets() -> None:
    found = [of(each.data) for each in pictures("libx264", 11, options=_PLAIN)]
    assert [number for number, each in enumerate(found) if each.is_key] == [0, 5, 10]
    assert [nal.kind_of(unit) for unit in found[5].sets] == [nal.SPS, nal.PPS]
    assert not any(each.has_b for each in found)
    assert all(each.slices for each in found)


def test_pictures_that_go_backwards_are_told_from_others() -> None:
    coded = pictures("libx264", 31, options=_WITH_B)
    found = [of(each.data) for each in coded]
    assert sum(each.has_b for each in found) > 10
    assert [each.is_idr for each in found] == [each.is_key for each in coded]


def test_lengths_and_start_codes_say_the_same() -> None:
    data = pictures("libx264", 1, options=_PLAIN)[0].data
    units = nal.units_of(data)
    for size in (2, 4):
        behind = b"".join(len(unit).to_bytes(size, "big") + unit for unit in units)
        assert nal.units_of(behind, size) == units
    assert nal.units_of(behind[:-1], 4) == units[:-1], "what is cut is left out"


def test_parameter_sets_beside_the_pictures_are_read_in_both_forms() -> None:
    units = nal.units_of(pictures("libx264", 1, options=_PLAIN)[0].data)
    sps, pps = nal.first_set(units, nal.SPS), nal.first_set(units, nal.PPS)
    assert sps is not None
    assert pps is not None
    box = (
        b"\1" + sps[1:4] + b"\xff\xe1" + len(sps).to_bytes(2, "big") + sps
        + b"\1" + len(pps).to_bytes(2, "big") + pps
    )  # fmt: skip
    assert nal.read_extradata(box) == (4, [sps, pps])
    assert nal.read_extradata(b"\0\0\0\1" + sps + b"\0\0\1" + pps) == (0, [sps, pps])
    assert nal.read_extradata(box[:20])[1] == []
    assert nal.read_extradata(b"") == (0, [])
    assert nal.is_for_browsers(sps)
    assert not nal.is_for_browsers(bytes((sps[0], 110)) + sps[2:]), "ten bits"
    assert not nal.is_for_browsers(sps[:3])


@given(st.binary(max_size=200), st.sampled_from((0, 1, 2, 4)))
def test_rubbish_hurts_nothing(data: bytes, size: int) -> None:
    picture = nal.Picture(nal.units_of(data, size))
    assert picture.is_key in (True, False)
    nal.read_extradata(data)
    nal.read_extradata(b"\1" + data)
    nal.is_for_browsers(data)
