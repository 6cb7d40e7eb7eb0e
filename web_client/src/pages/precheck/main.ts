/** The page /precheck/{cid}: the guided test of a venue. */
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { i18n } from '@/i18n'
import '@/styles/tokens.css'
import '@/styles/base.css'
import '@/styles/button.css'
import '@/styles/field.css'
import '@/styles/signs.css'
import '@/styles/notice.css'
import '@/styles/tile.css'
import '@/styles/join.css'
import '@/styles/sheet.css'
import '@/styles/door.css'
import '@/styles/precheck.css'
import PrecheckPage from './PrecheckPage.vue'

createApp(PrecheckPage).use(createPinia()).use(i18n).mount('#app')
