/** Which language a page speaks: Chinese unless this device chose otherwise or the link says `?lang=en`. */
export type Language = 'zh-CN' | 'en'
const KEY = 'yuanshang.language'

export function firstLanguage(): Language {
  const asked = new URLSearchParams(window.location.search).get('lang')
  if (asked === 'en' || asked === 'zh-CN') return asked
  try {
    return window.localStorage.getItem(KEY) === 'en' ? 'en' : 'zh-CN'
  } catch {
    return 'zh-CN'
  }
}

/** Say it to the browser, and remember it on this device. */
export function keepLanguage(language: Language): void {
  document.documentElement.lang = language
  try {
    window.localStorage.setItem(KEY, language)
  } catch {
    // The choice then lasts as long as the page.
  }
}
