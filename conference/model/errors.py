"""Errors: one tree, one table of stable codes and of the sentence a person reads for each.

A code is part of the contract (socket acks, problem+json, metrics); the sentence may be reworded. What went
wrong in detail goes to the log and never to another participant.
"""

from __future__ import annotations

from typing import Any, Final

ERROR_TEXTS: Final[dict[str, str]] = {
    # the caller
    "bad_request": "请求格式不正确。",
    "unknown_event": "服务器不认识这个请求。",
    "forbidden": "您没有进行此操作的权限。",
    "not_found": "没有找到对应的内容。",
    "too_large": "发送的内容过大。",
    "rate_limited": "操作过于频繁，请稍后再试。",
    "unsupported_media_type": "不支持的内容类型。",
    "method_not_allowed": "不支持的请求方式。",
    "precondition_failed": "会话已经更新，请按最新状态重试。",
    # the token
    "token_missing": "缺少入会凭证，请使用发给您的链接。",
    "token_invalid": "入会凭证无效，请重新打开发给您的链接。",
    "token_expired": "入会链接已过期，请联系会务人员。",
    "token_revoked": "入会链接已被撤销，请联系会务人员。",
    "token_other_consultation": "这个链接属于另一场协商会。",
    # staff
    "login_failed": "账号或密码不对。",
    "login_locked": "输错次数过多，请稍后再试。",
    "session_expired": "登录已过期，请重新登录。",
    "login_taken": "这个账号名已被使用。",
    "organization_exists": "已有同名的组织。",
    "limit_beyond_server": "一间会议室的人数不能超过服务器允许的上限。",
    "password_weak": "密码至少 10 个字符，不能和账号相同。",
    # links and entry codes
    "link_invalid": "链接已失效，可能已换发新的链接。请向会务组索取，或输入 6 位会议码。",
    "code_wrong": "会议码不对，请核对后再输入。",
    "code_locked": "输错次数过多，请稍后再试。",
    "second_device": "这个链接已在另一台设备打开。",
    "not_admitted": "请稍候，主持人同意后您才能进入。",
    "refused_entry": "主持人没有同意您进入，如有需要请联系会务组。",
    # preparing
    "not_ready": "还有未完成的筹备事项，暂时不能发布。",
    "edit_conflict": "刚刚有人修改过，您看到的已是最新内容，请再操作一次。",
    "venue_in_use": "还有受邀人安排在这个会场，不能删除。",
    "too_many_invitees": "受邀人已达上限。",
    "too_many_files": "背景材料已达上限。",
    "too_many_clips": "片子已达上限，请先删除不用的。",
    "clip_not_ready": "这个片子还没有准备好，请稍候。",
    "clip_playing": "这个片子正在播放，请先停止。",
    "clip_other": "正在播放别的片子，请等它放完。",
    "clip_not_playing": "现在没有在播放的片子。",
    "disk_full": "磁盘空间不足，请先清理或联系管理员。",
    "storage_quota": "本机构的录制、节目和片子已占满规定的空间，没有收下。请删除不用的，或请管理员在“规则”里调整。",
    "precheck_reason": "跳过或没有通过的项目，请写明原因再提交。",
    "too_many_prechecks": "这个会场的联调单已达上限。",
    "file_type_refused": "不支持这种文件，请上传 PDF、Word、Excel、PPT、图片或文本。",
    "import_no_name_column": "没有找到“姓名”一列，请下载模板，把名单粘进去再导入。",
    "import_empty": "“姓名”一列下面没有人，请填好再导入。",
    "import_too_many_rows": "一次最多导入 2,000 行，请分成几个文件导入。",
    "import_unreadable": "这个文件读不出来，请另存为 Excel 工作簿（.xlsx）或 CSV 再导入。",
    "paper_failed": "PDF 暂时做不出来，请稍后再试，或先打印网页、导出 XLSX。",
    "storage_unavailable": "数据暂时写不进去，刚才的操作没有生效，请稍后再试。",
    "camera_address_wrong": "摄像机地址不对，应以 rtsp://、rtmp://、srt:// 或 http:// 开头，不含空格。",
    "too_many_cameras": "这个会场的摄像机已达上限。",
    "camera_busy": "正在查找或测试别的摄像机，请稍后再试。",
    # the consultation and its room
    "consultation_not_found": "没有找到这场协商会。",
    "consultation_exists": "这个编号已被另一场协商会使用。",
    "consultation_not_open": "这场协商会现在不能进入。",
    "consultation_ended": "这场协商会已经结束。",
    "nothing_recorded": "这里没有录到内容，无法生成文件。",
    "invalid_state": "协商会当前的状态不允许这项操作。",
    "rehearsal_clearing": "上一次演练还在清除，请过几秒再试。",
    "rehearsal_comment": "这是网友的留言，演练中不能用它上会。请先写一条演练留言。",
    "too_many_test_comments": "演练留言已经够多，请用已有的。",
    "room_full": "会议室已满，请联系会务人员。",
    "room_limit": "会议室人数已到本机构规定的上限，有人离开后才能进入。请联系会务人员。",
    "too_many_live": "本机构同时进行的协商会已到规定的上限。请先结束另一场（演练也算），或请管理员在“规则”里调整。",
    "hard_muted": "主持人已将您静音，只有主持人可以解除。",
    "floor_required": "现在由主持人统一开麦，请点“申请发言”。",
    "other_node": "这场协商会正在另一台服务器上进行，请稍后重试。",
    "node_draining": "这台服务器正在准备停机维护，不再开新的会场，请稍后重试。",
    "conflict": "发言安排刚刚有变动，您看到的已是最新情况，请再操作一次。",
    "agenda_item_begun": "已经开始的议程不能删除。",
    "too_many_statements": "书面发言已达上限，请联系会务人员。",
    "no_venue": "您的链接没有对应的会场，请使用会场操作员的链接进入。",
    "too_many_messages": "会场消息已达上限，请改用电话联系。",
    # comments of the public
    "comments_paused": "直播暂时中断，留言稍后恢复。您写的内容请先保留。",
    "comments_closed": "这场协商会的留言已经关闭。",
    "comment_changed": "这条留言的状态刚刚变了，您看到的已是最新情况，请再操作一次。",
    "comment_claimed": "另一位审核员正在处理这一组留言。",
    "too_many_comments": "留言已达上限。",
    "too_many_words": "词表已达上限。",
    # who a viewer is
    "identity_required": "本场留言需要先验证身份，您写的内容请先保留。",
    "identity_not_offered": "服务器没有设置短信或微信验证，不能要求验证身份。",
    "identity_wrong": "验证没有通过，请核对后再试。",
    "identity_lapsed": "验证已失效，请重新获取。",
    "identity_unavailable": "验证服务暂时不可用，请稍后再试。",
    # answers of departments
    "response_changed": "这件事项的状态刚刚变了，您看到的已是最新情况，请再操作一次。",
    "department_in_use": "已有同名的部门。",
    "too_many_departments": "部门已达上限。",
    "too_many_follow_ups": "您已多次追问，请等待答复。",
    "no_channel": "这个部门没有可用的邮箱或手机号，或服务器还没有设置发信方式，提醒发不出去。请电话联系。",
    "text_refused": "内容未通过检查，修改后可以重新发送。",
    "link_not_found": "链接已失效，可能已换发新的链接。请向会务组索取。",
    # minutes
    "second_pass_unavailable": "本机没有可用的录音复核模型，请管理员安装并设置后再试。",
    "gaps_open": "转写稿还有缺口。请先处理，或写明理由再提交。",
    "minutes_outdated": "这份记录生成之后，转写稿、书面发言或议程又有改动。请重新生成，或写明理由再提交。",
    "confidential_text": "稿中有已标为不公开的发言内容。请先删去。",
    "template_refused": "这个模板不能使用，请按说明修改后再上传。",
    "document_failed": "文档暂时做不出来，请稍后再试。",
    # media
    "sdp_invalid": "媒体协商内容无效。",
    "too_many_tracks": "同时发送的音视频过多。",
    "stale": "请求已过时，请按最新状态重试。",
    "media_unavailable": "媒体服务暂时不可用，正在恢复。",
    "port_in_use": "媒体端口已被占用。",
    # us
    "internal": "服务器内部错误，请稍后再试。",
}


