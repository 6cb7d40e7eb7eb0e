/** Hands on what a microphone gives, without a gap, each piece with the time of its first sample. */
const PIECE = 2048

class Recorder extends AudioWorkletProcessor {
  constructor() {
    super()
    this.pieces = []
    this.filled = 0
    this.at = 0
  }

  process([input]) {
    if (!input || input.length === 0) return true
    if (this.pieces.length !== input.length) {
      this.pieces = input.map(() => new Float32Array(PIECE))
      this.filled = 0
    }
    if (this.filled === 0) this.at = currentTime
    input.forEach((channel, each) => this.pieces[each].set(channel, this.filled))
    this.filled += input[0].length
    if (this.filled >= PIECE) {
      this.port.postMessage({ at: this.at, channels: this.pieces })
      this.pieces = input.map(() => new Float32Array(PIECE))
      this.filled = 0
    }
    return true
  }
}

registerProcessor('yuanshang-recorder', Recorder)
