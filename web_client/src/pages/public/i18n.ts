/** The languages of the public page: its own texts alone, so that a viewer does not download those of the room. */
import { createI18n } from 'vue-i18n'
import { publicEn } from '@/i18n/public.en'
import { publicZhCN, type PublicTexts } from '@/i18n/public.zh-CN'

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

export const i18n = createI18n<[PublicTexts], Language, false>({
  legacy: false,
  locale: initial(),
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': publicZhCN, en: publicEn },
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
