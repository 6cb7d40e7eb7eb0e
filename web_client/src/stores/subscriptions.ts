/** What the server says of each track that this device receives: shown, waited for, or coded in a way that the device cannot show. */
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import type { SubscriptionState } from '@/api/messages'

export const useSubscriptions = defineStore('subscriptions', () => {
  const states = shallowRef(new Map<string, SubscriptionState>())

  function told(change: { publication_id: string; state: SubscriptionState }): void {
    states.value = new Map(states.value).set(change.publication_id, change.state)
  }

  function of(publicationId: string): SubscriptionState {
    return states.value.get(publicationId) ?? 'active'
  }

  function clear(): void {
    states.value = new Map()
  }

  return { told, of, clear }
})
