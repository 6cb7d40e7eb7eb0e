"""Every picture that the program can show, drawn with real text: `make program-pictures` writes build/program/*.png.

The same scenes are what benchmarks.compose times and what the unit tests look at.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from PIL import Image, ImageDraw

from recording.program.compositor import Compositor, Key, Picture
from recording.program.scene import Caption, Direction, LayoutName, Person, Promotion, Scene
from tests.support.picture_code import Picture as Rgb
from tests.support.picture_code import draw

WALL_MS = 1_790_000_000_000
TIME_MS = 4_324_000.0
QUIET, LOUD = -70.0, -25.0

MAIN = Person("v_main", "主会场", "澄川市政协机关", "venue_1", "venue", True, True, True)
BRANCH = Person("v_qinghe", "青禾县分会场", "青禾县政协委员之家", "venue_2", "venue", False, True, True)
LIUTANG = Person("v_liutang", "柳塘街道连线点", "柳塘街道", "venue_3", "venue", False, True, True)
SHIQIAO = Person("v_shiqiao", "石桥村连线点", "石桥村", "venue_4", "venue", False, True, True)
LIN = Person("p_lin", "林委员", "医药卫生界 · 主会场", "venue_1", microphone=True)
HE = Person("p_he", "何委员", "农业界 · 青禾县分会场", "venue_2", microphone=True)
WU = Person("p_wu", "吴委员", "经济界 · 手机连线", camera=True, microphone=True)
CHEN = Person("p_chen", "陈委员", "教育界 · 手机连线", camera=True, microphone=True)
ZHOU = Person("p_zhou", "周局长", "市民政局", camera=True, microphone=True)
SUN = Person("p_sun", "孙主任", "市卫生健康委员会", camera=False, microphone=True)
LONG = Person(
    "p_long",
    "欧阳娜仁托娅·买买提江·阿布都热合曼（特邀专家）",
    "少数民族界 · 澄川市老龄健康与长期照护研究院院长、研究员、博士生导师 · 柳塘街道连线点",
    camera=True,
    microphone=True,
)
PEOPLE = (MAIN, BRANCH, LIUTANG, SHIQIAO, LIN, HE, WU, CHEN, ZHOU, SUN, LONG)
TITLE = "推进县域养老服务高质量发展"
LONG_TITLE = "关于统筹推进县域养老服务高质量发展、加快建设农村互助养老服务网络与医养结合体系的专题远程协商会"
COMMENT = Promotion(
    "村里老人不会用手机，助餐点能不能接受现金？饭菜能不能送到家？", "杏林", "青禾县石桥村", "市民政局"
)
LONG_COMMENT = Promotion(
    "我母亲今年八十三岁，住在离县城四十公里的山上，去年摔倒以后一直卧床。请问家庭养老床位的补贴（每月三百元）什么时候能覆盖到村里？护理员能不能上门？怎样申请，要带哪些材料，找谁办？",
    "山里人家的孩子们在外打工",
    "青禾县石桥村第三村民小组",
    "市民政局、市卫生健康委员会、市医疗保障局",
)
SAID = (
    "村里的互助养老点，最缺的不是房子，是能上门、懂护理的人。我们走访的三十二个村，持证护理员平均每村不到一名"
)
CAPTIONS = (Caption(SAID, "p_lin"),)
BASE = Scene(
    phase="live",
    title=TITLE,
    organization="澄川市政协",
    item="互动讨论",
    starts_wall_ms=WALL_MS + 750_000,
    resumes_wall_ms=WALL_MS + 500_000,
    venues=("主会场", "青禾县分会场", "柳塘街道连线点", "石桥村连线点"),
    people=PEOPLE,
)


def _with(**changes: object) -> Scene:
    return Scene(**{**{name: getattr(BASE, name) for name in BASE.__struct_fields__}, **changes})


def manual(layout: LayoutName, *people: str, **changes: object) -> Scene:
    """A live scene that somebody directs from the desk."""
    return _with(direction=Direction("manual", layout, people), **changes)


@dataclass(frozen=True)
class Example:
    """A scene, what is heard, which cameras send in which size, and who shares a screen."""

    scene: Scene
    levels: Mapping[str, float] = field(default_factory=dict)
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    screens: tuple[str, ...] = ()

    def tracks(self) -> list[Key]:
        """The open tracks."""
        return [(p.id, "camera") for p in self.scene.people if p.camera] + [
            (s, "screen") for s in self.screens
        ]


FIVE = ("p_wu", "v_main", "v_qinghe", "p_chen", "p_sun")
SIX = ("v_main", "v_qinghe", "p_wu", "p_chen", "p_zhou", "p_sun")
NINE = (*SIX, "v_liutang", "v_shiqiao", "p_long")

EXAMPLES: dict[str, Example] = {
    "speaker": Example(_with(floor="p_wu", floor_ends_ms=int(TIME_MS) + 52_000)),
    "speaker-captions": Example(
        _with(floor="p_wu", floor_ends_ms=int(TIME_MS) - 14_000, captions=(Caption(SAID, "p_wu"),))
    ),
    "speaker-short-caption": Example(
        _with(floor="p_wu", captions=(Caption("养老机构和卫生院离得近的，可以先签约", "p_wu"),))
    ),
    "speaker-hall": Example(_with(floor="p_lin", captions=(Caption("好的。", "p_zhou"), *CAPTIONS))),
    "speaker-portrait": Example(_with(floor="p_chen"), sizes={"p_chen": (360, 640)}),
    "speaker-no-picture": Example(_with(floor="p_sun", captions=(Caption("听得见吗？", "p_sun"),))),
    "speaker-long": Example(
        _with(floor="p_long", title=LONG_TITLE, item="市民政局、市卫生健康委员会就养老服务补贴政策作情况通报")
    ),
    "comment": Example(_with(floor="p_lin", promotion=COMMENT, captions=CAPTIONS)),
    "comment-quiet": Example(_with(floor="p_lin", promotion=COMMENT, floor_ends_ms=int(TIME_MS) + 65_000)),
    "comment-long": Example(_with(floor="p_lin", promotion=LONG_COMMENT, captions=CAPTIONS)),
    "comment-short": Example(_with(floor="p_lin", promotion=Promotion("支持！"))),
    "side": Example(
        manual(
            "side",
            "v_main",
            "v_qinghe",
            captions=(Caption("我们县的做法是，由乡镇卫生院与养老机构签约，医生每周到院两次", "p_he"),),
        ),
        {"p_he": LOUD},
    ),
    "side-quiet": Example(manual("side", "v_main", "v_qinghe"), {"v_main": LOUD}),
    "side-comment": Example(
        manual("side", "v_main", "v_qinghe", promotion=COMMENT, captions=CAPTIONS), {"p_lin": LOUD}
    ),
    "strip": Example(manual("strip", *FIVE), {"p_chen": LOUD}),
    "strip-captions": Example(manual("strip", *FIVE, captions=CAPTIONS), {"p_wu": LOUD}),
    "strip-comment": Example(manual("strip", *FIVE, captions=CAPTIONS, promotion=COMMENT), {"p_wu": LOUD}),
    "grid-2": Example(manual("grid", *SIX[:2]), {"v_main": LOUD}),
    "grid-3": Example(manual("grid", *SIX[:3]), {"v_main": LOUD}),
    "grid-4": Example(manual("grid", *SIX[1:5]), {"p_chen": LOUD}),
    "grid-4-captions": Example(manual("grid", *SIX[1:5], captions=CAPTIONS), {"p_chen": LOUD}),
    "grid-6": Example(manual("grid", *SIX), {"p_wu": LOUD}, {"p_zhou": (360, 640), "p_chen": (640, 480)}),
    "grid-6-captions": Example(manual("grid", *SIX, captions=CAPTIONS), {"p_wu": LOUD}),
    "grid-9": Example(manual("grid", *NINE), {"p_wu": LOUD}),
    "grid-9-captions": Example(manual("grid", *NINE, captions=CAPTIONS), {"p_wu": LOUD}),
    "grid-9-comment": Example(manual("grid", *NINE, captions=CAPTIONS, promotion=COMMENT), {"p_wu": LOUD}),
    "screen": Example(_with(floor="p_zhou"), screens=("p_zhou",)),
    "screen-captions": Example(_with(floor="p_zhou", captions=CAPTIONS), screens=("p_zhou",)),
    "screen-comment": Example(
        _with(floor="p_zhou", promotion=COMMENT), screens=("p_zhou",), sizes={"p_zhou/screen": (1024, 768)}
    ),
    "screen-comment-captions": Example(
        _with(floor="p_zhou", captions=CAPTIONS, promotion=COMMENT), screens=("p_zhou",)
    ),
    "title": Example(_with(phase="before")),
    "title-early": Example(_with(phase="before", starts_wall_ms=WALL_MS + 90_000_000)),
    "title-long": Example(
        _with(phase="before", title=LONG_TITLE, venues=tuple(f"澄川市第{n}街道连线点" for n in range(1, 25)))
    ),
    "title-alone": Example(_with(people=())),
    "break": Example(_with(phase="break")),
    "grid-4-rehearsal": Example(
        manual("grid", *SIX[1:5], captions=CAPTIONS, rehearsal=True), {"p_chen": LOUD}
    ),
    "break-rehearsal": Example(_with(phase="break", rehearsal=True)),
    "end": Example(_with(phase="ended")),
}


def slide(width: int, height: int) -> Rgb:
    """Something like a shared page: thin lines, to the edges."""
    image = Image.new("RGB", (width, height), (250, 250, 248))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, width - 1, height - 1), outline=(180, 30, 30), width=4)
    pen.rectangle((0, 0, width, height // 8), fill=(20, 80, 110))
    for row in range(6):
        pen.rectangle(
            (width // 12, height * (row + 2) // 9, width * (10 - row % 3) // 12, height * (row + 2) // 9 + 6),
            fill=(70, 80, 90),
        )
    return np.asarray(image)


def coded(index: int, size: tuple[int, int], frame: int = 0) -> VideoFrame:
    """The picture of a participant as a decoder gives it."""
    return VideoFrame.from_ndarray(draw(index, frame, *size), format="rgb24").reformat(format="yuv420p")


def pictures_of(example: Example, frame: int = 0) -> dict[Key, Picture | None]:
    """Each open track's picture; the person's place in the scene's list is the number that is coded in it."""
    pictures: dict[Key, Picture | None] = {}
    order = [person.id for person in example.scene.people]
    for person, source in example.tracks():
        if source == "screen":
            size = example.sizes.get(f"{person}/screen", (1280, 720))
            page = VideoFrame.from_ndarray(slide(*size), format="rgb24").reformat(format="yuv420p")
            pictures[person, source] = Picture(page, frame)
        else:
            size = example.sizes.get(person, (640, 360))
            pictures[person, source] = Picture(coded(order.index(person), size, frame), frame)
    return pictures


