// When a peer is ready, measured alike for all: each of its brokers has answered a Metadata request that came over TCP.

import { setTimeout as delay } from 'node:timers/promises'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { RawClient } from '../raw-client.ts'

const retryMs = 2

/** Resolves when the broker has answered and knows `brokers` of them. Rejects when `signal` says so. */
export async function untilAnswered(address: string, brokers: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    try {
      if ((await brokersKnownTo(address, signal)) >= brokers) return
    } catch {
      // Nobody listens yet, or it closed the connection: as if it had not answered.
    }
    await delay(retryMs)
  }
}

async function brokersKnownTo(address: string, signal: AbortSignal): Promise<number> {
  const client = await RawClient.connect(address)
  const close = (): void => client.close()
  signal.addEventListener('abort', close)
  try {
    const answer = await client.request(metadata, 9, { topics: [] })
    return answer.brokers.length
  } finally {
    signal.removeEventListener('abort', close)
    close()
  }
}
