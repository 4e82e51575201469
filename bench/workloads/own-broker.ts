// Brokers that a row starts and ends itself.

import { rm } from 'node:fs/promises'
import type { StartOptions } from '../peers/peer.ts'
import type { OwnRound, SharedRound } from './workload.ts'

/** What `work` answers, for which the broker is there as one that stays up is. It is stopped after it as an operator would, and killed when it fails. */
export async function withBroker<T>(
  round: OwnRound,
  work: (round: SharedRound) => Promise<T>,
  options: Partial<StartOptions> = {},
): Promise<T> {
  const broker = await round.peer.start({ data: round.data, ...options })
  let answer: T
  try {
    answer = await work({ ...round, broker })
  } catch (error) {
    await broker.kill()
    throw error
  }
  await broker.stop()
  return answer
}

export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 10 })
}
