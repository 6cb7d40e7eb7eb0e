/** The page /answers/{cid}. */
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import '@/styles/tokens.css'
import '@/styles/base.css'
import '@/styles/button.css'
import '@/styles/field.css'
import '@/styles/signs.css'
import '@/styles/notice.css'
import '@/styles/floor.css'
import '@/styles/public.css'
import '@/styles/public-comments.css'
import '@/styles/answers.css'
import AnswersPage from './AnswersPage.vue'
import { i18n } from './i18n'

createApp(AnswersPage).use(createPinia()).use(i18n).mount('#app')
