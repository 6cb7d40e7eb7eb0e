import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Publication } from '@/api/messages'
import { useCall } from '@/stores/call'
import { useRoom } from '@/stores/room'
import { useSubscriptions } from '@/stores/subscriptions'
import { useTiles } from '@/stores/tiles'
import { fakeTrack, participant, snapshot } from './fakes'

const camera: Publication = { id: 'pic', kind: 'video', source: 'camera', label: null, codec: 'H265' }

beforeEach(() => setActivePinia(createPinia()))

describe('a picture that this device cannot show', () => {
  it('is a tile with words and no track, and a picture again when it can be shown', () => {
    const other = participant('other', { camera: true, publications: [camera] })
    useRoom().take(snapshot({ participants: [participant('me'), other] }))
    const track = fakeTrack('video')
    useCall().tracks = [{ publicationId: 'pic', participantId: 'other', source: 'camera', track }]
    const tiles = useTiles()
    expect(tiles.stage).toMatchObject({ state: 'active', track })

    useSubscriptions().told({ publication_id: 'pic', state: 'unsupported_codec' })
    expect(tiles.stage).toMatchObject({ state: 'unsupported_codec', track: null })

    useSubscriptions().told({ publication_id: 'pic', state: 'active' })
    expect(tiles.stage).toMatchObject({ state: 'active', track })
  })

  it('is not spoken of while the camera is off', () => {
    const other = participant('other', { camera: false, publications: [camera] })
    useRoom().take(snapshot({ participants: [participant('me'), other] }))
    useSubscriptions().told({ publication_id: 'pic', state: 'unsupported_codec' })
    expect(useTiles().stage).toMatchObject({ state: 'active', track: null })
  })
})