class ConferenceError(Exception):
    """A request that cannot be done. `code` is a key of ERROR_TEXTS; `detail` is for the log.

    `members` are told to the caller beside the code, e.g. `retry_after_s`, a number of seconds.
    """

    def __init__(self, code: str, detail: str = "", **members: Any) -> None:
        super().__init__(detail or code)
        self.code = code
        self.detail = detail
        self.members = members

    @property
    def text(self) -> str:
        """The sentence for a person."""
        return ERROR_TEXTS.get(self.code, ERROR_TEXTS["internal"])


class ConflictError(ConferenceError):
    """Somebody else was faster; nothing was changed. `what` it was that both changed is said to the later one."""

    def __init__(self, by: str, what: str, detail: str = "") -> None:
        super().__init__("conflict", detail)
        self._by = by
        self._what = what

    @property
    def text(self) -> str:
        return f"{self._by}刚刚改了{self._what}，您看到的已是最新{self._what}，请再操作一次。"


class ForbiddenError(ConferenceError):
    """The role × action table says no."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("forbidden", detail)


class NotFoundError(ConferenceError):
    """No such thing, or none that the caller may know of."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("not_found", detail)


class OtherNodeError(ConferenceError):
    """Another node holds the room of `consultation_id`, or is to hold it; `url` is how that node is reached, None where
    that is not known."""

    def __init__(self, consultation_id: str, node: str, url: str | None = None) -> None:
        super().__init__("other_node", node)
        self.consultation_id = consultation_id
        self.url = url
