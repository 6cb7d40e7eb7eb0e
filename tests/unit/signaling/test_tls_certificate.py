"""The certificate's files change under a running server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trustme

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


@pytest.mark.parametrize("damage", [b"", b"no certificate"])
def test_a_damaged_or_missing_file_changes_nothing(tmp_path: Path, damage: bytes) -> None:
    chain, key = write(tmp_path, "a.example")
    certificate = Certificate(chain, key)
    chain.write_bytes(damage)
    assert not certificate.refresh()
    chain.unlink()
    assert not certificate.refresh()
    assert certificate.host == "a.example"


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
