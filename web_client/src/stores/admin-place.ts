/** Where in the administration one is: its places have addresses of their own under /admin. */
import { defineStore } from 'pinia'
import { ref } from 'vue'

export const ADMIN_PLACES = ['overview', 'organizations', 'users', 'rules', 'words', 'trace'] as const
export type AdminPlace = (typeof ADMIN_PLACES)[number]

export function adminPlaceOf(path: string): AdminPlace {
  const last = path.split('/')[2] ?? ''
  return ADMIN_PLACES.find((each) => each === last) ?? 'overview'
}

export const adminAddress = (place: AdminPlace): string => (place === 'overview' ? '/admin' : `/admin/${place}`)

export const useAdminPlace = defineStore('admin-place', () => {
  const at = ref(adminPlaceOf(window.location.pathname))
  /** the body whose people are shown; empty for all */
  const organization = ref('')

  function go(place: AdminPlace): void {
    if (place === at.value) return
    window.history.pushState(null, '', adminAddress(place) + window.location.search)
    at.value = place
    window.scrollTo(0, 0)
  }

  window.addEventListener('popstate', () => (at.value = adminPlaceOf(window.location.pathname)))

  return { at, organization, go }
})
