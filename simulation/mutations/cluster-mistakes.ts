// Mistakes in who leads and who may act: elections, guards of what is written, leases, brokers that come back.

import type { Edit, Mutation } from './mutation.ts'

const change = 'src/cluster/partition-change.ts'
const lease = 'src/cluster/etcd/lease.ts'
const registration = 'src/cluster/registration.ts'
const returning = 'src/cluster/returning-broker.ts'

/**
 * A broker takes up the registration of its earlier life, so that nobody sees it leave (F8), and is trusted after an unclean stop. Where
 * records are synced before they count, that alone loses nothing: what was acknowledged is there. On another disk it is not.
 */
const staysInTheIsr: readonly Edit[] = [
  {
    file: returning,
    find: "return folder.wasClean ? 'everything' : 'durable'",
    replace: "return folder.wasClean ? 'everything' : 'everything'",
  },
  {
    file: registration,
    find: 'if (isOf(there, folder) && there.place === folder.place) {',
    replace: 'if (isOf(there, folder)) {\n      return\n    }\n    if (isOf(there, folder)) {',
  },
  {
    file: registration,
    find: '{ key: live, modRevision: 0 },',
    replace: '{ key: live, modRevision: (await store.get(live)).entry?.modRevision ?? 0 },',
  },
  {
    file: registration,
    find: 'if (result?.ok === true) return { epoch: result.revision,',
    replace: 'if (result?.ok === true) return { epoch: (await store.get(live)).entry?.createRevision ?? 0,',
  },
  {
    file: registration,
    find: 'fence: [{ key: liveKey(brokerId), modRevision: 0 }],',
    replace: 'fence: [{ key: liveKey(-1 - brokerId), modRevision: 0 }],',
  },
]

export const clusterMistakes: readonly Mutation[] = [
  {
    name: 'leader-outside-the-isr',
    breaks: 'any replica that lives is elected, in sync or not',
    edits: [
      {
        file: change,
        find: 'const clean = (id: number) => isr.includes(id) && mayLead(id)',
        replace: 'const clean = (id: number) => isr.length > 0 && mayLead(id)',
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'unclean-election-unasked',
    breaks: 'a replica that is not in sync is elected when no other lives, though the topic does not allow it',
    edits: [
      {
        file: 'src/cluster/controller/attended-partition.ts',
        find: "election: unclean ? 'unclean' : 'online',",
        replace: "election: unclean ? 'unclean' : 'unclean',",
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'change-without-compare',
    breaks: 'the controller writes partitions over what their leaders have decided meanwhile',
    edits: [
      {
        file: 'src/cluster/settled-partitions.ts',
        find: "return { guards, writes: [{ kind: 'put', key: guards[0].key",
        replace: "return { guards: guards.slice(1) as never, writes: [{ kind: 'put', key: guards[0].key",
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'reassignment-ends-early',
    breaks: 'a reassignment ends before the new replicas are in sync, and counts them as if they were',
    edits: [
      {
        file: change,
        find: 'if (targetReplicas.length === 0 || !targetReplicas.every((id) => targetIsr.includes(id))) return assignment',
        replace: 'if (targetReplicas.length === 0) return assignment',
      },
      {
        file: change,
        find: 'return { replicas: targetReplicas, isr: targetIsr, adding: [], removing: [] }',
        replace: 'return { replicas: targetReplicas, isr: targetReplicas, adding: [], removing: [] }',
      },
    ],
    seedsMax: 80,
  },
  {
    name: 'another-disk-is-trusted',
    breaks: 'a broker that comes back unclean with an old or an empty disk stays in the ISR',
    edits: [
      {
        file: returning,
        find: 'return directoryId === folder.directoryId && folder.incarnations.includes(incarnation)',
        replace: 'return directoryId.length + incarnation.length > 0 && folder !== null',
      },
      ...staysInTheIsr,
    ],
    seedsMax: 15,
  },
  {
    name: 'old-disk-is-trusted',
    breaks: 'a folder counts as the last one by its id alone: an older copy of it stays in the ISR',
    edits: [
      {
        file: returning,
        find: 'return directoryId === folder.directoryId && folder.incarnations.includes(incarnation)',
        replace: 'return directoryId === folder.directoryId && incarnation !== undefined',
      },
      ...staysInTheIsr,
    ],
    seedsMax: 15,
  },
  {
    name: 'lease-checked-by-a-timer',
    breaks: 'a lease is over when a timer says so: a broker that was frozen hears it after what had waited for it (F5)',
    edits: [
      {
        file: lease,
        find: '  valid(): boolean {\n',
        replace: '  #isLate = false\n  #deadline: Timer | null = null\n\n  valid(): boolean {\n',
      },
      {
        file: lease,
        find: 'leaseHolds(this.#grantedAt, this.#ttlMs, this.#connection.clock)',
        replace: '!this.#isLate',
      },
      {
        file: lease,
        find: '    const sinceMs = clock.monotonic() - this.#grantedAt.monotonic\n',
        replace: `    const sinceMs = clock.monotonic() - this.#grantedAt.monotonic
    this.#isLate = false
    this.#deadline?.cancel()
    this.#deadline = clock.setTimer(this.#ttlMs - Math.max(500, this.#ttlMs / 10) - sinceMs, () => {
      this.#isLate = true
    })
`,
      },
    ],
    seedsMax: 30,
  },
  {
    name: 'topics-by-name',
    breaks: 'a topic that was deleted and made again takes over the records of the old one',
    edits: [
      {
        file: 'src/start/stray-logs.ts',
        find: 'const topic = topicId === null ? image.topicsByName.get(topicName) : image.topicsById.get(topicId)',
        replace: 'const topic = image.topicsByName.get(topicName) ?? image.topicsById.get(topicId ?? topicName)',
      },
      {
        file: 'src/storage/log-directory.ts',
        find: 'if (found !== undefined && found.topicId !== null && place.topicId !== null && found.topicId !== place.topicId) {',
        replace: 'if (found !== undefined && found.topicId === folder) {',
      },
    ],
    seedsMax: 40,
  },
]
