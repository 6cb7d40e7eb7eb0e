"""Codes of links."""

import re

from conference.model.ids import hash_secret
from conference.services.links import LinkKind, Links


def test_a_code_is_made_again_and_belongs_to_one_owner_kind_and_revision() -> None:
    links = Links(b"k" * 32)
    code = links.code(LinkKind.INVITEE, "i_1", 1)
    assert re.fullmatch(r"[a-z2-7]{24}", code)
    assert Links(b"k" * 32).code(LinkKind.INVITEE, "i_1", 1) == code
    others = {
        links.code(LinkKind.VENUE, "i_1", 1),
        links.code(LinkKind.INVITEE, "i_2", 1),
        links.code(LinkKind.INVITEE, "i_1", 2),
        Links(b"o" * 32).code(LinkKind.INVITEE, "i_1", 1),
    }
    assert len(others - {code}) == 4
    assert links.hash(LinkKind.INVITEE, "i_1", 1) == hash_secret(code)


def test_a_link_is_a_path_until_the_server_knows_its_address() -> None:
    code = Links(b"k").code(LinkKind.VENUE, "v", 1)
    assert Links(b"k").address(LinkKind.VENUE, "v", 1) == f"/j/{code}"
    assert Links(b"k", "https://x.example/").address(LinkKind.VENUE, "v", 1) == f"https://x.example/j/{code}"
