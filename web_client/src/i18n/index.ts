/** The two languages. */
import { createI18n } from 'vue-i18n'
import { firstLanguage, keepLanguage, type Language } from './language'
import { chinese, english, type Texts } from './texts'

export type { Language }

export const i18n = createI18n<[Texts], Language, false>({
  legacy: false,
  locale: firstLanguage(),
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': chinese, en: english },
})

export function setLanguage(language: Language): void {
  i18n.global.locale.value = language
  keepLanguage(language)
}

document.documentElement.lang = i18n.global.locale.value
