/** The page /desk/{cid}: chair, secretariat and organizer. */
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { i18n } from '@/i18n'
import '@/styles/tokens.css'
import '@/styles/base.css'
import '@/styles/button.css'
import '@/styles/field.css'
import '@/styles/signs.css'
import '@/styles/notice.css'
import '@/styles/join.css'
import '@/styles/sheet.css'
import '@/styles/floor.css'
import '@/styles/desk.css'
import '@/styles/desk-places.css'
import '@/styles/desk-broadcast.css'
import DeskPage from './DeskPage.vue'

createApp(DeskPage).use(createPinia()).use(i18n).mount('#app')
