"""`yuanshang archive`: what is exported verifies, and whatever is changed afterwards is named."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from conference.archive.manifest import AUDIT_LINES, AUDIT_TEXTS, LINE_HASHES, MANIFEST
from conference.archive.verifier import Damage, Finding, Report, verify_archive
from conference.model.audit import AuditLine, canonical_json, line_hash
from signaling.cli import app


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of a consultation for which tokens were made."""
    directory = tmp_path_factory.mktemp("archive")
    data = ["--data-dir", str(directory / "data")]
    assert run("consultation", "create", "--title", "水环境", "--id", "w", *data).exit_code == 0
    for role in ("chair", "member", "secretariat"):
        made = run("token", "--consultation", "w", "--role", role, "--name", "李", *data)
        assert made.exit_code == 0
    path = directory / "w.zip"
    exported = run("archive", "export", "--consultation", "w", str(path), *data)
    assert (exported.exit_code, exported.stdout) == (0, "")
    assert [each.name for each in directory.iterdir() if each.name != "data"] == ["w.zip"]
    return path


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as package:
        for name, content in files.items():
            package.writestr(name, content)
    return path


def changed(original: Path, path: Path, change: Callable[[dict[str, bytes]], None]) -> Report:
    files = contents(original)
    change(files)
    return verify_archive(packed(path, files))


def test_an_export_is_intact(original: Path) -> None:
    verified = run("archive", "verify", str(original))
    assert verified.exit_code == 0
    assert "完好：留痕 4 行" in verified.stdout
    assert "Intact: 4 lines of trace" in verified.stdout
    manifest = json.loads(contents(original)[MANIFEST])
    head = manifest["audit_head"]["hash"]
    assert run("archive", "verify", str(original), "--head", head).exit_code == 0
    assert run("archive", "verify", str(original), "--head", "0" * 64).exit_code == 1


def test_the_hash_on_the_minutes_is_that_of_a_line_after_which_the_trace_went_on(original: Path) -> None:
    lines = [json.loads(line) for line in contents(original)[AUDIT_LINES].splitlines()]
    printed = lines[1]["hash"]
    grouped = " ".join(printed[place : place + 8] for place in range(0, 64, 8)).upper()
    for said in (printed, grouped):
        assert run("archive", "verify", str(original), "--head", said).exit_code == 0


def test_it_holds_rows_and_no_secrets(original: Path) -> None:
    files = contents(original)
    assert {"consultations.jsonl", "participants.jsonl", "program_gaps.jsonl", AUDIT_LINES} <= files.keys()
    assert json.loads(files["consultations.jsonl"])["title"] == "水环境"
    lines = [json.loads(line) for line in files[AUDIT_LINES].splitlines()]
    assert [line["action"] for line in lines] == ["consultation.created", *["token.issued"] * 3]
    assert not any(b"resume" in content or b"eyJ" in content for content in files.values())


def test_one_changed_byte_is_named_with_its_line(original: Path, tmp_path: Path) -> None:
    whole = original.read_bytes()
    at = whole.index(b'"role":"member"')
    path = tmp_path / "changed.zip"
    path.write_bytes(whole[: at + 8] + b"M" + whole[at + 9 :])
    verified = run("archive", "verify", str(path))
    assert verified.exit_code == 1
    assert "audit_lines.jsonl 第 3 行 line 3" in verified.stdout
    assert "完好 intact   consultations.jsonl" in verified.stdout


def test_every_changed_byte_is_found(original: Path, tmp_path: Path) -> None:
    """Of every file; the container's own fields may differ as long as the files come out as they were."""
    whole, before = original.read_bytes(), contents(original)
    path = tmp_path / "changed.zip"
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :])
        if not verify_archive(path).findings:
            assert contents(path) == before, at


def test_the_line_of_any_row_is_named(original: Path, tmp_path: Path) -> None:
    def change(files: dict[str, bytes]) -> None:
        files["consultations.jsonl"] = files["consultations.jsonl"].replace("水".encode(), "火".encode())

    report = changed(original, tmp_path / "x.zip", change)
    assert report.findings == [Finding("consultations.jsonl", Damage.BYTES, 1)]
    assert AUDIT_LINES in report.intact


def forge(files: dict[str, bytes], name: str, content: bytes) -> None:
    """Change a file and make manifest and line hashes fit: only the chain can tell."""
    files[name] = content
    line_hashes = "".join(
        f"{hashlib.sha256(line).hexdigest()}  {each}:{number}\n"
        for each in files
        if each.endswith(".jsonl")
        for number, line in enumerate(files[each].splitlines(keepends=True), 1)
    )
    files[LINE_HASHES] = line_hashes.encode()
    manifest = json.loads(files[MANIFEST])
    for each, entry in manifest["files"].items():
        raw = files[each]
        entry.update(lines=raw.count(b"\n"), bytes=len(raw), sha256=hashlib.sha256(raw).hexdigest())
    rewrite(files, manifest)


