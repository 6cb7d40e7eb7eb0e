"""Words of a made-up meeting, by which templates are tried, and a template to begin with: the built-in layout."""

from __future__ import annotations

from typing import Any

from signaling.documents.messages import Block, Document, Style


def sample_words() -> dict[str, Any]:
    """Of approved minutes, as minutes_sheet.template_words makes them."""
    speech = {"发言人": "张三（委员）", "内容": "建议增加班车。", "全文": "张三（委员）：建议增加班车。"}
    point = {"发言人": "（一）增加班车。", "内容": "由交通局负责。", "全文": "（一）增加班车。由交通局负责。"}
    return {
        "会议名称": "某市政协“改善乡村出行”远程协商会",
        "议题": "改善乡村出行",
        "时间": "2026年11月20日（星期五）14:30—17:01",
        "地点与方式": "远程视频协商；主会场：市政协议事厅",
        "主持人": "周正明（市政协副主席）",
        "出席": "委员2人　张三、李四\n部门代表1人　市交通局",
        "列席": "王五（市人大社会委）",
        "请假": "赵六",
        "未签到": "",
        "记录人": "钱文",
        "导语": "2026年11月20日下午，某市政协召开协商会。现将会议主要情况纪要如下：",
        "议定事项": "（一）增加班车。由交通局负责。",
        "标题": "“改善乡村出行”远程协商会会议纪要",
        "文种": "会议纪要",
        "组织": "某市政协",
        "版本": 1,
        "状态": "",
        "正文": [
            {"标题": "一、委员发言", "段落": [speech, {**speech, "发言人": "", "全文": "建议增加班车。"}]},
            {"标题": "二、议定事项", "段落": [point]},
        ],
        "审核人": "钱文",
        "批准人": "周正明",
        "批准日期": "2026年11月23日",
        "批准时间": "09:30",
        "留痕序号": "1234",
        "留痕校验": "0" * 64,
        "说明": ["转写稿没有缺口。"],
    }


def sample_template() -> Document:
    """Laid out like what is printed without a template, with a place for every word."""
    fields = ("会议名称", "议题", "时间", "地点与方式", "主持人", "出席", "列席", "请假", "记录人")
    return Document(
        ("{{ 标题 }}",),
        "{% if 状态 %}（{{ 状态 }}）{% endif %}",
        "",
        (
            *(Block(Style.FIELD, f"{{{{ {name} }}}}", name) for name in fields),
            *(
                Block(style, text)
                for style, text in (
                    (Style.TEXT, "{%p if 导语 %}"),
                    (Style.TEXT, "{{ 导语 }}"),
                    (Style.TEXT, "{%p endif %}"),
                    (Style.TEXT, "{%p for 章 in 正文 %}"),
                    (Style.HEADING, "{{ 章.标题 }}"),
                    (Style.TEXT, "{%p for 段 in 章.段落 %}"),
                    (Style.TEXT, "{{ 段.全文 }}"),
                    (Style.TEXT, "{%p endfor %}"),
                    (Style.TEXT, "{%p endfor %}"),
                )
            ),
            Block(Style.SIGNATURE, "{{ 审核人 }}", "审核"),
            Block(Style.SIGNATURE, "", "签字"),
            Block(Style.NOTE, "{%p for 行 in 说明 %}"),
            Block(Style.NOTE, "{{ 行 }}"),
            Block(Style.NOTE, "{%p endfor %}"),
        ),
    )
