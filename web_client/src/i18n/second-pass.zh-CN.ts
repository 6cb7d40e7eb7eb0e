/** Texts of 录音复核: the recording heard again after the end, and what that proposes. */
export const secondPassZhCN = {
  secondPass: {
    title: '录音复核',
    begin: '开始复核',
    again: '再复核一次',
    retry: '再试一次',
    ready: '用更好的模型把录音再听一遍，逐段给出建议文字。不会自动改稿。',
    how: '怎样启用',
    off: '本机没有启用',
    why: {
      no_model: '请管理员在服务器上安装录音复核模型，用 --second-pass-model 指明模型文件夹，再重新启动。',
      model_broken: '设置的录音复核模型读不出来。请管理员检查 --second-pass-model 指明的文件夹。',
      engine_missing: '模型已经装好，还缺运行它的程序。请管理员在服务器上运行 pip install "yuanshang[whisper]"，再重新启动。',
    },
    waiting: '正在等另一场会议复核完，随后自动开始。',
    running: '正在重听录音：{done} / {total} 段',
    progress: '录音复核的进度',
    pending: '{n} 段有建议文字',
    nonePending: '没有要处理的建议文字',
    done: '已复核 {n} 段',
    unheard: '{n} 段没有录音或听不出',
    failed: '录音复核没有完成',
    reason: {
      no_model: '没有找到模型，请联系管理员。',
      model_broken: '模型读不出来，请联系管理员。',
      engine_missing: '缺少运行模型的程序，请联系管理员。',
      worker_ended: '复核程序多次中断。已经给出的建议都在，可以再试一次。',
      refused: '有一段文字没有存下来。已经给出的建议都在，可以再试一次。',
      sealed: '会议已经归档，不能再改转写稿。',
    },
    next: '下一处建议',
    all: '全部采用',
    allTitle: '采用全部 {n} 段建议文字？',
    allText: '这些文字由机器识别，请先抽查几段。采用后可以一次撤销，原来的文字也都在修改记录里。',
    taken: '已采用 {n} 段建议文字',
    takenBack: '已撤销，{n} 段恢复为采用以前的文字',
    left: '，另有 {n} 段刚刚有人改过，没有动',
    undoAll: '撤销全部采用',
    history: { proposed: '录音复核给出建议文字', refused: '不采用录音复核的文字' },
  },
}

export type SecondPassTexts = typeof secondPassZhCN
