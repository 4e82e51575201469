// Members of classic groups as the scenarios need them.

import { findCoordinator, heartbeat, joinGroup } from '../../../src/protocol/apis/index.ts'
import type { ResponseOf } from '../../../src/protocol/schema/index.ts'
import { waitFor } from '../../support/wait-for.ts'
import { closed, type Dialogue, type Peer } from '../dialogue.ts'

/** A subscription to no topics, version 0: Kafka reads it, and a join with other bytes than that is never answered. */
const subscription = Buffer.from('000000000000ffffffff', 'hex')

export const protocols = (...names: string[]) => names.map((name) => ({ name, metadata: subscription }))

export interface Joining {
  readonly groupId: string
  readonly memberId?: string
  readonly groupInstanceId?: string | null
  readonly protocolType?: string
  readonly protocols?: ReturnType<typeof protocols>
  readonly sessionTimeoutMs?: number
}

export function joinRequest(version: number, { groupId, memberId = '', groupInstanceId, ...rest }: Joining) {
  const request = {
    groupId,
    memberId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 5_000,
    protocolType: 'consumer',
    protocols: protocols('range', 'sticky'),
    ...rest,
  }
  return version >= 5 && groupInstanceId !== undefined ? { ...request, groupInstanceId } : request
}

export type Joined = ResponseOf<typeof joinGroup>

/** Joins as a client does: again, with the id it was given. */
export async function join(peer: Peer, version: number, joining: Joining): Promise<Joined> {
  const first = await peer.ask(joinGroup, version, joinRequest(version, joining))
  if (first === closed) throw new Error('closed')
  if (first.errorCode !== 79) return first
  const second = await peer.ask(joinGroup, version, joinRequest(version, { ...joining, memberId: first.memberId }))
  if (second === closed) throw new Error('closed')
  return second
}

/** A broker takes a moment for its first group. */
export async function coordinatorOf(dialogue: Dialogue, groupId: string): Promise<void> {
  await waitFor('the coordinator', async () => {
    const found = await dialogue.ask(findCoordinator, 2, { key: groupId, keyType: 0 })
    if (found === closed || found.errorCode !== 0) return false
    const alive = await dialogue.ask(heartbeat, 3, { groupId, generationId: 1, memberId: 'nobody' })
    return alive !== closed && alive.errorCode === 25
  })
}

export const assignments = (...memberIds: string[]) =>
  memberIds.map((memberId, i) => ({ memberId, assignment: Buffer.from(`assignment ${i}`) }))
