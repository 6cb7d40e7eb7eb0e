/** The languages of the public page: its own texts alone, so that a viewer does not download those of the room. */
import { createI18n } from 'vue-i18n'
import { firstLanguage, type Language } from '@/i18n/language'
import { publicEn } from '@/i18n/public.en'
import { publicZhCN, type PublicTexts } from '@/i18n/public.zh-CN'

export const i18n = createI18n<[PublicTexts], Language, false>({
  legacy: false,
  locale: firstLanguage(),
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': publicZhCN, en: publicEn },
})

document.documentElement.lang = i18n.global.locale.value
