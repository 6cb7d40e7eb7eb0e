/** The samples of a microphone as they come, on the clock of the page's AudioContext. */
import { audioContext } from '../audio-context'
import workletAddress from './recorder-worklet.js?url'

export interface Piece {
  /** of the first sample, seconds of the context */
  at: number
  channels: Float32Array[]
}

const ready = new WeakMap<AudioContext, Promise<void>>()

/** The page's context, running; null where there is none, or nobody has touched the page. */
export async function runningContext(): Promise<AudioContext | null> {
  const context = audioContext()
  if (!context) return null
  if (context.state !== 'running') await context.resume().catch(() => undefined)
  return (context.state as AudioContextState) === 'running' ? context : null
}

export class Recorder {
  private constructor(
    private readonly source: MediaStreamAudioSourceNode,
    private readonly node: AudioWorkletNode,
  ) {}

  static async open(context: AudioContext, track: MediaStreamTrack, heard: (piece: Piece) => void): Promise<Recorder> {
    let loaded = ready.get(context)
    if (!loaded) ready.set(context, (loaded = context.audioWorklet.addModule(workletAddress)))
    await loaded
    const source = context.createMediaStreamSource(new MediaStream([track]))
    const node = new AudioWorkletNode(context, 'yuanshang-recorder', { numberOfOutputs: 0 })
    node.port.onmessage = ({ data }: MessageEvent<Piece>) => heard(data)
    source.connect(node)
    return new Recorder(source, node)
  }

  close(): void {
    this.node.port.onmessage = null
    this.source.disconnect()
    this.node.disconnect()
  }
}
