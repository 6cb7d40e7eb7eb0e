"""One sitting in Chinese: what is said in it, who is there, and what the parts of the story tell each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from tests.support.eventually import eventually
from tests.support.spoken_session import PATIENCE_S, Door, Json, Sitting, Speaker

WELCOME: Final = ("各位 委员 大家 上午 好", 900)
REPORT: Final = ("目前 全县 百分之八十 的 村 通 了 自来水", 1_200)
ADVICE: Final = ("我 建议 把 老旧 官网 改造 列入 明年 的 重点 项目", 1_500)
COMPLAINT: Final = ("夏天 水鸭 不 稳定 的 问题 比较 多", 1_800)
UNSIGNED: Final = ("我们 镇 还有 三个 村 靠 水窖", 2_100)
SECRET: Final = ("个别 老人 的 病情 我 就 不 点名 了", 2_400)
REPLY: Final = ("泵站 月底 以前 换 好", 2_700)
CAUGHT: Final = ("录音 里 补上 的 这 句 话", 3_000)
MISSED: Final = ("水费 怎么 收 也 要 听 群众 的", 3_300)
UNHEARD: Final = ("停电 以后 说 的 话", 3_600)
SENTENCES: Final = (
    *(WELCOME, REPORT, ADVICE, COMPLAINT, UNSIGNED),
    *(SECRET, REPLY, CAUGHT, MISSED, UNHEARD),
)
TITLE: Final = "推进城乡供水一体化"
HALL: Final = "河口镇分会场"
MAIN: Final = "县政协议事厅"
AGENDA: Final = (
    {"title": "县水利局通报供水情况", "kind": "report", "speaker": "赵志强"},
    {"title": "委员协商", "kind": "discussion"},
    {"title": "总结", "kind": "summary"},
)
QUESTION: Final = "三楼以上没有水，泵站什么时候修？"
ANSWER: Final = "泵站已列入本月检修，12月10日前完工。"
STATEMENT: Final = "附上河口镇中学的用水记录。"
NOTE: Final = "这一条只给秘书处看。"
BROKEN: Final = "现场停电，设备断开"
REASON: Final = "录音正在修复，先行批准"
DECISION: Final = "（一）改造老旧管网。由县水利局牵头，明年6月底前完成。"


@dataclass
class Story:
    """Who is there, and what the parts of the test tell each other."""

    sitting: Sitting
    people: dict[str, Speaker] = field(default_factory=dict)
    invitees: dict[str, Json] = field(default_factory=dict)
    taken_away: list[Path] = field(default_factory=list)

    @property
    def desk(self) -> Door:
        return self.sitting.desk

    async def say(self, who: str, sentence: tuple[str, int], text: str, name: str = "") -> Json:
        """Spoken into that microphone; its row. Of a machine with too much to do it may come from the recording."""
        self.people[who].voice.say(sentence)
        row = await eventually(
            partial(self.sitting.segment, text), timeout_s=PATIENCE_S, every_s=0.2, what=text
        )
        assert row["participant_id"] == self.people[who].participant_id
        assert row["speaker"]["name"] == (name or who)
        return row
