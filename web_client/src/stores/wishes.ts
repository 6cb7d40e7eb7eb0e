/** What the tiles on the page show, for the server to send no more than that. */
import { defineStore } from 'pinia'
import { markRaw } from 'vue'
import { WishSender } from '@/rtc/wish-sender'
import { useLine } from './line'

export const useWishes = defineStore('wishes', () => {
  const line = useLine()
  const sender = markRaw(new WishSender((items) => line.request('media.wish', { items })))
  const look = (): void => sender.look(document.visibilityState === 'visible')
  document.addEventListener('visibilitychange', look)
  look()

  return { sender }
})
