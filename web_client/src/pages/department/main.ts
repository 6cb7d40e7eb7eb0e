/** The page /d/{code}: a department answers the cases that were handed to it. */
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import '@/styles/tokens.css'
import '@/styles/base.css'
import '@/styles/button.css'
import '@/styles/field.css'
import '@/styles/signs.css'
import '@/styles/notice.css'
import '@/styles/floor.css'
import '@/styles/sheet.css'
import '@/styles/cases.css'
import '@/styles/department.css'
import DepartmentPage from './DepartmentPage.vue'
import { i18n } from './i18n'

createApp(DepartmentPage).use(createPinia()).use(i18n).mount('#app')
