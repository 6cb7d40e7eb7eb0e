"""The board as a table: every code has a word, and a venue that was never measured has empty cells."""

from __future__ import annotations

from dataclasses import replace

from conference.model.media_report import Path
from conference.model.precheck import Verdict
from conference.model.precheck_figures import PrecheckItem
from conference.model.venue import VenueKind
from conference.model.venue_health import STEPS, VenueReason, VenueVerdict
from conference.services.venue_board import Board
from conference.venue_views import CheckedItemView, CheckedView, OthersView, VenueHealthView
from signaling.tables import venue_layout
from signaling.tables.messages import Sheet

VENUE = VenueHealthView(
    venue_id="v1",
    name="青禾县分会场",
    kind=VenueKind.BRANCH,
    place="县政协委员之家",
    operator_name="马干事",
    prepared=True,
    verdict=VenueVerdict.OK,
    reason=VenueReason.WELL,
    value=None,
    count=0,
    since_ms=1_000,
    need=0,
    steps=(),
    participant_ids=("p1",),
    picture_id=None,
    people=0,
    uplink_bps=6_100_400,
    uplink_loss=0.0042,
    rtt_ms=38,
    path=Path.UDP,
    cameras=(),
    checked=None,
)


def sheet(*venues: VenueHealthView) -> Sheet:
    return venue_layout.board(Board(0, True, venues, {}, OthersView(0, 0)))


def test_every_code_has_a_word() -> None:
    venues = [
        replace(VENUE, verdict=verdict, reason=reason, path=path, kind=kind, steps=STEPS[reason])
        for verdict in VenueVerdict
        for reason in VenueReason
        for path in Path
        for kind in (*VenueKind, None)
    ]
    rows = sheet(*venues).rows
    assert len(rows) == len(venues)
    assert {len(row) for row in rows} == {len(sheet().headings)}


def test_figures_and_the_items_of_a_pre_check_stand_in_their_columns() -> None:
    items = tuple(
        CheckedItemView(each, Verdict.WARNING if each is PrecheckItem.LIGHT else Verdict.PASSED, ())
        for each in PrecheckItem
    )
    checked = CheckedView("pc", 1, "马干事", 2_000, Verdict.WARNING, items)
    measured, unmeasured = sheet(
        replace(VENUE, checked=checked),
        replace(VENUE, uplink_bps=None, uplink_loss=None, rtt_ms=None, path=Path.NONE),
    ).rows
    titles = [each.title for each in sheet().headings]
    found = dict(zip(titles, measured, strict=True))
    assert (found["上行（千比特/秒）"], found["丢包（%）"], found["时延（毫秒）"]) == (6100, "0.4", 38)
    assert (found["画面亮度"], found["摄像头画面"], found["联调人"]) == ("提醒", "通过", "马干事")
    empty = dict(zip(titles, unmeasured, strict=True))
    assert (empty["上行（千比特/秒）"], empty["丢包（%）"], empty["线路"], empty["画面亮度"]) == (
        None,
        "",
        "",
        "",
    )
