/** The languages of the list of answers: its own texts, and those of the components that it shares with the public page. */
import { createI18n } from 'vue-i18n'
import { firstLanguage, type Language } from '@/i18n/language'
import { answersPageEn } from '@/i18n/answers-page.en'
import { answersPageZhCN } from '@/i18n/answers-page.zh-CN'
import { answersEn, publicCommentsEn } from '@/i18n/public-comments.en'
import { answersZhCN, publicCommentsZhCN } from '@/i18n/public-comments.zh-CN'

export const zhCN = {
  brand: '远商',
  organization: '远程协商会',
  common: { large: '大字', language: 'English', comma: '，' },
  comments: { privately: publicCommentsZhCN.privately },
  answers: answersZhCN,
  page: answersPageZhCN,
}
export type AnswerTexts = typeof zhCN
export const en: AnswerTexts = {
  brand: 'Yuanshang',
  organization: 'Remote consultation',
  common: { large: 'Large text', language: '中文', comma: ', ' },
  comments: { privately: publicCommentsEn.privately },
  answers: answersEn,
  page: answersPageEn,
}

export const i18n = createI18n<[AnswerTexts], Language, false>({
  legacy: false,
  locale: firstLanguage(),
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': zhCN, en },
})

document.documentElement.lang = i18n.global.locale.value
