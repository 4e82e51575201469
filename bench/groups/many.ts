// `npm run bench:groups`: many groups on one broker, of either protocol. How long a heartbeat takes while all of them live as they do in
// practice, how long it takes to describe them all, and how soon they are all there again after the broker was restarted.
//
//   npm run bench:groups                                  1,000 groups of 5, classic and then consumer
//   npm run bench:groups -- --groups 100 --seconds 10     fewer, and less long
//   npm run bench:groups -- --protocol classic --profile  the brokers write CPU profiles into bench/profile/

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { consumerGroupDescribe } from '../../src/protocol/apis/consumer-group-describe.ts'
import { describeGroups } from '../../src/protocol/apis/describe-groups.ts'
import { listGroups } from '../../src/protocol/apis/list-groups.ts'
import { BrokerProcess, root } from '../broker-process.ts'
import { printMachine } from '../measured.ts'
import { RawClient } from '../raw-client.ts'
import { pause } from './bench-member.ts'
import { LoadProcess } from './load-process.ts'
import type { HeartbeatFigures, MemberQuestion, Members, MemberStatus } from './member-load.ts'
import { writtenOffsets } from './offsets-log.ts'

const { values } = parseArgs({
  options: {
    protocol: { type: 'string', default: 'classic,consumer' },
    groups: { type: 'string', default: '1000' },
    members: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '30' },
    profile: { type: 'boolean', default: false },
  },
})
const groups = Number(values.groups)
const membersPerGroup = Number(values.members)
const settleMsMax = 120_000

/** As the Java client has them, and commits every 5 s. */
const intervals = {
  classic: { heartbeatMs: 3_000, sessionMs: 45_000, commitMs: 5_000 },
  consumer: { heartbeatMs: 5_000, sessionMs: 45_000, commitMs: 5_000 },
}
type Protocol = keyof typeof intervals

/** What the broker says of all groups. */
interface Described {
  readonly stable: number
  readonly members: number
  /** Of each group, by name: generation is not told of classic groups, the group epoch of the others is. */
  readonly epochs: ReadonlyMap<string, number>
  readonly listMs: number
  readonly describeMs: number
}

async function describeAll(bootstrap: string, protocol: Protocol): Promise<Described> {
  const client = await RawClient.connect(bootstrap)
  try {
    const started = performance.now()
    const listed = await client.request(listGroups, 5, { statesFilter: [], typesFilter: [protocol] })
    const groupIds = listed.groups.map(({ groupId }) => groupId)
    const listedAt = performance.now()
    const described =
      protocol === 'classic'
        ? (await client.request(describeGroups, 5, { groups: groupIds, includeAuthorizedOperations: false })).groups
        : (await client.request(consumerGroupDescribe, 1, { groupIds, includeAuthorizedOperations: false })).groups
    return {
      stable: described.filter(({ groupState }) => groupState === 'Stable').length,
      members: described.reduce((sum, group) => sum + group.members.length, 0),
      epochs: new Map(described.map((group) => [group.groupId, 'groupEpoch' in group ? group.groupEpoch : 0])),
      listMs: listedAt - started,
      describeMs: performance.now() - listedAt,
    }
  } finally {
    client.close()
  }
}

/** Answers how long it took until every member is in its group, and every group is stable with all of them. */
async function settled(load: LoadProcess, bootstrap: string, protocol: Protocol, since: number): Promise<number> {
  let seen = ''
  while (performance.now() - since < settleMsMax) {
    const status = (await load.ask({ kind: 'status' } satisfies MemberQuestion)) as MemberStatus
    seen = `${status.settled} members`
    if (status.settled === groups * membersPerGroup) {
      const at = performance.now()
      const { stable, members } = await describeAll(bootstrap, protocol)
      if (stable === groups && members === groups * membersPerGroup) return at - since
      seen += `, ${stable} groups of ${members} members`
    }
    await pause(100)
  }
  throw new Error(`not settled after ${settleMsMax / 1_000} s: ${seen}`)
}

function row(name: string, figure: string, goal = ''): void {
  console.log(`  ${name.padEnd(58)}${figure.padStart(14)}  ${goal}`)
}
const ms = (value: number): string => `${value.toFixed(1)} ms`
const seconds = (valueMs: number): string => `${(valueMs / 1_000).toFixed(1)} s`

async function measure(protocol: Protocol): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'odradek-groups-'))
  const nodeFlags = values.profile ? ['--cpu-prof', '--cpu-prof-dir', join(root, 'bench/profile')] : []
  const load = new LoadProcess('member-load.ts')
  let broker = await BrokerProcess.start({ data, nodeFlags, probe: true })
  const { bootstrap } = broker
  try {
    console.log(`${groups} ${protocol} groups of ${membersPerGroup}`)
    const began = performance.now()
    const members: Members = { bootstrap, protocol, groups, membersPerGroup, ...intervals[protocol] }
    await load.ask({ kind: 'begin', members } satisfies MemberQuestion)
    row('all join', seconds(await settled(load, bootstrap, protocol, began)))

    await broker.loopReport()
    const [cpuBefore, writtenBefore] = [broker.cpuSeconds(), writtenOffsets(data)]
    const measuring = Number(values.seconds)
    const beats = (await load.ask({ kind: 'measure', seconds: measuring } satisfies MemberQuestion)) as HeartbeatFigures
    const cpu = broker.cpuSeconds() - cpuBefore
    const loop = await broker.loopReport()
    const written = writtenOffsets(data)
    row(`heartbeat p50, of ${beats.heartbeats}`, ms(beats.p50Ms))
    row('heartbeat p99', ms(beats.p99Ms), 'goal: under 20 ms')
    row('heartbeat max', ms(beats.maxMs))
    row('commits and other records a second', ((written.records - writtenBefore.records) / measuring).toFixed(0))
    row('appends a second', ((written.batches - writtenBefore.batches) / measuring).toFixed(0))
    row('processor of the broker', `${((cpu / measuring) * 100).toFixed(0)} %`)
    row('event loop p99', ms(loop.histogram.p99))
    row('memory of the broker', `${broker.megabytes('VmRSS').toFixed(0)} MB`)

    const before = await describeAll(bootstrap, protocol)
    row('list all', ms(before.listMs))
    row('describe all, in one request', ms(before.describeMs), 'goal: list and describe under 1 s')

    const joinsBefore = ((await load.ask({ kind: 'status' } satisfies MemberQuestion)) as MemberStatus).joins
    const stopped = performance.now()
    const stopMs = await broker.stop()
    broker = await BrokerProcess.start({ data, nodeFlags, port: Number(bootstrap.split(':').at(-1)), probe: true })
    const ready = performance.now()
    const settledMs = await settled(load, bootstrap, protocol, stopped)
    row('restart: until the broker has stopped', seconds(stopMs))
    row('restart: until the broker is ready', seconds(ready - stopped))
    row('restart: until all groups are stable with all members', seconds(settledMs), 'goal: under 10 s')
    const { joins } = (await load.ask({ kind: 'status' } satisfies MemberQuestion)) as MemberStatus
    row('restart: members that had to join again', String(joins - joinsBefore), 'goal: 0')
    const { epochs } = await describeAll(bootstrap, protocol)
    const moved = [...epochs].filter(([groupId, epoch]) => before.epochs.get(groupId) !== epoch).length
    if (protocol === 'consumer') row('restart: groups with another epoch', String(moved), 'goal: 0')
  } finally {
    await load.end()
    await broker.stop()
    rmSync(data, { recursive: true, force: true })
  }
}

printMachine()
for (const protocol of values.protocol.split(',')) await measure(protocol as Protocol)
