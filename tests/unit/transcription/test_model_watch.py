"""The speech model as its files say, which nobody on the event loop waits for."""

from __future__ import annotations

import shutil
import sys
import threading
from pathlib import Path

from tests.support.eventually import eventually
from transcription.model_watch import ModelWatch


def put_model(models: Path, name: str = "zh-small") -> Path:
    folder = models / name
    (folder / "am").mkdir(parents=True)
    (folder / "conf").mkdir()
    (folder / "am" / "final.mdl").touch()
    (folder / "conf" / "mfcc.conf").write_text("--sample-frequency=16000\n")
    (folder / "model.json").write_text("{}")
    return folder


async def test_what_is_installed_and_taken_away_is_seen(tmp_path: Path) -> None:
    watch = ModelWatch(tmp_path)
    assert watch.model().reason == "no_model"
    folder = put_model(tmp_path)
    await eventually(lambda: watch.model().name == "zh-small")
    shutil.rmtree(folder)
    await eventually(lambda: watch.model().reason == "no_model")
    await watch.close()
    put_model(tmp_path)
    assert watch.model().reason == "no_model", "nobody looks any more"


async def test_the_event_loop_never_looks_at_the_disk(tmp_path: Path) -> None:
    put_model(tmp_path)
    watch = ModelWatch(tmp_path)
    lookers: list[str] = []

    def note(event: str, args: tuple[object, ...]) -> None:
        if event == "os.scandir" and str(args[0]).startswith(str(tmp_path)):
            lookers.append(threading.current_thread().name)

    def looked() -> list[str]:
        watch.model()
        return lookers

    sys.addaudithook(note)
    await eventually(looked)
    await watch.close()
    assert threading.main_thread().name not in lookers
