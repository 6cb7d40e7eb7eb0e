/** Texts of the second pass: the recording heard again after the end, and what that proposes. */
import type { SecondPassTexts } from './second-pass.zh-CN'

export const secondPassEn: SecondPassTexts = {
  secondPass: {
    title: 'Second listening',
    begin: 'Begin',
    again: 'Listen once more',
    retry: 'Try again',
    ready: 'A better model hears the recording again and proposes text for each segment. It changes nothing by itself.',
    how: 'How to switch it on',
    off: 'Not switched on',
    why: {
      no_model: 'An administrator can install a model for it on the server, name its folder with --second-pass-model, and restart.',
      model_broken: 'The model for it cannot be read. Please have an administrator check the folder named with --second-pass-model.',
      engine_missing: 'The model is there, the program for it is not. An administrator can run pip install "yuanshang[whisper]" on the server and restart.',
    },
    waiting: 'Another session is being heard; this one begins by itself after it.',
    running: 'Hearing the recording again: {done} of {total} segments',
    progress: 'How far the second listening is',
    pending: '{n} segments with a proposal',
    nonePending: 'No proposals to settle',
    done: '{n} segments heard again',
    unheard: '{n} without sound, or nothing was made out',
    failed: 'The second listening did not finish',
    reason: {
      no_model: 'No model was found. Please ask an administrator.',
      model_broken: 'The model cannot be read. Please ask an administrator.',
      engine_missing: 'The program for the model is missing. Please ask an administrator.',
      worker_ended: 'It broke off several times. What was proposed is kept; you may try again.',
      refused: 'One text could not be kept. What was proposed is kept; you may try again.',
      sealed: 'The session is archived: its transcript cannot be changed any more.',
    },
    next: 'Next proposal',
    all: 'Take all',
    allTitle: 'Take all {n} proposals?',
    allText: 'They come from a machine: look at some first. You can undo it as a whole, and the earlier texts stay among the revisions.',
    taken: '{n} proposals taken',
    takenBack: 'Undone: {n} segments read as before',
    left: ', {n} were changed by somebody meanwhile and left alone',
    undoAll: 'Undo taking all',
    history: { proposed: 'A second listening proposed a text', refused: 'Second listening refused' },
  },
}
