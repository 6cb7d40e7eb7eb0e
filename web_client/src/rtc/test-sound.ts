/** Three calm notes as a WAV, made here, so that the loudspeaker test needs no file and can go to a chosen loudspeaker. */

const RATE = 22_050
const NOTES_HZ = [523, 659, 784]
const NOTE_S = 0.45

export function testSound(): Blob {
  const perNote = Math.round(RATE * NOTE_S)
  const samples = new Int16Array(perNote * NOTES_HZ.length)
  NOTES_HZ.forEach((hz, note) => {
    for (let at = 0; at < perNote; at += 1) {
      const seconds = at / RATE
      const envelope = Math.min(1, seconds / 0.02) * Math.exp(-3.5 * seconds)
      samples[note * perNote + at] = Math.round(Math.sin(2 * Math.PI * hz * seconds) * envelope * 14_000)
    }
  })
  const bytes = samples.byteLength
  const header = new DataView(new ArrayBuffer(44))
  const text = (at: number, value: string): void => {
    for (let index = 0; index < value.length; index += 1) header.setUint8(at + index, value.charCodeAt(index))
  }
  text(0, 'RIFF')
  header.setUint32(4, 36 + bytes, true)
  text(8, 'WAVEfmt ')
  header.setUint32(16, 16, true)
  header.setUint16(20, 1, true)
  header.setUint16(22, 1, true)
  header.setUint32(24, RATE, true)
  header.setUint32(28, RATE * 2, true)
  header.setUint16(32, 2, true)
  header.setUint16(34, 16, true)
  text(36, 'data')
  header.setUint32(40, bytes, true)
  return new Blob([header.buffer, samples.buffer], { type: 'audio/wav' })
}
