/** The languages of the department's page: its own texts alone. */
import { createI18n } from 'vue-i18n'
import { departmentEn } from '@/i18n/department.en'
import { departmentZhCN, type DepartmentTexts } from '@/i18n/department.zh-CN'
import { firstLanguage, keepLanguage, type Language } from '@/i18n/language'

export const i18n = createI18n<[DepartmentTexts], Language, false>({
  legacy: false,
  locale: firstLanguage(),
  fallbackLocale: 'zh-CN',
  messages: { 'zh-CN': departmentZhCN, en: departmentEn },
})

export function setLanguage(language: Language): void {
  i18n.global.locale.value = language
  keepLanguage(language)
}

document.documentElement.lang = i18n.global.locale.value
