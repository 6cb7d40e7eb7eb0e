"""Tokens: what ours say, and that no other is taken."""

import base64
import json

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from conference.model.errors import ConferenceError
from conference.model.participant import EntryMeans
from conference.model.permissions import Role
from signaling.auth.tokens import TokenKey

KEY = b"k" * 32


def refused(token: str) -> str:
    with pytest.raises(ConferenceError) as caught:
        TokenKey(KEY).read(token)
    return caught.value.code


def test_round_trip() -> None:
    token = TokenKey(KEY).issue("c", Role.CHAIR, "李主席", venue="主会场", ttl_s=60)
    claims = TokenKey(KEY).read(token)
    assert (claims.consultation_id, claims.role, claims.name, claims.venue) == (
        "c",
        Role.CHAIR,
        "李主席",
        "主会场",
    )
    other = TokenKey(KEY).read(TokenKey(KEY).issue("c", Role.CHAIR, "x", ttl_s=60))
    assert other.token_id != claims.token_id
    assert other.venue is None


def test_what_stands_behind_a_token_comes_back() -> None:
    token = TokenKey(KEY).issue(
        "c",
        Role.MEMBER,
        "王委员",
        ttl_s=60,
        via=EntryMeans.CODE,
        invitee_id="i_1",
        venue_id="v_1",
        link_revision=3,
        in_hall=True,
        user_id="u_1",
    )
    claims = TokenKey(KEY).read(token)
    assert claims.via is EntryMeans.CODE
    assert (claims.invitee_id, claims.venue_id, claims.link_revision) == ("i_1", "v_1", 3)
    assert claims.in_hall
    assert claims.user_id == "u_1"
    plain = TokenKey(KEY).read(TokenKey(KEY).issue("c", Role.MEMBER, "x", ttl_s=60))
    assert (
        plain.via,
        plain.invitee_id,
        plain.venue_id,
        plain.link_revision,
        plain.in_hall,
        plain.user_id,
    ) == (
        EntryMeans.TOKEN,
        None,
        None,
        None,
        False,
        None,
    )


def test_another_key_a_changed_claim_and_rubbish_are_refused() -> None:
    token = TokenKey(KEY).issue("c", Role.MEMBER, "x", ttl_s=60)
    assert refused(TokenKey(b"o" * 32).issue("c", Role.MEMBER, "x", ttl_s=60)) == "token_invalid"
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["role"] = "chair"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert refused(f"{header}.{forged}.{signature}") == "token_invalid"
    for rubbish in ("", "x", "a.b.c", "." * 10, "é", "x" * 100_000, "\x00"):
        assert refused(rubbish) == "token_invalid"


def test_a_token_without_a_signature_is_refused() -> None:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    claims = {"cid": "c", "role": "chair", "name": "x", "jti": "t_1", "exp": 9_999_999_999}
    assert refused(f"{part({'alg': 'none'})}.{part(claims)}.") == "token_invalid"


@pytest.mark.parametrize(
    "change",
    [
        {"role": "viewer"},
        {"cid": "../x"},
        {"name": ""},
        {"name": 3},
        {"exp": None},
        {"jti": ""},
        {"via": "window"},
        {"inv": "a b"},
        {"rev": "x"},
    ],
)
def test_claims_are_checked(change: dict[str, object]) -> None:
    claims: dict[str, object] = {"cid": "c", "role": "chair", "name": "x", "jti": "t_1", "exp": 9_999_999_999}
    token = jwt.encode({"alg": "HS256"}, claims | change, OctKey.import_key(KEY))
    assert refused(token) == "token_invalid"
