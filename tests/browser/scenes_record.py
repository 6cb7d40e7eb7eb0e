"""Recording, program and broadcast on the desk as named scenes: 记录, the program by hand, the cut-off.

python -m tests.browser.scenes_record FOLDER [SCENE …] [--screens phone,laptop]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.browser.office import Office
from tests.browser.scenes import SCENES, Stage
from tests.browser.scenes_floor import running, take
from tests.browser.scenes_prepare import LARGE, at_desk, new_draft, to_mend
from tests.browser.settled import present, reads
from tests.support import process
from tests.support.eventually import eventually

PATIENCE_S = 60.0
WORKER = "recording.worker"


async def office_of(stage: Stage) -> Office:
    login = f"li-{stage.consultation[-8:].lower()}"
    return await asyncio.to_thread(lambda: Office(stage.server, login=login))


async def recorded(stage: Stage, count: int = 4) -> Office:
    """A meeting that runs and is being recorded: so many files are open."""
    await running(stage)
    office = await office_of(stage)
    path = f"/consultations/{stage.consultation}/recordings"
    await eventually(
        lambda: asyncio.to_thread(office.call, "GET", path),
        lambda page: len(page["items"]) >= count,
        timeout_s=PATIENCE_S,
        what="files are being recorded",
    )
    return office


async def settled_files(stage: Stage, office: Office) -> None:
    """No file is being written any more, and the program is one file."""
    path = f"/consultations/{stage.consultation}/recordings"
    await eventually(
        lambda: asyncio.to_thread(office.call, "GET", path),
        lambda page: (
            all(each["state"] != "recording" for each in page["items"])
            and any(each["source"] == "program" for each in page["items"])
        ),
        timeout_s=PATIENCE_S,
        what="all files are finished",
    )


async def record_empty(stage: Stage) -> None:
    office = await asyncio.to_thread(new_draft, stage)
    await at_desk(stage, office, "record")
    await present(stage.client, "recordings-empty")


async def record_live(stage: Stage, query: str = "") -> None:
    office = await recorded(stage)
    await at_desk(stage, office, "record", query)
    await present(stage.client, "recording-item", 4)


async def record_large(stage: Stage) -> None:
    await record_live(stage, LARGE)


async def record_ended(stage: Stage, query: str = "") -> None:
    office = await recorded(stage)
    journal = stage.server.data_dir / "program" / stage.consultation / "journal.jsonl"
    await eventually(
        lambda: journal.exists() and journal.read_text().count('"segment"'),
        lambda segments: segments >= 6,
        timeout_s=PATIENCE_S,
        what="some of the program is kept",
    )
    await asyncio.to_thread(office.call, "POST", f"/consultations/{stage.consultation}/end")
    await settled_files(stage, office)
    await at_desk(stage, office, "record", query)
    await present(stage.client, "recording-download", 5)


async def record_ended_large(stage: Stage) -> None:
    await record_ended(stage, LARGE)


async def record_broken(stage: Stage) -> None:
    """The recorder was killed: its files are broken, and it goes on in new ones."""
    office = await recorded(stage)
    for pid in stage.server.children():
        if WORKER in process.command_line(pid):
            os.kill(pid, signal.SIGKILL)
    path = f"/consultations/{stage.consultation}/recordings"
    await eventually(
        lambda: asyncio.to_thread(office.call, "GET", path),
        lambda page: {each["state"] for each in page["items"]} >= {"broken", "recording"},
        timeout_s=PATIENCE_S,
        what="it goes on in new files",
    )
    await at_desk(stage, office, "record")
    await reads(stage.client, "没有录完")


async def record_failed(stage: Stage) -> None:
    office = await recorded(stage)
    await stage.client.page.route("**/recordings?*", lambda route: route.abort())
    await at_desk(stage, office, "record")
    await present(stage.client, "recordings-failed")


async def record_delete(stage: Stage) -> None:
    await record_ended(stage)
    await stage.client.tap("recording-delete")
    await present(stage.client, "delete-word")
    await stage.client.fill("delete-word", "删除")


async def prepare_record(stage: Stage) -> None:
    """The switches of recording and program, and the delay of a public meeting."""
    await to_mend(stage)
    await stage.client.page.get_by_label("范围").select_option("public")
    await present(stage.client, "edit-delay")
    await stage.client.evaluate(
        "() => document.querySelector('[data-testid=edit-delay]').scrollIntoView({block: 'center'})"
    )


async def program_on(stage: Stage, query: str = "", place: str = "run") -> Office:
    """The desk while a program is made."""
    await running(stage)
    office = await office_of(stage)
    await at_desk(stage, office, place, query)
    await on_air(stage)
    return office


async def on_air(stage: Stage) -> None:
    await stage.client.wait_until(
        lambda: stage.client.evaluate(
            "() => document.querySelector('[data-testid=program]')?.dataset.state === 'on'"
            " && !!document.querySelector('[data-testid=program-shows]')?.innerText.includes('现在')"
        ),
        timeout_s=PATIENCE_S,
        what="makes a program",
    )


async def desk_program(stage: Stage) -> None:
    await program_on(stage)


async def desk_program_large(stage: Stage) -> None:
    await program_on(stage, LARGE)


async def desk_directed(stage: Stage) -> None:
    """Side by side, by hand."""
    await program_on(stage)
    await stage.client.page.get_by_role("radio", name="手动").click()
    await present(stage.client, "program-layout")
    await stage.client.page.get_by_role("radio", name="并列").click()
    # Who was shown before is kept; the next one stands beside them.
    await stage.client.page.locator("[data-testid=program-person][aria-pressed=false]").first.click()
    await reads(stage.client, "已选 2 人")
    await stage.client.evaluate(
        "() => document.querySelector('[data-testid=program]').scrollIntoView({block: 'center'})"
    )


async def cut_off(stage: Stage, query: str = "", place: str = "run") -> Office:
    office = await program_on(stage, query) if place == "run" else await recorded(stage)
    if place != "run":
        await at_desk(stage, office, place, query)
    await stage.client.tap("cutoff", timeout_s=PATIENCE_S)
    await present(stage.client, "cutoff-bar")
    return office


async def desk_cut(stage: Stage) -> None:
    await cut_off(stage)


async def desk_cut_large(stage: Stage) -> None:
    await cut_off(stage, LARGE)


async def desk_restore(stage: Stage) -> None:
    await cut_off(stage)
    await stage.client.tap("cutoff-restore")
    await reads(stage.client, "先不恢复")


async def desk_withdraw(stage: Stage) -> None:
    await cut_off(stage)
    await stage.client.tap("cutoff-withdraw")
    await stage.client.fill("withdraw-reason", "画面出现个人证件")


async def record_withdrawn(stage: Stage, query: str = "") -> None:
    """One cut that was restored, one that runs, seen on 记录."""
    office = await cut_off(stage, query, "record")
    path = f"/consultations/{stage.consultation}/broadcast"
    await asyncio.to_thread(office.call, "POST", f"{path}/restore")
    span = {"from_ms": 0, "to_ms": 2000, "reason": "画面出现个人证件"}
    await asyncio.to_thread(office.call, "POST", f"{path}/withdraw", span)
    await present(stage.client, "withdrawn-item", 2)
    await stage.client.evaluate(
        "() => document.querySelector('[data-testid=withdrawn]').scrollIntoView({block: 'center'})"
    )


async def record_withdrawn_large(stage: Stage) -> None:
    await record_withdrawn(stage, LARGE)


RECORD_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "record-empty": record_empty,
    "record-live": record_live,
    "record-large": record_large,
    "record-ended": record_ended,
    "record-ended-large": record_ended_large,
    "record-broken": record_broken,
    "record-failed": record_failed,
    "record-delete": record_delete,
    "record-withdrawn": record_withdrawn,
    "record-withdrawn-large": record_withdrawn_large,
    "prepare-record": prepare_record,
    "desk-program": desk_program,
    "desk-program-large": desk_program_large,
    "desk-directed": desk_directed,
    "desk-cut": desk_cut,
    "desk-cut-large": desk_cut_large,
    "desk-restore": desk_restore,
    "desk-withdraw": desk_withdraw,
}
SCENES.update(RECORD_SCENES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scenes", nargs="*", default=list(RECORD_SCENES))
    parser.add_argument("--screens", default="phone,laptop")
    options = parser.parse_args()
    asyncio.run(take(options.folder, options.scenes, options.screens.split(",")))


if __name__ == "__main__":
    main()
