/** The two languages. Chinese unless this device chose otherwise or the link says `?lang=en`. */
import { createI18n } from 'vue-i18n'
import { chinese, english, type Texts } from './texts'

export type Language = 'zh-CN' | 'en'
const KEY = 'yuanshang.language'

function initial(): Language {
  const asked = new URLSearchParams(window.location.search).get('lang')
  if (asked === 'en' || asked === 'zh-CN') return asked
  try {
    return window.localStorage.getItem(KEY) === 'en' ? 'en' : 'zh-CN'
  } catch {
    return 'zh-CN'
  }
}

export const i18n = createI18n<[Texts], Language, false>({
  legacy: false,
  locale: initial(),
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': chinese, en: english },
})

export function setLanguage(language: Language): void {
  i18n.global.locale.value = language
  document.documentElement.lang = language
  try {
    window.localStorage.setItem(KEY, language)
  } catch {
    // The choice then lasts as long as the page.
  }
}

document.documentElement.lang = i18n.global.locale.value
