/** The page /admin: for administrators. */
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
import '@/styles/entry.css'
import '@/styles/desk.css'
import '@/styles/desk-places.css'
import '@/styles/admin.css'
import AdminPage from './AdminPage.vue'

createApp(AdminPage).use(createPinia()).use(i18n).mount('#app')
