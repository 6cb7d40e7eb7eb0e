"""Addresses of authors: read with the same key only, and never the same twice."""

import pytest

from conference.model.errors import NotFoundError
from signaling.auth.sealer import AddressSealer

ADDRESS = "[2001:db8::7]:40000"


def test_sealed_and_opened() -> None:
    sealer = AddressSealer(b"k" * 32)
    sealed = sealer.seal(ADDRESS)
    assert sealed != sealer.seal(ADDRESS)
    assert "2001" not in sealed
    assert AddressSealer(b"k" * 32).open(sealed) == ADDRESS
    assert len(sealer.seal("x" * 60)) <= 300, "as wide as its column"


@pytest.mark.parametrize("sealed", ["", "x", "AAAA", "ü", "A" * 100])
def test_what_another_key_sealed_is_gone(sealed: str) -> None:
    with pytest.raises(NotFoundError):
        AddressSealer(b"k" * 32).open(sealed)
    with pytest.raises(NotFoundError):
        AddressSealer(b"k" * 32).open(AddressSealer(b"l" * 32).seal(ADDRESS))
