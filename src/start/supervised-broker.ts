// A broker under a supervisor, in a process of its own: it learns who it is over the channel, and its metadata is the supervisor's.

import { RemoteMetaStore } from '../cluster/remote/remote-meta-store.ts'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import type { Clock } from '../io/clock.ts'
import { lanesOf, type MessageChannel } from '../io/message-channel.ts'
import { type BrokerOptions, type RunningBroker, runBroker, StartRefused } from '../start.ts'
import { type FromSupervised, lanes, type Manner, type ToSupervised } from './supervision.ts'

export interface SupervisedOptions {
  /** To the supervisor. */
  readonly channel: MessageChannel
  readonly clock: Clock
  /** The doors of this process. Throws when the settings are wrong. */
  readonly optionsFor: (
    settings: ReadonlyMap<string, string>,
    manner: Manner,
  ) => Omit<BrokerOptions, 'metadata' | 'onFault'> & { readonly settings: BrokerSettings }
  /** It is over: the process is to end. `error`: why, when nobody asked for it. */
  readonly onEnd: (error: unknown) => void
}

/** Brokers whose supervisor was killed take this long to end, at most. */
const orphansMsMax = 8_000

/** Resolves when nobody uses the data folder, or nobody can be waited for. */
async function folderIsFree({
  disk,
  clock,
  settings,
}: Pick<BrokerOptions, 'disk' | 'clock' | 'settings'>): Promise<void> {
  const until = clock.monotonic() + orphansMsMax
  await disk.makeFolder(settings.dataFolder)
  while (clock.monotonic() < until) {
    const lock = await disk.lock(settings.dataFolder)
    if (lock !== null) {
      await lock.release()
      return
    }
    await new Promise<void>((resolve) => {
      clock.setTimer(100, resolve)
    })
  }
}

/** Begins to wait for the supervisor's word. The answer stops the broker: others take over what it leads. */
export function superviseBroker({ channel, clock, optionsFor, onEnd }: SupervisedOptions): () => Promise<void> {
  const { supervision, metadata } = lanesOf(channel, lanes)
  const say = (message: FromSupervised): void => supervision.post(message)
  let starting: Promise<RunningBroker | null> = Promise.resolve(null)

  const start = async ({ settings, manner }: ToSupervised & { readonly kind: 'start' }) => {
    try {
      const store = new RemoteMetaStore({ channel: metadata, clock })
      const options = optionsFor(new Map(settings), manner)
      await folderIsFree(options)
      const broker = await runBroker({
        ...options,
        metadata: { store, failed: store.failed },
        onFault: onEnd,
      })
      const { clusterId, listeners } = broker
      say({ kind: 'ready', clusterId, listeners })
      return broker
    } catch (error) {
      if (error instanceof StartRefused) say({ kind: 'refused', reason: error.message })
      onEnd(error)
      return null
    }
  }
  supervision.onMessage = (message) => {
    const told = message as ToSupervised
    if (told.kind === 'start') starting = start(told)
    else {
      void starting.then(async (broker) => {
        await broker?.stop({ handOver: false })
        onEnd(null)
      })
    }
  }
  return async () => {
    await (await starting)?.stop()
  }
}
