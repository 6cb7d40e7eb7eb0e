/** All texts of a language together; each part of the product brings its own file. */
import { accountEn } from './account.en'
import { accountZhCN } from './account.zh-CN'
import { broadcastEn } from './broadcast.en'
import { broadcastZhCN } from './broadcast.zh-CN'
import { captionsEn } from './captions.en'
import { captionsZhCN } from './captions.zh-CN'
import { casesEn } from './cases.en'
import { casesZhCN } from './cases.zh-CN'
import { commentsEn } from './comments.en'
import { commentsZhCN } from './comments.zh-CN'
import { deskEn } from './desk.en'
import { deskZhCN } from './desk.zh-CN'
import { en } from './en'
import { entryEn } from './entry.en'
import { entryZhCN } from './entry.zh-CN'
import { inspectorEn } from './inspector.en'
import { inspectorZhCN } from './inspector.zh-CN'
import { minutesEn } from './minutes.en'
import { minutesZhCN } from './minutes.zh-CN'
import { responsesEn } from './responses.en'
import { responsesZhCN } from './responses.zh-CN'
import { secondPassEn } from './second-pass.en'
import { secondPassZhCN } from './second-pass.zh-CN'
import { zhCN } from './zh-CN'

export const chinese = { ...zhCN, ...deskZhCN, ...broadcastZhCN, ...captionsZhCN, ...entryZhCN, ...casesZhCN, ...commentsZhCN, ...responsesZhCN, ...accountZhCN, ...minutesZhCN, ...secondPassZhCN, ...inspectorZhCN }
export type Texts = typeof chinese
export const english: Texts = { ...en, ...deskEn, ...broadcastEn, ...captionsEn, ...entryEn, ...casesEn, ...commentsEn, ...responsesEn, ...accountEn, ...minutesEn, ...secondPassEn, ...inspectorEn }
