/** The page /room/{cid}: join page and room in one. */
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
import '@/styles/room.css'
import '@/styles/floor.css'
import '@/styles/room-phone.css'
import '@/styles/sheet.css'
import RoomPage from './RoomPage.vue'

createApp(RoomPage).use(createPinia()).use(i18n).mount('#app')
