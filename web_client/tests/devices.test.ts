import { describe, expect, it } from 'vitest'
import { cameraConstraints, microphoneConstraints, problemOf, readChoice } from '@/rtc/devices'
import { levelOf } from '@/rtc/level-meter'

describe('devices', () => {
  it.each([
    ['NotAllowedError', 'denied'],
    ['NotFoundError', 'missing'],
    ['NotReadableError', 'busy'],
    ['TypeError', 'failed'],
  ])('%s is %s', (name, problem) => {
    expect(problemOf(new DOMException('', name))).toBe(problem)
  })

  it('asks for cleaned speech and, on a telephone, for the chosen side', () => {
    const choice = { ...readChoice(), camera: 'cam', facing: 'environment' as const }
    expect(microphoneConstraints(choice)).toMatchObject({ echoCancellation: true, noiseSuppression: true, autoGainControl: true })
    expect(cameraConstraints(choice, false)).toMatchObject({ width: { ideal: 1280 }, deviceId: { ideal: 'cam' } })
    const phone = cameraConstraints(choice, true)
    expect(phone).toMatchObject({ width: { ideal: 640 }, facingMode: { ideal: 'environment' } })
    expect(phone).not.toHaveProperty('deviceId')
  })

  it('measures silence as 0 and a full tone as 1', () => {
    expect(levelOf(new Float32Array(512))).toBe(0)
    expect(levelOf(Float32Array.from({ length: 512 }, (_, at) => Math.sin(at / 3)))).toBe(1)
  })
})
