// The faults: what is done to the cluster under load, and what must hold while it lasts. Whatever must hold afterwards is in world.ts.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { kafkaJs } from '../support/kafkajs-client.ts'
import type { SmallVolume } from '../support/small-volume.ts'
import { kafkaTool, kcat, withoutKcat } from '../support/tools.ts'
import { pause, waitFor } from '../support/wait-for.ts'
import { brokerIds } from './cluster.ts'
import type { World } from './world.ts'

export interface Fault {
  readonly name: string
  /** Replicas of each partition of a topic under load; default: all three brokers, a leader each. */
  readonly replicas?: readonly (readonly number[])[]
  /** Broker 3 has its data on a volume of its own. */
  readonly volumeMiB?: number
  /** Apache Kafka's tools are part of it. */
  readonly needsTools?: boolean
  happen(world: World, round: number, setting: Setting): Promise<void>
}

export interface Setting {
  readonly small: boolean
  readonly sessionMs: number
  readonly lagMs: number
  readonly volume: SmallVolume | null
}

const others = (brokerId: number): number[] => brokerIds.filter((id) => id !== brokerId)

/** Dead long enough that another leads, and for a moment more. */
async function whileDead(world: World, brokerId: number): Promise<void> {
  await world.cluster.kill(brokerId)
  await world.flowing()
  await pause(1000)
  await world.cluster.startBroker(brokerId)
}

const killLeader: Fault = {
  name: 'kill-leader',
  async happen(world, round) {
    await whileDead(world, (await world.someLeader(round)).leader)
  },
}

const killFollower: Fault = {
  name: 'kill-follower',
  replicas: [
    [1, 2, 3],
    [2, 1, 3],
    [1, 3, 2],
  ],
  async happen(world) {
    await whileDead(world, 3)
  },
}

const killController: Fault = {
  name: 'kill-controller',
  async happen(world) {
    await whileDead(world, await world.cluster.controller())
  },
}

const killAll: Fault = {
  name: 'kill-all',
  async happen({ cluster }) {
    await Promise.all(brokerIds.map((id) => cluster.kill(id)))
    await Promise.all(brokerIds.map((id) => cluster.startBroker(id)))
  },
}

const freeze: Fault = {
  name: 'freeze-15s',
  async happen(world, round) {
    const { cluster } = world
    const frozen = round % 2 === 0 ? (await world.someLeader(round)).leader : await cluster.controller()
    cluster.freeze(frozen)
    await pause(15_000)
    cluster.thaw(frozen)
  },
}

/** In turn for less and for more time than a follower may lag, in silence and with a reset at the end. */
const cutLink: Fault = {
  name: 'cut-link',
  async happen(world, round, { lagMs }) {
    const { leader } = await world.someLeader(round)
    const follower = others(leader)[round % 2]!
    world.cluster.cut(leader, follower)
    await pause(round % 2 === 0 ? 3000 : lagMs + 4000)
    if (round % 4 > 1) world.cluster.resetBetween(leader, follower)
    world.cluster.heal()
  },
}

/** Longer than its lease: the others go on without it, and what it does by itself must not count. */
const cutFromEtcd: Fault = {
  name: 'cut-from-etcd',
  async happen(world, round, { sessionMs }) {
    const cut = round % 2 === 0 ? (await world.someLeader(round)).leader : await world.cluster.controller()
    world.cluster.cutFromEtcd(cut)
    await pause(sessionMs + 4000)
    world.cluster.heal()
  },
}

const killEtcdMember: Fault = {
  name: 'kill-etcd-member',
  async happen({ cluster: { etcd } }, round) {
    const leader = await etcd.leader()
    const member = round % 2 === 0 ? leader : (leader + 1) % etcd.endpoints.length
    await etcd.kill(member)
    await pause(5000)
    await etcd.repair()
  },
}

