"""Bundles as `make bundle` makes them, and later releases made of them: with a new schema, or such as fail."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final

MADE: Final = Path(__file__).parents[2] / "build" / "install-test"

NEW_SCHEMA: Final = '''"""A table more."""

import sqlalchemy as sa
from alembic import op

revision = "{new}"
down_revision = "{old}"


def upgrade() -> None:
    op.create_table("more", sa.Column("id", sa.Integer, primary_key=True))
'''
BROKEN: Final = '\n\nraise RuntimeError("this release does not start")\n'


def newest(directory: Path = MADE) -> Path:
    """The bundle under test."""
    found = sorted(directory.glob("*.tar"), key=lambda each: each.stat().st_mtime)
    assert found, "no bundle: run `make install-test`"
    return found[-1]


def unpacked(bundle: Path, directory: Path) -> Path:
    """Where it lies then."""
    with tarfile.open(bundle) as file:
        file.extractall(directory, filter="data")
    (made,) = directory.iterdir()
    return made


def release_of(bundle: Path) -> str:
    """Its name, as it is installed."""
    (found,) = re.findall(r"^RELEASE=(.+)$", (bundle / "bundle.env").read_text(), re.MULTILINE)
    return str(found)


def later(bundle: Path, directory: Path, *, schema: bool = False, broken: bool = False) -> Path:
    """A bundle like this one, of the next version of our wheel."""
    made = directory / bundle.name
    shutil.copytree(bundle, made)
    house = made / "wheelhouse"
    (wheel,) = house.glob("yuanshang-*.whl")
    opened = directory / "opened"
    _wheel("unpack", str(wheel), "--dest", str(opened))
    (tree,) = opened.iterdir()
    _next_version(tree)
    if schema:
        _next_schema(tree / "conference" / "storage" / "migrations" / "versions")
    if broken:
        app = tree / "signaling" / "app.py"
        app.write_text(app.read_text() + BROKEN)
    wheel.unlink()
    _wheel("pack", str(tree), "--dest-dir", str(house))
    shutil.rmtree(opened)
    _sealed(made)
    return made


def _next_version(tree: Path) -> None:
    (info,) = tree.glob("*.dist-info")
    text = (info / "METADATA").read_text()
    version = re.findall(r"^Version: (.+)$", text, re.MULTILINE)[0]
    (info / "METADATA").write_text(text.replace(f"Version: {version}", f"Version: {version}.post1", 1))
    info.rename(info.with_name(f"yuanshang-{version}.post1.dist-info"))


def _next_schema(versions: Path) -> None:
    old = max(path.name[1:5] for path in versions.glob("v[0-9]*.py"))
    new = f"{int(old) + 1:04d}"
    (versions / f"v{new}_more.py").write_text(NEW_SCHEMA.format(new=new, old=old))


def _sealed(bundle: Path) -> None:
    """Hashes and names as deploy/bundle.sh writes them."""
    (wheel,) = (bundle / "wheelhouse").glob("yuanshang-*.whl")
    version = wheel.name.split("-")[1]
    lines = (bundle / "requirements.lock").read_text().splitlines()
    ours = f"yuanshang=={version} --hash=sha256:{_hash(wheel)}"
    lines = [ours if each.startswith("yuanshang==") else each for each in lines]
    (bundle / "requirements.lock").write_text("\n".join(lines) + "\n")
    release = f"{version}-{_hash(bundle / 'requirements.lock')[:8]}"
    settings = bundle / "bundle.env"
    text = re.sub(r"^RELEASE=.*$", f"RELEASE={release}", settings.read_text(), flags=re.MULTILINE)
    settings.write_text(re.sub(r"^VERSION=.*$", f"VERSION={version}", text, flags=re.MULTILINE))
    files = sorted(each for each in bundle.rglob("*") if each.is_file() and each.name != "SHA256SUMS")
    sums = "".join(f"{_hash(each)}  {each.relative_to(bundle)}\n" for each in files)
    (bundle / "SHA256SUMS").write_text(sums)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _wheel(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wheel", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
