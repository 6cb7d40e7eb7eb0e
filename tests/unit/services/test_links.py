"""Codes of links."""

import re
from dataclasses import dataclass, replace

from conference.model.ids import hash_secret
from conference.model.keyed import LinkRow
from conference.services.links import LinkKind, Links
from tests.unit.services.fakes import ManualClock
from tests.unit.services.hand_keys import DAY_MS, FIRST, SECOND, HandKeys

INVITEE = LinkKind.INVITEE


@dataclass(frozen=True)
class Owner:
    """Somebody with a link."""

    id: str
    link_revision: int
    link_hash: str


def given(links: Links, kind: LinkKind = INVITEE, owner_id: str = "i_1") -> Owner:
    return Owner(owner_id, 1, links.hash(kind, owner_id, 1))


def test_a_code_is_made_again_and_belongs_to_one_owner_kind_and_revision() -> None:
    links = Links(b"k" * 32)
    code = links.code(INVITEE, "i_1", 1)
    assert re.fullmatch(r"[a-z2-7]{24}", code)
    assert Links(b"k" * 32).code(INVITEE, "i_1", 1) == code
    others = {
        links.code(LinkKind.VENUE, "i_1", 1),
        links.code(INVITEE, "i_2", 1),
        links.code(INVITEE, "i_1", 2),
        Links(b"o" * 32).code(INVITEE, "i_1", 1),
    }
    assert len(others - {code}) == 4
    assert links.hash(INVITEE, "i_1", 1) == hash_secret(code)


def test_a_link_is_a_path_until_the_server_knows_its_address() -> None:
    links = Links(b"k")
    owner = given(links, LinkKind.VENUE, "v")
    code = links.code(LinkKind.VENUE, "v", 1)
    assert links.address(LinkKind.VENUE, owner) == f"/j/{code}"
    assert Links(b"k", "https://x.example/").address(LinkKind.VENUE, owner) == f"https://x.example/j/{code}"
    assert links.address(LinkKind.DEPARTMENT, given(links, LinkKind.DEPARTMENT, "d")).startswith("/d/")


def test_a_link_is_shown_as_it_was_sent_while_its_key_is_accepted() -> None:
    clock = ManualClock(epoch_ms=DAY_MS)
    keys = HandKeys(clock)
    links = Links(keys)
    owner = given(links)
    sent = links.address(INVITEE, owner)
    keys.rotate(days=30)
    assert links.address(INVITEE, owner) == sent
    assert not links.is_void(INVITEE, owner)
    assert given(links, owner_id="i_2").link_hash == Links(SECOND.secret or b"").hash(INVITEE, "i_2", 1)
    clock.forward(30 * 86_400)
    assert links.is_void(INVITEE, owner)
    assert links.address(INVITEE, owner) != sent


def test_links_of_a_key_that_is_over_are_made_anew_and_of_one_that_leaked_void_what_they_opened() -> None:
    clock = ManualClock(epoch_ms=DAY_MS)
    keys = HandKeys(clock)
    links = Links(keys)
    row = LinkRow("invitee", "i_1", "c", 3, links.hash(INVITEE, "i_1", 3))
    keys.rotate(days=30)
    assert links.mended(row) is None, "it is accepted"
    leaked = HandKeys(clock, keys.key_set.retired(FIRST.id, clock.wall_ms()))
    after = Links(leaked).mended(row)
    assert after == replace(row, revision=4, hash=links.hash(INVITEE, "i_1", 4))
    sealed = Links(leaked).mended(row, is_sealed=True)
    assert sealed == replace(row, hash=links.hash(INVITEE, "i_1", 3)), "its revision is in the package"
    clock.forward(30 * 86_400)
    ended = links.mended(row)
    assert ended == replace(row, hash=links.hash(INVITEE, "i_1", 3)), "who came by it stays"
    assert links.mended(ended) is None
    strange = replace(row, hash=Links(b"?" * 32).hash(INVITEE, "i_1", 3))
    assert links.mended(strange) is None, "another server's, perhaps: it is left alone"


def test_what_proves_a_screen_is_good_beyond_the_overlap_and_not_after_a_leak() -> None:
    clock = ManualClock(epoch_ms=DAY_MS)
    keys = HandKeys(clock)
    links = Links(keys)
    secret = links.screen_secret("c|s_1|t")
    keys.rotate(days=1)
    clock.forward(2 * 86_400)
    assert links.is_screen_secret("c|s_1|t", secret)
    assert not links.is_screen_secret("c|s_2|t", secret)
    assert not links.is_screen_secret("c|s_1|t", "不是")
    keys.key_set = keys.key_set.retired(FIRST.id, clock.wall_ms())
    assert not links.is_screen_secret("c|s_1|t", secret)
