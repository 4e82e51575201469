// The door to another process of this program on the same machine: messages, in order, each once, until either side is gone.
// Real over a child process's channel (child-process.ts), simulated in message-channel.sim.ts.

/** What a message may be made of: values that structured clone copies. */
export interface MessageChannel {
  /** Sends a copy. On a channel that is closed nothing happens. */
  post(message: unknown): void
  /** Set by the owner once, before the next turn. */
  onMessage: (message: unknown) => void
  /** Exactly once: the other side is gone, or this one has closed it. No message comes after. */
  onClose: () => void
  close(): void
}

interface Envelope {
  readonly lane: string
  readonly message: unknown
}

/**
 * Several channels over one, by name. Both sides name the same lanes; a message for a lane that is not named is a bug. Closing a
 * lane only stops that lane on this side; the channel stays.
 */
export function lanesOf<Name extends string>(
  channel: MessageChannel,
  names: readonly Name[],
): Readonly<Record<Name, MessageChannel>> {
  const lanes = new Map<string, Lane>(names.map((name) => [name, new Lane(channel, name)]))
  channel.onMessage = (envelope) => {
    const { lane, message } = envelope as Envelope
    lanes.get(lane)?.receive(message)
  }
  channel.onClose = () => {
    for (const lane of lanes.values()) lane.close()
  }
  return Object.fromEntries(lanes) as unknown as Record<Name, MessageChannel>
}

class Lane implements MessageChannel {
  onMessage: (message: unknown) => void = () => {}
  onClose: () => void = () => {}
  readonly #channel: MessageChannel
  readonly #name: string
  #closed = false

  constructor(channel: MessageChannel, name: string) {
    this.#channel = channel
    this.#name = name
  }

  post(message: unknown): void {
    if (!this.#closed) this.#channel.post({ lane: this.#name, message } satisfies Envelope)
  }

  receive(message: unknown): void {
    if (!this.#closed) this.onMessage(message)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.onClose()
  }
}
