/** The page /screen/{cid}: a hall's big screen, and with ?view=confidence the monitor for who speaks. */
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { i18n } from '@/i18n'
import '@/styles/tokens.css'
import '@/styles/base.css'
import '@/styles/tile.css'
import '@/styles/promotion.css'
import '@/styles/screen.css'
import { ScreenGuard } from './screen-guard'
import ScreenPage from './ScreenPage.vue'

const guard = new ScreenGuard()
guard.watch()
const app = createApp(ScreenPage).use(createPinia()).use(i18n)
// What breaks while the page is drawn would leave half of it standing for the rest of the meeting.
app.config.errorHandler = () => guard.broke()
app.mount('#app')
