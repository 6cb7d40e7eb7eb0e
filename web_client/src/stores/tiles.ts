/** Which pictures there are, in which order, and which one is on the stage. */
import { defineStore } from 'pinia'
import { computed, markRaw, ref, watch } from 'vue'
import type { Participant, Publication, SubscriptionState } from '@/api/messages'
import { VideoPool } from '@/rtc/video-pool'
import { useCall } from './call'
import { useLayout } from './layout'
import { useOwnMedia } from './own-media'
import { isVenue, useRoom } from './room'
import { useSubscriptions } from './subscriptions'

export interface Tile {
  key: string
  /** null of one's own pictures, which come from no server */
  publicationId: string | null
  participant: Participant
  source: 'camera' | 'screen'
  track: MediaStreamTrack | null
  own: boolean
  label: string | null
  state: SubscriptionState
}

/** An active speaker takes the stage after this long, so that a cough does not. */
const STAGE_MS = 1500

export const useTiles = defineStore('tiles', () => {
  const call = useCall()
  const layout = useLayout()
  const own = useOwnMedia()
  const room = useRoom()
  const subscriptions = useSubscriptions()
  const pool = markRaw(new VideoPool())

  const tracksById = computed(() => new Map(call.tracks.map((each) => [each.publicationId, each.track])))

  /** What this device cannot show has no track here: a tile with words instead of a black picture. */
  function received(publication: Publication): MediaStreamTrack | null {
    return subscriptions.of(publication.id) === 'unsupported_codec' ? null : (tracksById.value.get(publication.id) ?? null)
  }

  function stateOf(publication: Publication | undefined, shown: boolean): SubscriptionState {
    return publication && shown ? subscriptions.of(publication.id) : 'active'
  }

  function camerasOf(participant: Participant): Tile[] {
    // A film that is played has a screen alone.
    if (participant.kind === 'clip') return []
    const mine = participant.id === room.myId
    const all = participant.publications.filter((each) => each.source === 'camera')
    const cameras = [...all.filter((each) => each.main), ...all.filter((each) => !each.main)]
    const tile = (publication: Publication | undefined, key: string): Tile => ({
      key,
      publicationId: mine ? null : (publication?.id ?? null),
      participant,
      source: 'camera',
      own: mine,
      label: cameras.length > 1 ? publication?.label || null : null,
      track: mine
        ? own.pictureOf(publication?.label ?? null)
        : publication && participant.camera
          ? received(publication)
          : null,
      state: stateOf(publication, participant.camera && !mine),
    })
    // The main camera keeps its place when it is switched off; a venue may have more.
    return [tile(cameras[0], participant.id), ...cameras.slice(1).map((each) => tile(each, each.id))]
  }

  function screensOf(participant: Participant): Tile[] {
    if (participant.id === room.myId) {
      return own.share
        ? [{ key: `${participant.id}/screen`, publicationId: null, participant, source: 'screen', own: true, label: null, track: own.share.picture, state: 'active' }]
        : []
    }
    return participant.publications
      .filter((each) => each.source === 'screen')
      .map((each) => ({
        key: each.id,
        publicationId: each.id,
        participant,
        source: 'screen',
        own: false,
        label: each.label,
        track: received(each),
        state: stateOf(each, true),
      }))
  }

  const cameras = computed(() => sorted(room.participants).flatMap(camerasOf))
  const screens = computed(() => room.participants.flatMap(screensOf))

  function sorted(participants: Participant[]): Participant[] {
    const rank = (each: Participant): number =>
      each.id === room.myId ? 4 : isVenue(each) ? 0 : each.id === room.holder?.participant_id ? 1 : each.hand !== null ? 2 : 3
    return participants
      .map((each, at) => ({ each, at }))
      .sort((one, two) => rank(one.each) - rank(two.each) || (one.each.hand ?? 0) - (two.each.hand ?? 0) || one.at - two.at)
      .map(({ each }) => each)
  }

  const onStage = ref<string | null>(null)
  let change: ReturnType<typeof setTimeout> | undefined
  const loudest = computed(
    () => room.state?.speakers.find((each) => each.participant_id !== room.myId)?.participant_id ?? null,
  )
  watch(loudest, (id) => {
    clearTimeout(change)
    if (id === null || id === onStage.value) return
    change = setTimeout(() => (onStage.value = id), onStage.value === null ? 0 : STAGE_MS)
  })

  /** whom the room looks at while nobody shares */
  const speaker = computed<Tile | null>(() => {
    const of = (id: string | null): Tile | undefined => cameras.value.find((each) => each.participant.id === id)
    const others = cameras.value.filter((each) => !each.own)
    // Who has the floor, unless that is oneself: nobody needs to look at oneself while speaking.
    const holder = of(room.holder?.participant_id ?? null)
    if (holder && !holder.own) return holder
    return of(onStage.value) ?? others.find((each) => isVenue(each.participant)) ?? others[0] ?? cameras.value[0] ?? null
  })
  const stage = computed<Tile | null>(() => {
    const all = [...screens.value, ...cameras.value]
    const pinned = all.find((each) => each.key === layout.pinned)
    const shared = screens.value.filter((each) => !each.own).at(-1)
    return pinned ?? shared ?? speaker.value
  })
  const strip = computed<Tile[]>(() => {
    const rest = [...screens.value, ...cameras.value].filter((each) => each.key !== stage.value?.key)
    if (stage.value?.source !== 'screen') return rest
    // Beside a share the speaker comes first.
    return rest.sort((one, two) => Number(two.key === speaker.value?.key) - Number(one.key === speaker.value?.key))
  })
  const grid = computed<Tile[]>(() => [...screens.value, ...cameras.value])

  watch(grid, (tiles) => pool.keepOnly(new Set(tiles.filter((each) => each.track).map((each) => each.key))))

  return { pool, stage, strip, grid, speaker }
})
