"""Tokens: what ours say, and that no other is taken."""

import base64
import json

import hypothesis
import pytest
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import OctKey

from conference.model.errors import ConferenceError, NotFoundError
from conference.model.keyset import KeyState, key_id
from conference.model.participant import EntryMeans
from conference.model.permissions import Role
from signaling.auth.sealer import SubjectVault
from signaling.auth.signer import DocumentSigner
from signaling.auth.tokens import TokenKey
from tests.unit.services.fakes import ManualClock
from tests.unit.services.hand_keys import FIRST, SECOND, HandKeys

KEY = b"k" * 32
GOOD = {"cid": "c", "role": "member", "name": "x", "jti": "t_1", "exp": 1}


def refused(token: str, keys: HandKeys | bytes = KEY) -> str:
    with pytest.raises(ConferenceError) as caught:
        TokenKey(keys).read(token)
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


def rotated_keys(days: float = 30) -> HandKeys:
    keys = HandKeys(ManualClock())
    keys.rotate(days)
    return keys


def test_a_token_names_the_key_that_signed_it() -> None:
    token = TokenKey(KEY).issue("c", Role.CHAIR, "x", ttl_s=60)
    assert jws.extract_compact(token.encode()).headers()["kid"] == key_id(KEY)
    assert TokenKey(KEY).read(token).key_id == key_id(KEY)


def test_what_the_former_key_signed_is_good_for_the_overlap_and_then_for_coming_back() -> None:
    clock = ManualClock()
    keys = HandKeys(clock)
    ours = TokenKey(keys)
    before = ours.issue("c", Role.CHAIR, "x", ttl_s=60)
    keys.rotate(days=30)
    after = ours.issue("c", Role.CHAIR, "x", ttl_s=60)
    assert (ours.read(before).key_id, ours.read(after).key_id) == (FIRST.id, SECOND.id)
    assert not ours.read(before).key_ended
    clock.forward(30 * 86_400)
    assert ours.read(before).key_ended
    assert not ours.read(after).key_ended


def test_nothing_of_a_retired_key_is_read_with_its_name_or_without() -> None:
    keys = rotated_keys()
    plain = jwt.encode({"alg": "HS256"}, GOOD, OctKey.import_key(FIRST.secret or b""))
    tokens = [TokenKey(FIRST.secret or b"").issue("c", Role.CHAIR, "x", ttl_s=60), plain]
    for each in tokens:
        TokenKey(keys).read(each)
    keys.key_set = keys.key_set.retired(FIRST.id, keys.clock.wall_ms())
    for each in tokens:
        assert refused(each, keys) == "token_invalid"


def test_a_token_from_before_keys_had_names_is_read_by_whichever_signed_it() -> None:
    keys = rotated_keys()
    for each in (FIRST, SECOND):
        plain = jwt.encode({"alg": "HS256"}, GOOD, OctKey.import_key(each.secret or b""))
        assert TokenKey(keys).read(plain).key_id == each.id


def test_the_name_of_another_key_helps_nobody() -> None:
    keys = rotated_keys()
    forged = jwt.encode({"alg": "HS256", "kid": SECOND.id}, GOOD, OctKey.import_key(b"z" * 32))
    crossed = jwt.encode({"alg": "HS256", "kid": SECOND.id}, GOOD, OctKey.import_key(FIRST.secret or b""))
    for each in (forged, crossed):
        assert refused(each, keys) == "token_invalid"


@hypothesis.given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 90)), max_size=2), st.booleans(), st.integers(0, 90)
)
def test_a_token_is_good_exactly_while_its_key_is(
    rotations: list[tuple[int, int]], retire: bool, wait_days: int
) -> None:
    clock = ManualClock()
    keys = HandKeys(clock)
    token, signed_by = TokenKey(keys).issue("c", Role.CHAIR, "x", ttl_s=60), keys.key_set.signing.id
    for overlap_days, days in rotations:
        keys.rotate(overlap_days)
        clock.forward(days * 86_400)
    if retire and rotations:
        keys.key_set = keys.key_set.retired(signed_by, clock.wall_ms())
    clock.forward(wait_days * 86_400)
    key = keys.key_set.find(signed_by)
    assert key is not None
    state = key.state(clock.wall_ms())
    if state is KeyState.RETIRED:
        assert refused(token, keys) == "token_invalid"
    else:
        assert TokenKey(keys).read(token).key_ended is (state is KeyState.ENDED)


def test_a_signed_record_is_verified_for_ever_and_names_the_key_by_which() -> None:
    keys = HandKeys(ManualClock())
    signer = DocumentSigner(keys)
    signature = signer.sign("sheet")
    first = signer.public_key("sheet", signature)
    keys.rotate(days=1)
    assert signer.is_valid("sheet", signature)
    assert signer.public_key("sheet", signer.sign("sheet")) != first
    keys.key_set = keys.key_set.retired(FIRST.id, 5).forgetting(frozenset({FIRST.id}))
    assert signer.is_valid("sheet", signature)
    assert signer.public_key("sheet", signature) == first
    assert not signer.is_valid("sheep", signature)


def test_what_was_sealed_is_opened_after_a_rotation_and_renewed_once() -> None:
    keys = HandKeys(ManualClock())
    vault = SubjectVault(keys)
    sealed, printed = vault.seal("13800138000"), vault.fingerprint("x")
    assert vault.renewed(sealed) is None
    keys.rotate()
    assert vault.open(sealed) == "13800138000"
    assert vault.is_fingerprint("x", printed)
    assert vault.fingerprint("x") != printed
    renewed = vault.renewed(sealed)
    assert renewed is not None
    assert vault.renewed(renewed) is None
    keys.key_set = keys.key_set.retired(FIRST.id, 5)
    assert vault.open(sealed) == "13800138000", "until it is renewed"
    assert not vault.is_fingerprint("x", printed)
    keys.key_set = keys.key_set.forgetting(frozenset({FIRST.id}))
    assert vault.open(renewed) == "13800138000"
    assert vault.renewed(sealed) is None
    with pytest.raises(NotFoundError):
        vault.open(sealed)
