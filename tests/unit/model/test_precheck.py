"""What figures of a pre-check mean, item by item, and when a sheet may be handed in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from conference.model.errors import ConferenceError
from conference.model.precheck import (
    Judgement,
    Precheck,
    Verdict,
    checked,
    judge,
    require_whole,
)
from conference.model.precheck_figures import FIGURES_OF, Figures, PrecheckItem, item_of
from tests.support.prechecks import (
    CAMERA,
    CLOCK,
    ECHO,
    HEALTHY,
    LIGHT,
    LOUDSPEAKER,
    MICROPHONE,
    NAMEPLATE,
    NETWORK,
    PROJECTION,
    healthy_items,
)

PASSED, WARNING, FAILED = Verdict.PASSED, Verdict.WARNING, Verdict.FAILED

FAULTS: tuple[tuple[Figures, Verdict, tuple[str, ...]], ...] = (
    (replace(CAMERA, problem="denied", width=0), FAILED, ("no_camera",)),
    (replace(CAMERA, still_ms=4000, frames_per_s=0.0), FAILED, ("frozen",)),
    (replace(CAMERA, still_ms=2499), PASSED, ()),
    (replace(CAMERA, frames_per_s=15.0), WARNING, ("slow",)),
    (replace(CAMERA, frames_per_s=5.0), FAILED, ("slow",)),
    (replace(CAMERA, width=640, height=360), WARNING, ("small",)),
    (replace(CAMERA, width=320, height=180), FAILED, ("small",)),
    (replace(CAMERA, width=720, height=1280), PASSED, ()),
    (replace(LIGHT, seen=False), FAILED, ("unseen",)),
    (replace(LIGHT, mean=6.0), FAILED, ("black",)),
    (replace(LIGHT, mean=40.0), WARNING, ("dark",)),
    (replace(LIGHT, contrast=1.0), FAILED, ("flat",)),
    (replace(LIGHT, mean=230.0, bright_share=0.7), WARNING, ("bright",)),
    (replace(MICROPHONE, problem="missing"), FAILED, ("no_microphone",)),
    (replace(MICROPHONE, speech_dbfs=-120.0, noise_dbfs=-120.0), FAILED, ("silent",)),
    (replace(MICROPHONE, speech_dbfs=-45.0), WARNING, ("quiet",)),
    (replace(MICROPHONE, clipped_share=0.08), FAILED, ("clipped",)),
    (replace(MICROPHONE, clipped_share=0.001), WARNING, ("clipped",)),
    (replace(MICROPHONE, noise_dbfs=-30.0), WARNING, ("noisy",)),
    (replace(MICROPHONE, right_dbfs=-90.0), WARNING, ("one_sided",)),
    (replace(MICROPHONE, left_dbfs=None, right_dbfs=None), PASSED, ()),
    (replace(LOUDSPEAKER, played=False, notes_heard=0), FAILED, ("not_played",)),
    (replace(LOUDSPEAKER, notes_heard=2), FAILED, ("not_heard",)),
    (replace(LOUDSPEAKER, notes_heard=3), PASSED, ()),
    (replace(LOUDSPEAKER, above_noise_db=11.0), WARNING, ("faint",)),
    (replace(ECHO, played=False), FAILED, ("not_played",)),
    (replace(ECHO, return_dbfs=-29.0), FAILED, ("echo",)),
    (replace(ECHO, return_dbfs=-43.0), WARNING, ("some_echo",)),
    (replace(ECHO, return_dbfs=None), PASSED, ()),
    (replace(ECHO, direct_dbfs=None, return_dbfs=None), WARNING, ("no_tone",)),
    (replace(NETWORK, way="none", up_bps=None, down_bps=None), FAILED, ("shut",)),
    (replace(NETWORK, way="tcp"), WARNING, ("udp_blocked",)),
    (replace(NETWORK, way="unknown"), WARNING, ("untried",)),
    (replace(NETWORK, up_loss=0.05), WARNING, ("loss",)),
    (replace(NETWORK, down_loss=0.2), FAILED, ("loss",)),
    (replace(NETWORK, up_bps=290_000.0), FAILED, ("thin_up",)),
    (replace(NETWORK, up_bps=1_000_000.0), WARNING, ("thin_up",)),
    (replace(NETWORK, down_bps=2_000_000.0), WARNING, ("thin_down",)),
    (replace(NETWORK, up_bps=None), WARNING, ("thin_up_unknown",)),
    (replace(NETWORK, down_bps=None), WARNING, ("thin_down_unknown",)),
    (replace(NETWORK, rtt_ms=300.0), WARNING, ("delay",)),
    (replace(NETWORK, jitter_ms=120.0), WARNING, ("jitter",)),
    (replace(NETWORK, way="tcp", up_bps=300_000.0), FAILED, ("thin_up", "udp_blocked")),
    (replace(CLOCK, offset_ms=3_600_000), WARNING, ("off",)),
    (replace(CLOCK, offset_ms=-2_100, uncertainty_ms=500), PASSED, ()),
    (replace(PROJECTION, answer="unseen"), FAILED, ("unseen",)),
    (replace(PROJECTION, answer="cropped"), WARNING, ("cropped",)),
    (replace(PROJECTION, width=1600, height=1200), WARNING, ("ratio",)),
    (replace(PROJECTION, width=1366, height=768), PASSED, ()),
    (replace(PROJECTION, width=1024, height=576), WARNING, ("small",)),
    (replace(NAMEPLATE, answer="wrong", wanted="青禾县会场"), WARNING, ("wrong",)),
)


def sheet(**changes: object) -> Precheck:
    items = require_whole(healthy_items())
    whole = Precheck("pc_1", "c", "v_1", 1, "青禾县分会场", "赵六", "Chromium", 118_000, 2**41, items)
    return replace(whole, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("figures", HEALTHY, ids=lambda each: item_of(each).value)
def test_a_healthy_venue_passes(figures: Figures) -> None:
    assert judge(figures) == Judgement(PASSED)


@pytest.mark.parametrize(("figures", "verdict", "faults"), FAULTS)
def test_each_fault_is_named(figures: Figures, verdict: Verdict, faults: tuple[str, ...]) -> None:
    assert judge(figures) == Judgement(verdict, faults)


def test_every_item_has_figures() -> None:
    assert list(FIGURES_OF) == list(PrecheckItem)
    assert {item_of(each) for each in HEALTHY} == set(PrecheckItem)


def test_a_sheet_is_as_grave_as_its_gravest_item() -> None:
    assert sheet().verdict is PASSED
    skipped = require_whole(healthy_items({PrecheckItem.ECHO: (None, "借用的会议室，明天再测")}))
    assert sheet(items=skipped).verdict is WARNING
    failed = {PrecheckItem.LOUDSPEAKER: (replace(LOUDSPEAKER, notes_heard=0), "音箱明天到")}
    assert sheet(items=require_whole(healthy_items(failed))).verdict is FAILED


def test_red_and_skipped_want_a_written_reason_and_amber_none() -> None:
    red = replace(LOUDSPEAKER, notes_heard=0)
    for figures in (red, None):
        with pytest.raises(ConferenceError) as caught:
            checked(PrecheckItem.LOUDSPEAKER, figures, "  ")
        assert (caught.value.code, caught.value.members) == ("precheck_reason", {"item": "loudspeaker"})
    assert checked(PrecheckItem.LOUDSPEAKER, red, "音箱明天到").reason == "音箱明天到"
    amber = checked(PrecheckItem.CLOCK, replace(CLOCK, offset_ms=10**7), "")
    assert amber.judgement.verdict is WARNING
    assert checked(PrecheckItem.CLOCK, CLOCK, "写了也不算").reason == ""


def test_figures_of_another_item_are_refused() -> None:
    with pytest.raises(ConferenceError, match="another item"):
        checked(PrecheckItem.CAMERA, LIGHT, "")


def test_a_sheet_has_each_item_once_in_its_order() -> None:
    items = healthy_items()
    assert [each.item for each in require_whole(items[::-1])] == list(PrecheckItem)
    for wrong in (items[1:], [*items, items[0]], [*items[1:], items[1]], []):
        with pytest.raises(ConferenceError) as caught:
            require_whole(wrong)
        assert caught.value.code == "bad_request"


def test_the_document_says_everything_but_the_signature_and_is_canonical() -> None:
    document = sheet(signature="s").document()
    assert document == sheet().document()
    said = json.loads(document)
    assert document == json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert "signature" not in said
    assert [each["item"] for each in said["items"]] == [each.value for each in PrecheckItem]
    assert said["items"][5]["figures"]["rtt_ms"] == 38.0
    assert sheet(took_ms=1).document() != document
