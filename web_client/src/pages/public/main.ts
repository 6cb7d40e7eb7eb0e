/** The page /live/{cid}. `?old=1` leaves it to live-old.js, the page for browsers that cannot read this file. */
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
import { i18n } from './i18n'
import PublicPage from './PublicPage.vue'

if (!new URLSearchParams(window.location.search).has('old')) createApp(PublicPage).use(createPinia()).use(i18n).mount('#app')
