"""Sentences as a county's public writes them, as many different ones as a load needs, put together from clauses."""

from __future__ import annotations

import random
from typing import Final

_PLACES: Final = (
    "石桥村", "柳塘街道", "南坪镇", "东河", "老县城", "杏林", "沙湾", "白果垭", "青龙嘴", "新庄", "大坪上", "竹园里",
    "李家湾", "水口寺", "枫树坳", "黄泥塘", "北门外", "双井巷", "火车站那边", "河西", "茶场", "矿山家属区", "三棵树",
    "桐子坡", "甘溪", "麻石街", "油坊里", "关帝庙", "栗山", "两河口",
)  # fmt: skip
_WHO: Final = (
    "的老人", "的住户", "一个种地的", "开小店的", "做木工的", "退休教师", "带孙子的", "打工回来的", "的学生家长",
    "跑三轮的", "的村医", "卖菜的", "独居的", "年轻人", "的残疾人", "养蜂的", "的环卫工", "租房子住的", "的摊主",
    "护林的",
)  # fmt: skip
_WHEN: Final = (
    "今年", "上个月", "一到下雨", "每天早上", "这两年", "逢场天", "过完年以后", "入秋以来", "晚上", "农忙的时候",
    "周末", "连着三天", "从三月份起", "刚才听直播", "去年冬天",
)  # fmt: skip
_WHAT: Final = (
    "去卫生院排不上队", "走那段路没有灯", "水龙头出来是黄的", "等车等了一个多钟头", "买不到降压药", "上下六楼靠人背",
    "助餐点只收扫码", "办个证跑了三趟", "窗口说的话听不懂", "晒谷子没有地方", "手机没有信号", "接孩子堵在桥头",
    "呼叫器按了没人应", "养老院排队排到明年", "报销的单子被退回来", "垃圾三天没人收", "河边的栏杆断了一截",
    "助听器配不起", "轮椅过不了门槛", "班车说停就停", "暖气片是冰的", "申请表填不明白", "老年卡刷不出来",
    "护工请不到", "巡诊的医生没来", "饭菜送到是凉的", "楼道里堆满东西", "补贴晚了两个月", "陪诊找不到人",
    "楼上漏水没人管",
    "学校门口没有斑马线", "果子卖不出去", "工钱还欠着", "路面塌了一块", "活动室锁着门", "厕所没有扶手",
)  # fmt: skip
_WISH: Final = (
    "希望早点有个说法", "请把时间贴出来", "能不能先修最急的", "盼着有人下来看看", "建议先做一个点试试",
    "请派人每周来一次", "最好有人上门教一教", "多听听我们怎么说", "大家愿意一起出力", "请给个准日子", "不要再推来推去",
    "钱花在哪里公开一下", "想知道归哪个部门管", "明年能轮到我们吗", "谢谢你们肯听", "邻居们都是这么想的",
    "有没有别的办法", "老人等不起", "别只在会上说", "照顾一下走不动的人", "开会的委员替我们问一问", "比以前已经好多了",
    "材料能不能少交几样", "至少回个电话", "哪怕修一半也行", "请主持人念一下",
)  # fmt: skip


def sentences(count: int, seed: int) -> list[str]:
    """Different ones, 30 characters at the median."""
    chance = random.Random(seed)
    made: dict[str, None] = {}
    while len(made) < count:
        who = chance.choice(_PLACES) + chance.choice(_WHO)
        what = chance.choice(_WHEN) + chance.choice(_WHAT)
        if chance.random() < 0.4:
            what += "，" + chance.choice(_WHAT)
        made.setdefault(f"{who}，{what}，{chance.choice(_WISH)}{chance.choice(('', '', '。', '！'))}")
    return list(made)