def rewrite(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    manifest.pop("sha256")
    digest = hashlib.sha256(canonical_json(manifest).encode()).hexdigest()
    text = json.dumps({**manifest, "sha256": digest}, ensure_ascii=False, indent=2) + "\n"
    files[MANIFEST] = text.encode()


def test_a_forger_who_fits_every_hash_breaks_the_chain(original: Path, tmp_path: Path) -> None:
    def change_one(files: dict[str, bytes]) -> None:
        forge(files, AUDIT_LINES, files[AUDIT_LINES].replace(b'"role":"member"', b'"role":"expert"'))

    def drop_one(files: dict[str, bytes]) -> None:
        lines = files[AUDIT_LINES].splitlines(keepends=True)
        forge(files, AUDIT_LINES, b"".join(lines[:1] + lines[2:]))

    def drop_last(files: dict[str, bytes]) -> None:
        forge(files, AUDIT_LINES, b"".join(files[AUDIT_LINES].splitlines(keepends=True)[:-1]))

    def hash_anew(files: dict[str, bytes]) -> None:
        lines = files[AUDIT_LINES].splitlines()
        record = json.loads(lines[1])
        record["content"]["role"] = "observer"
        previous = record.pop("previous")
        line = AuditLine(**{**record, "content": canonical_json(record["content"])})
        lines[1] = canonical_json(
            {**record, "previous": previous, "hash": line_hash(line, previous)}
        ).encode()
        forge(files, AUDIT_LINES, b"".join(line + b"\n" for line in lines))

    for change, finding in (
        (change_one, Finding(AUDIT_LINES, Damage.CHAIN, 3)),
        (drop_one, Finding(AUDIT_LINES, Damage.CHAIN, 2)),
        (drop_last, Finding(AUDIT_LINES, Damage.HEAD, 3)),
        (hash_anew, Finding(AUDIT_LINES, Damage.CHAIN, 3)),
    ):
        assert changed(original, tmp_path / "x.zip", change).findings == [finding]


def test_missing_extra_and_doubled_files(original: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"

    def without(name: str) -> Callable[[dict[str, bytes]], None]:
        def change(files: dict[str, bytes]) -> None:
            del files[name]

        return change

    for name in ("participants.jsonl", AUDIT_LINES, AUDIT_TEXTS, LINE_HASHES):
        assert Finding(name, Damage.MISSING) in changed(original, path, without(name)).findings
    assert changed(original, path, without(MANIFEST)).findings == [Finding(MANIFEST, Damage.MANIFEST)]

    def add(files: dict[str, bytes]) -> None:
        files["more.txt"] = b"x"

    assert changed(original, path, add).findings == [Finding("more.txt", Damage.EXTRA)]


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"PK\x05\x06" + bytes(18)])
def test_what_is_no_package_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    verified = run("archive", "verify", str(path))
    assert verified.exit_code == 1
    assert "Not intact" in verified.stdout
    assert run("archive", "verify", str(tmp_path / "none.zip")).exit_code == 1


@pytest.mark.parametrize(
    "manifest",
    [b"", b"[]", b"{}", b'{"sha256": 1}', b"[" * 100_000, b'{"format": "yuanshang-archive", "version": 2}'],
)
def test_a_manifest_that_is_none(original: Path, tmp_path: Path, manifest: bytes) -> None:
    def change(files: dict[str, bytes]) -> None:
        files[MANIFEST] = manifest

    assert changed(original, tmp_path / "x.zip", change).findings == [Finding(MANIFEST, Damage.MANIFEST)]


def test_lines_that_are_no_lines(original: Path, tmp_path: Path) -> None:
    for raw in (b"[]\n", b"{}\n", b"\xff\n", b"[" * 100_000 + b"\n", b'"\\ud800"\n'):

        def change(files: dict[str, bytes], raw: bytes = raw) -> None:
            forge(files, AUDIT_LINES, raw + files[AUDIT_LINES])

        assert changed(original, tmp_path / "x.zip", change).findings[0].line == 1


def test_an_unknown_consultation_leaves_no_file(tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    refused = run(
        "archive", "export", "--consultation", "none", str(out), "--data-dir", str(tmp_path / "data")
    )
    assert refused.exit_code == 1
    assert "没有找到" in refused.stderr
    assert not list(tmp_path.glob("*out*"))