def compose(
    example: Example, compositor: Compositor | None = None, photos: Mapping[str, VideoFrame] | None = None
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The picture of that scene after its levels were heard for long enough, as I420."""
    compositor = compositor or Compositor()
    keys, pictures = example.tracks(), pictures_of(example)
    for (person, source), _ in list(pictures.items()):
        if photos and source == "camera" and person not in example.sizes:
            pictures[person, source] = Picture(photos.get(person, photos[""]), 0)
    levels = {person.id: QUIET for person in example.scene.people} | dict(example.levels)
    for tick in range(50):
        plan = compositor.choose(example.scene, keys, levels, 100 + tick / 25)
    return compositor.compose(plan, example.scene, pictures, TIME_MS, WALL_MS)


def rgb_of(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Rgb:
    """I420 as height x width x 3."""
    return VideoFrame.from_ndarray(picture, format="yuv420p").to_ndarray(format="rgb24").astype(np.uint8)


def write(directory: Path, photos: Mapping[str, VideoFrame] | None = None) -> Iterator[Path]:
    """One PNG an example."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, example in EXAMPLES.items():
        path = directory / f"{name}.png"
        Image.fromarray(rgb_of(compose(example, photos=photos))).save(path)
        yield path


if __name__ == "__main__":
    for written in write(Path(sys.argv[1] if len(sys.argv) > 1 else "build/program")):
        print(written)
