/** The page /account/{cid}: one A4 page of what the public said and what became of it. */
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { i18n } from '@/i18n'
import '@/styles/tokens.css'
import '@/styles/base.css'
import '@/styles/button.css'
import '@/styles/signs.css'
import '@/styles/notice.css'
import '@/styles/join.css'
import '@/styles/account.css'
import AccountPage from './AccountPage.vue'

createApp(AccountPage).use(createPinia()).use(i18n).mount('#app')