/** What must go on goes on, what must stop stops. */
const freezeEtcd: Fault = {
  name: 'freeze-etcd-30s',
  async happen(world, round, { sessionMs }) {
    const { etcd } = world.cluster
    const began = performance.now()
    for (const member of etcd.endpoints.keys()) etcd.freeze(member)
    await pause(sessionMs + 2000)
    await world.flowing(10_000)
    const topic = world.loads[0]!.topic
    await assert.rejects(writeWithoutReplicas(world, topic), /not the leader/)
    await assert.rejects(createTopic(world, `while-frozen-${round}`))
    await readsAll(world, topic)
    await world.flowing(10_000)
    await pause(30_000 - (performance.now() - began))
    await world.flowing(10_000)
    await etcd.repair()
  },
}

/** acks=1, one attempt. */
async function writeWithoutReplicas({ cluster }: World, topic: string): Promise<void> {
  const producer = kafkaJs('', { brokers: cluster.addresses(), retry: { retries: 0 } }).producer()
  await producer.connect()
  try {
    await producer.send({ topic, acks: 1, messages: [{ partition: 0, value: '-1' }] })
  } finally {
    await producer.disconnect()
  }
}

async function createTopic({ cluster }: World, topic: string): Promise<void> {
  const admin = kafkaJs('', { brokers: cluster.addresses(), requestTimeout: 8000, retry: { retries: 0 } }).admin()
  await admin.connect()
  try {
    await admin.createTopics({ topics: [{ topic }], timeout: 3000, waitForLeaders: false })
  } finally {
    await admin.disconnect()
  }
}

/** Everything acknowledged until now can be fetched, without a group. */
async function readsAll({ cluster, loads }: World, topic: string): Promise<void> {
  if (withoutKcat() !== false) return
  const wanted = loads.find((load) => load.topic === topic)!.acknowledged.length
  // As many as that: writing goes on.
  const read = ['-C', '-t', topic, '-o', 'beginning', '-c', String(wanted), '-q']
  await kcat(['-b', cluster.bootstrap, ...read], { timeoutMs: 20_000 })
}

const fullDisk: Fault = {
  name: 'full-disk',
  volumeMiB: 256,
  async happen(world, _round, { volume, lagMs }) {
    volume!.fill()
    await pause(lagMs + 2000)
    await world.flowing()
    volume!.empty()
  },
}

/** Clients see no error. */
const rollingRestart: Fault = {
  name: 'rolling-restart',
  async happen({ cluster }) {
    for (const id of brokerIds) {
      await cluster.terminate(id)
      await cluster.startBroker(id)
      await cluster.settled(60_000)
    }
  },
}

/** Every partition of a topic moves on by one broker: to the end, or, every third time, halfway and back. */
const reassign: Fault = {
  name: 'reassign',
  needsTools: true,
  replicas: [
    [1, 2],
    [2, 3],
    [3, 1],
  ],
  async happen(world, round) {
    const { cluster, loads } = world
    const { topic } = loads[round % loads.length]!
    const before = (await cluster.places()).filter((place) => place.topic === topic)
    const partitions = before.map(({ partition, replicas }) => ({
      topic,
      partition,
      replicas: replicas.map((id) => (id % brokerIds.length) + 1),
    }))
    const plan = join(cluster.folder, `plan-${round}.json`)
    await writeFile(plan, JSON.stringify({ version: 1, partitions }))
    const tool = (...args: string[]) =>
      kafkaTool('reassign-partitions', [
        '--bootstrap-server',
        cluster.bootstrap,
        '--reassignment-json-file',
        plan,
        ...args,
      ])
    await tool('--execute')
    if (round % 3 === 2) {
      await tool('--cancel', '--preserve-throttles')
    } else {
      const complete = async () => {
        const { stdout } = await tool('--verify', '--preserve-throttles')
        return partitions.every(({ partition }) => stdout.includes(`partition ${topic}-${partition} is completed`))
      }
      await waitFor('the reassignment to be complete', complete, 90_000)
      const after = (await cluster.places()).filter((place) => place.topic === topic)
      for (const { partition, replicas } of partitions) {
        assert.deepEqual(after.find((place) => place.partition === partition)!.replicas, replicas)
      }
    }
  },
}

export const faults: readonly Fault[] = [
  killLeader,
  killFollower,
  killController,
  killAll,
  freeze,
  cutLink,
  cutFromEtcd,
  killEtcdMember,
  freezeEtcd,
  fullDisk,
  rollingRestart,
  reassign,
]
