"""Installed speech models: folders below `models` in the data directory, each with a model.json that says whence."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

from transcription.archives import ArchiveError, Progress, unpack
from transcription.download import DownloadError, download
from transcription.engines import CARD, card_of, described, files_in
from transcription.recognizer import EngineError

_VOSK: Final = "https://alphacephei.com/vosk/models"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SUFFIXES: Final = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


class ModelError(Exception):
    """It cannot be installed; the message says why, for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Published:
    """A model that its makers offer. Without `sha256` their own list of checksums is asked (`listed_at`)."""

    name: str
    url: str
    sha256: str | None = None
    listed_at: str | None = None


PUBLISHED: Final = {
    "zh-small": Published(
        "vosk-model-small-cn-0.22",
        f"{_VOSK}/vosk-model-small-cn-0.22.zip",
        sha256="3af8b0e7e0f835ae9d414ce5df580237a3cfb08d586c9fbbb0f7ff29ad5b14ba",
    ),
    "zh-big": Published(
        "vosk-model-cn-0.22", f"{_VOSK}/vosk-model-cn-0.22.zip", listed_at=f"{_VOSK}/model-list.json"
    ),
}


def newest(models: Path) -> Path | None:
    """The one that was installed last."""
    found = [((each / CARD).stat().st_mtime_ns, each) for each in installed(models)]
    return max(found)[1] if found else None


def installed(models: Path) -> list[Path]:
    """By name. Half-made ones have a name with a dot in front."""
    return sorted(card.parent for card in models.glob(f"*/{CARD}") if not card.parent.name.startswith("."))


def size_bytes(folder: Path) -> int:
    """Of all files of a model."""
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


def install(models: Path, what: str, *, sha256: str | None = None, progress: Progress) -> Path:
    """Put a model in place: the folder where it stands now.

    `what`: a name of PUBLISHED, an address, a folder or an archive. `sha256`: of the archive. One of the same name is
    replaced. Raises ModelError.
    """
    try:
        models.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in _drafts(models):
            shutil.rmtree(left)
        draft = models / f".draft-{uuid4().hex}"
        draft.mkdir()
        try:
            return _install(models, draft, what, sha256, progress)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except (ArchiveError, DownloadError) as error:
        raise ModelError(str(error)) from error
    except OSError as error:
        raise ModelError(f"{error.filename or models}: {error.strerror}") from error


def _install(models: Path, draft: Path, what: str, sha256: str | None, progress: Progress) -> Path:
    published = PUBLISHED.get(what)
    address = published.url if published is not None else what
    if address.startswith(("http://", "https://")):
        listed_at = None if published is None else published.listed_at
        wanted = sha256 or (None if published is None else published.sha256)
        if published is None and wanted is None:
            raise ModelError("say which file it should be: --sha256")
        name = _stem(address.rsplit("/", 1)[-1])
        archive = models / f".{name}.part"
        found = download(address, archive, sha256=wanted, listed_at=listed_at, progress=progress)
        unpack(archive, draft, progress)
        archive.unlink()
    else:
        path = Path(what).expanduser()
        if path.is_dir():
            if sha256 is not None:
                raise ModelError("--sha256 is that of an archive, and this is a folder")
            name, found = path.resolve().name, ""
            shutil.copytree(path, draft, dirs_exist_ok=True)
        elif path.is_file():
            name = _stem(path.name)
            found = unpack(path, draft, progress, sha256=sha256)
        else:
            raise ModelError(f"{what}: neither a file nor a folder, nor one of {', '.join(PUBLISHED)}")
    root = _root(draft)
    if root != draft:
        name = root.name
    return _put(models, root, name, source=what, sha256=found)


def _put(models: Path, root: Path, name: str, *, source: str, sha256: str) -> Path:
    """Checked, and in its place by one rename."""
    if not _NAME.fullmatch(name):
        raise ModelError(f"not a name for a model: {name}")
    try:
        engine = files_in(root).engine
    except EngineError as error:
        raise ModelError(str(error)) from error
    card = {"name": name, "engine": engine, "source": source, "installed_at_ms": time.time_ns() // 1_000_000}
    if sha256:
        card["sha256"] = sha256
    known = {key: value for key, value in card_of(root).items() if key == "grammar"}
    (root / CARD).write_text(json.dumps({**known, **card}, ensure_ascii=False, indent=1))
    for each in (root, *root.rglob("*")):
        each.chmod(0o700 if each.is_dir() else 0o600)
    place, old = models / name, models / f".draft-{uuid4().hex}"
    if place.exists():
        place.rename(old)
    root.rename(place)
    shutil.rmtree(old, ignore_errors=True)
    return place


def _root(draft: Path) -> Path:
    """Archives hold their files in a folder of their own."""
    root = draft
    while True:
        inside = [each for each in root.iterdir() if each.name != "__MACOSX"]
        if len(inside) != 1 or not inside[0].is_dir():
            return root
        root = inside[0]


def _drafts(models: Path) -> Iterator[Path]:
    """What a killed installation left."""
    return models.glob(".draft-*")


def _stem(name: str) -> str:
    name = name.split("?")[0]
    suffix = next((each for each in sorted(_SUFFIXES, key=len, reverse=True) if name.endswith(each)), "")
    return name.removesuffix(suffix) or "model"


def table(models: Path) -> list[tuple[str, str, int, str]]:
    """Name, engine, size and what is wrong with it, of each."""
    found = []
    for folder in installed(models):
        said = described(folder)
        found.append((folder.name, said.engine, size_bytes(folder), said.reason))
    return found
