"""The certificate's files change under a running server."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from signaling.tls.certificate import Certificate

_CA = trustme.CA()


def write(
    directory: Path, *names: str, key_only: bool = False, chain_only: bool = False
) -> tuple[Path, Path]:
    leaf = _CA.issue_cert(*names)
    chain, key = directory / "chain.pem", directory / "key.pem"
    if not key_only:
        chain.write_bytes(b"".join(each.bytes() for each in leaf.cert_chain_pems))
    if not chain_only:
        key.write_bytes(leaf.private_key_pem.bytes())
    return chain, key


def test_nothing_happens_while_the_files_stay(tmp_path: Path) -> None:
    certificate = Certificate(*write(tmp_path, "a.example"))
    before = certificate.context()
    assert not certificate.refresh()
    assert certificate.context() is before


def test_new_files_are_used_for_the_next_connection(tmp_path: Path) -> None:
    certificate = Certificate(*write(tmp_path, "a.example"))
    before = certificate.context()
    write(tmp_path, "*.example", "b.example")
    assert certificate.refresh()
    assert certificate.context() is not before
    assert certificate.host == "b.example", "a pattern cannot be called"


def test_files_that_do_not_fit_together_wait_for_each_other(tmp_path: Path) -> None:
    chain, key = write(tmp_path, "a.example")
    certificate = Certificate(chain, key)
    before = certificate.context()
    leaf = _CA.issue_cert("b.example")
    chain.write_bytes(b"".join(each.bytes() for each in leaf.cert_chain_pems))
    assert not certificate.refresh()
    assert certificate.context() is before
    key.write_bytes(leaf.private_key_pem.bytes())
    assert certificate.refresh()
    assert certificate.host == "b.example"


@pytest.mark.parametrize("damage", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nMIIB"])
def test_a_damaged_or_missing_file_changes_nothing(tmp_path: Path, damage: bytes) -> None:
    chain, key = write(tmp_path, "a.example")
    certificate = Certificate(chain, key)
    whole = chain.read_bytes()
    assert certificate.health == "ok"
    chain.write_bytes(damage)
    assert not certificate.refresh()
    assert certificate.health == "refused"
    chain.unlink()
    assert not certificate.refresh()
    assert certificate.host == "a.example"
    assert certificate.health == "refused"
    chain.write_bytes(whole)
    assert certificate.refresh()
    assert certificate.health == "ok"


def test_a_link_that_points_elsewhere_is_another_certificate(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, f"{name}.example")
    for file in ("chain.pem", "key.pem"):
        (tmp_path / file).symlink_to(tmp_path / "one" / file)
    certificate = Certificate(tmp_path / "chain.pem", tmp_path / "key.pem")
    for file in ("chain.pem", "key.pem"):
        (tmp_path / "new").symlink_to(tmp_path / "two" / file)
        os.replace(tmp_path / "new", tmp_path / file)
    assert certificate.refresh()
    assert certificate.host == "two.example"


def test_files_that_cannot_be_used_at_the_start_are_an_error(tmp_path: Path) -> None:
    chain, key = write(tmp_path, "a.example")
    key.write_bytes(b"no key")
    with pytest.raises((OSError, ValueError)):
        Certificate(chain, key)


def test_a_half_written_file_is_refused_until_the_old_one_is_back(tmp_path: Path) -> None:
    """A renewal that was taken back: the files in use are those on the disk again."""
    chain, key = write(tmp_path, "a.example")
    certificate = Certificate(chain, key)
    kept = tmp_path / "kept.pem"
    os.rename(chain, kept)
    chain.write_bytes(kept.read_bytes()[:400])
    assert not certificate.refresh()
    assert certificate.health == "refused"
    os.rename(kept, chain)
    assert not certificate.refresh()
    assert certificate.health == "ok"


def test_an_encrypted_key_is_refused_and_nobody_is_asked_at_a_terminal(tmp_path: Path) -> None:
    chain, key = write(tmp_path, "a.example")
    certificate = Certificate(chain, key)
    plain = serialization.load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(
        plain.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    assert not certificate.refresh()
    assert certificate.health == "refused"
    with pytest.raises(ValueError, match="encrypted"):
        Certificate(chain, key)


def test_a_certificate_that_is_over_is_called_so(tmp_path: Path) -> None:
    leaf = _CA.issue_cert("a.example", not_after=datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC))
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(each.bytes() for each in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    assert Certificate(chain, key).health == "expired"
