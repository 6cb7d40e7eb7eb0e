import { describe, expect, it } from 'vitest'
import { EncoderWatch, type EncoderSample } from '@/rtc/encoder-watch'

class Device {
  readonly watch = new EncoderWatch()
  private atMs = 0
  private frames = 0

  run(seconds: number, sample: Partial<EncoderSample>): void {
    for (let passed = 0; passed < seconds; passed += 2) {
      this.frames += 30
      this.watch.take({ atMs: this.atMs, strained: false, load: null, frames: this.frames, sending: true, ...sample })
      this.atMs += 2000
    }
  }
}

describe('a device that cannot keep up', () => {
  it('is given less after ten seconds, not at once, and no less than there is', () => {
    const device = new Device()
    device.run(8, { strained: true })
    expect(device.watch.relief).toBe(0)
    device.run(4, { strained: true })
    expect(device.watch.relief).toBe(1)
    device.run(12, { strained: true })
    expect(device.watch.relief).toBe(2)
    device.run(60, { strained: true })
    expect(device.watch.relief).toBe(2)
  })

  it('is given more again step by step after a quiet minute', () => {
    const device = new Device()
    device.run(24, { strained: true })
    device.run(50, {})
    expect(device.watch.relief).toBe(2)
    device.run(14, {})
    expect(device.watch.relief).toBe(1)
    device.run(62, {})
    expect(device.watch.relief).toBe(0)
  })

  it('waits longer when the last try failed', () => {
    const device = new Device()
    device.run(12, { strained: true })
    device.run(62, {})
    expect(device.watch.relief).toBe(0)
    device.run(12, { strained: true })
    expect(device.watch.relief).toBe(1)
    device.run(80, {})
    expect(device.watch.relief).toBe(1)
    device.run(60, {})
    expect(device.watch.relief).toBe(0)
  })

  it('is known by its load where the browser gives no reason', () => {
    const device = new Device()
    device.run(14, { strained: null, load: 0.95 })
    expect(device.watch.relief).toBe(1)
    const other = new Device()
    other.run(14, { strained: false, load: 0.95 })
    expect(other.watch.relief).toBe(0)
  })
})

describe('a camera that gives nothing', () => {
  it('is seen after some seconds, and not while nobody is sent its picture', () => {
    const device = new Device()
    device.run(6, {})
    device.run(4, { frames: 90 })
    expect(device.watch.stalled).toBe(false)
    device.run(6, { frames: 90 })
    expect(device.watch.stalled).toBe(true)
    device.run(2, {})
    expect(device.watch.stalled).toBe(false)
    device.run(20, { frames: 7, sending: false })
    expect(device.watch.stalled).toBe(false)
    device.run(20, { frames: null })
    expect(device.watch.stalled).toBe(false)
  })
})
