// What befalls a group while its members read. Each ends with a group that has settled.

import type { Client } from './clients.ts'
import type { Member } from './member.ts'
import type { Scene } from './scene.ts'
import type { Kind } from './server.ts'

export interface Scenario {
  readonly name: string
  readonly server: Exclude<Kind, 'kafka'>
  /** Says why a client's members cannot play it, if so. */
  readonly notFor: (client: Client) => string | null
  play(scene: Scene): Promise<void>
}

const forAll = (): null => null
const now = (): number => Date.now() * 1000

async function threeJoin(scene: Scene): Promise<Member[]> {
  const members = [await scene.join(), await scene.join(), await scene.join()]
  await scene.together('three joined')
  return members
}

/** Alone first: a classic group keeps that member as its leader. */
async function threeStaticJoin(scene: Scene): Promise<Member[]> {
  const leader = await scene.join('one')
  await scene.together('the first one joined')
  const members = [leader, await scene.join('two'), await scene.join('three')]
  await scene.together('three joined')
  return members
}

async function rollingRestart(scene: Scene): Promise<void> {
  for (const member of await threeJoin(scene)) {
    await scene.leave(member)
    await scene.join()
    await scene.settled(`${member.name} was replaced`)
  }
}

async function memberKilled(scene: Scene): Promise<void> {
  const [first] = await threeJoin(scene)
  await first!.kill()
  await scene.settled(`${first!.name} was killed`)
  await scene.join()
  await scene.settled('another one came')
}

/** What happens to one of them moves nothing among the others, and makes no new generation. */
async function unnoticed(scene: Scene, others: readonly Member[], happening: () => Promise<void>): Promise<void> {
  const before = (await scene.log()).generations
  const since = now()
  await happening()
  scene.expectUntouched(others, since)
  const { generations } = await scene.log()
  scene.expect(
    generations.length === before.length,
    `the generation went from ${before.at(-1)} to ${generations.at(-1)}, though a static member came back in time`,
  )
}

/**
 * Within their sessions, a follower and, where its client does not ask for a new assignment of its own, the leader. In the consumer
 * protocol a member that is killed keeps its name to itself until its session ends, so that there it says that it will be back.
 */
async function staticRestarted(scene: Scene): Promise<void> {
  const [leader, follower, third] = await threeStaticJoin(scene)
  const restarted = async (member: Member): Promise<Member> => {
    if (scene.client.protocol === 'classic') await member.kill()
    else await scene.leave(member)
    const again = await scene.join(member.instance)
    await scene.settled(`${member.name} was restarted`)
    return again
  }
  let second = follower!
  await unnoticed(scene, [leader!, third!], async () => {
    second = await restarted(second)
  })
  if (scene.client.leaderAsksAgain) return
  await unnoticed(scene, [second, third!], async () => {
    await restarted(leader!)
  })
}

/**
 * A second process of the same name while the first one runs. A classic group takes the newer one, and the older one is told so; in
 * the consumer protocol the name is not free.
 */
async function staticReplaced(scene: Scene): Promise<void> {
  const [leader, first, third] = await threeStaticJoin(scene)
  await unnoticed(scene, [leader!, third!], async () => {
    const second = await scene.join(first!.instance)
    const refused = scene.client.protocol === 'classic' ? first! : second
    await refused.endsByItself(60_000)
    await scene.settled(`another ${first!.instance} came`)
  })
}

async function brokerRestarted(scene: Scene): Promise<void> {
  await threeJoin(scene)
  await scene.brokersMeet('the broker was restarted', () => scene.server.restart('cleanly'))
}

async function brokerKilled(scene: Scene): Promise<void> {
  await threeJoin(scene)
  await scene.brokersMeet('the broker was killed and started', () => scene.server.restart('killed'))
}

async function coordinatorKilled(scene: Scene): Promise<void> {
  await threeJoin(scene)
  await scene.brokersMeet('the coordinator was killed', () => scene.server.killCoordinator(scene.group))
}

/** The short form: a member leaves and another one comes, one is killed, and the broker is. */
async function everything(scene: Scene): Promise<void> {
  const [first, second] = await threeJoin(scene)
  await scene.leave(first!)
  await scene.join()
  await scene.settled(`${first!.name} was replaced`)
  await second!.kill()
  await scene.server.restart('killed')
  await scene.settled(`${second!.name} and the broker were killed`)
}

export const scenarios: readonly Scenario[] = [
  { name: 'rolling-restart', server: 'broker', notFor: forAll, play: rollingRestart },
  { name: 'member-killed', server: 'broker', notFor: forAll, play: memberKilled },
  { name: 'static-restarted', server: 'broker', notFor: ({ notRestarted }) => notRestarted, play: staticRestarted },
  { name: 'static-replaced', server: 'broker', notFor: ({ notReplaced }) => notReplaced, play: staticReplaced },
  { name: 'broker-restarted', server: 'broker', notFor: forAll, play: brokerRestarted },
  { name: 'broker-killed', server: 'broker', notFor: forAll, play: brokerKilled },
  { name: 'coordinator-killed', server: 'cluster', notFor: forAll, play: coordinatorKilled },
  { name: 'everything', server: 'broker', notFor: forAll, play: everything },
]
