// Metadata, and topics that are created, described, deleted; the settings of topics and brokers; the cluster itself.

import {
  apiVersions,
  createTopics,
  deleteTopics,
  describeCluster,
  describeConfigs,
  describeTopicPartitions,
  metadata,
} from '../../../src/protocol/apis/index.ts'
import type { RequestInput, ResponseOf } from '../../../src/protocol/schema/index.ts'
import { waitFor } from '../../support/wait-for.ts'
import { closed, type Dialogue, rangeOf } from '../dialogue.ts'

const unknownId = 'AAAAAAAAAAAAAAAAAAAAAQ'

export async function metadataOf(dialogue: Dialogue): Promise<void> {
  const orders = dialogue.name('orders')
  const id = await dialogue.topic(orders, {}, 3)
  const other = dialogue.name('other')
  const otherId = await dialogue.topic(other)
  const ask = (what: string, body: (version: number) => RequestInput<typeof metadata>, range = rangeOf(metadata)) =>
    dialogue.inEach(range, async (version) => {
      const answer = await dialogue.ask(metadata, version, body(version))
      // Topics of other scenarios are left out.
      const keep = ({ name, errorCode }: ResponseOf<typeof metadata>['topics'][number]) =>
        errorCode !== 0 || dialogue.isOwn(name)
      dialogue.note(what, version, answer === closed ? closed : { ...answer, topics: answer.topics.filter(keep) })
    })
  /** No topic is created by asking, where the version lets the client say so. */
  const quiet = (version: number) => (version >= 4 ? { allowAutoTopicCreation: false } : {})
  await ask('all topics', (version) => ({ topics: version === 0 ? [] : null, ...quiet(version) }))
  await ask('no topics', (version) => ({ topics: [], ...quiet(version) }), [1, 13])
  await ask('one', (version) => ({ topics: [{ name: orders }], ...quiet(version) }))
  await ask('two, one twice', (version) => ({
    topics: [{ name: orders }, { name: other }, { name: orders }],
    ...quiet(version),
  }))
  await ask('unknown', (version) => ({ topics: [{ name: dialogue.name('nowhere') }], ...quiet(version) }), [4, 13])
  for (const name of ['', '.', '..', 'no/such', 'x'.repeat(249), 'x'.repeat(250), 'ümlaut', '__consumer_offsets.']) {
    await ask(
      `bad name ${name.slice(0, 30)} ${name.length}`,
      (version) => ({ topics: [{ name }], ...quiet(version) }),
      [4, 13],
    )
    if (name !== '__consumer_offsets.' && name.length !== 249) {
      await ask(`bad name ${name.slice(0, 30)} ${name.length}, to be created`, () => ({ topics: [{ name }] }))
    }
  }
  await ask('by id', () => ({ topics: [{ topicId: id, name: null }], allowAutoTopicCreation: false }), [12, 13])
  await ask(
    'by id and name',
    () => ({ topics: [{ topicId: id, name: orders }], allowAutoTopicCreation: false }),
    [12, 13],
  )
  await ask(
    'by id and another name',
    () => ({ topics: [{ topicId: id, name: other }], allowAutoTopicCreation: false }),
    [12, 13],
  )
  await ask(
    'by ids',
    () => ({
      topics: [
        { topicId: id, name: null },
        { topicId: otherId, name: null },
        { topicId: unknownId, name: null },
      ],
    }),
    [12, 13],
  )
  await ask(
    'one by id, one by name',
    () => ({ topics: [{ topicId: id, name: null }, { name: other }], allowAutoTopicCreation: false }),
    [12, 13],
  )
  await ask('by an unknown id', () => ({ topics: [{ topicId: unknownId, name: null }] }), [12, 13])
  await ask('by an unknown id, with a name', () => ({ topics: [{ topicId: unknownId, name: orders }] }), [12, 13])
  await ask('neither id nor name', () => ({ topics: [{ name: null }] }), [10, 13])
  await ask('by id in an old version', () => ({ topics: [{ topicId: id, name: null }] }), [10, 11])
  await ask('topic operations', () => ({ topics: [{ name: orders }], includeTopicAuthorizedOperations: true }), [8, 13])
  await ask('cluster operations', () => ({ topics: [], includeClusterAuthorizedOperations: true }), [8, 10])
  await ask(
    'operations of an unknown topic',
    () => ({
      topics: [{ name: dialogue.name('nowhere') }],
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: true,
    }),
    [8, 13],
  )
  await dialogue.inEach(rangeOf(metadata), async (version) => {
    const name = dialogue.name('created', version)
    await dialogue.step('created by asking', metadata, version, { topics: [{ name }] })
    const created = await waitFor('the topic', async () => {
      const answer = await dialogue.ask(metadata, version, { topics: [{ name }], ...quiet(version) })
      return answer !== closed && answer.topics[0]!.errorCode === 0 && answer
    })
    dialogue.note('created by asking, then', version, created)
  })
}

export async function creating(dialogue: Dialogue): Promise<void> {
  const existing = dialogue.name('existing')
  await dialogue.topic(existing)
  type Topic = NonNullable<NonNullable<RequestInput<typeof createTopics>['topics']>[number]>
  const ask = async (what: string, topic: Topic, { sameName = false, validateOnly = false } = {}) =>
    dialogue.inEach(rangeOf(createTopics), async (version) => {
      const name = topic.name ?? dialogue.name(what.replaceAll(/\W+/g, '-'), version)
      const topics = sameName
        ? [
            { ...topic, name },
            { ...topic, name },
          ]
        : [{ ...topic, name }]
      const answer = await dialogue.ask(createTopics, version, { topics, timeoutMs: 10_000, validateOnly })
      if (answer === closed) return dialogue.note(what, version, closed)
      // Which settings there are is another question.
      const own = answer.topics.map((one) => ({
        ...one,
        configs: one.configs?.filter(({ name }) => topic.configs?.some((asked) => asked.name === name)) ?? null,
      }))
      dialogue.note(what, version, { ...answer, topics: own })
    })
  const configs = (settings: Readonly<Record<string, string | null>>) =>
    Object.entries(settings).map(([name, value]) => ({ name, value }))
  const usual = { numPartitions: 2, replicationFactor: 1 }
  const assigned = (...brokerIds: number[][]) => ({
    numPartitions: -1,
    replicationFactor: -1,
    assignments: brokerIds.map((ids, partitionIndex) => ({ partitionIndex, brokerIds: ids })),
  })
  await ask('usual', usual)
  await ask('only looked at', usual, { validateOnly: true })
  await ask('exists, only looked at', { ...usual, name: existing }, { validateOnly: true })
  await ask('exists', { ...usual, name: existing })
  await ask('twice', usual, { sameName: true })
  await ask('no partitions', { ...usual, numPartitions: 0 })
  await ask('minus two partitions', { ...usual, numPartitions: -2 })
  await ask('no replicas', { ...usual, replicationFactor: 0 })
  await ask('minus two replicas', { ...usual, replicationFactor: -2 })
  await ask('two replicas', { ...usual, replicationFactor: 2 })
  await ask('far too many replicas', { ...usual, replicationFactor: 32767 })
  for (const name of ['', '.', '..', 'no/such', 'x'.repeat(250), 'a b', '__cluster_metadata'])
    await ask(`name ${name.slice(0, 20)}`, { ...usual, name })
  await ask('name that collides', { ...usual, name: existing.replaceAll('.', '_') })
  await ask('assigned', assigned([1], [1]))
  await ask('assigned to nobody', assigned([]))
  await ask('assigned to a broker there is not', assigned([99]))
  await ask('assigned to a broker twice', assigned([1, 1]))
  await ask('assigned unevenly', assigned([1], [1, 2]))
  await ask('assigned with a gap', {
    numPartitions: -1,
    replicationFactor: -1,
    assignments: [{ partitionIndex: 1, brokerIds: [1] }],
  })
  await ask('assigned a partition twice', {
    numPartitions: -1,
    replicationFactor: -1,
    assignments: [
      { partitionIndex: 0, brokerIds: [1] },
      { partitionIndex: 0, brokerIds: [1] },
    ],
  })
  await ask('assigned and counted', { ...assigned([1]), numPartitions: 1 })
  await ask('assigned and replicated', { ...assigned([1]), replicationFactor: 1 })
  const settings: Record<string, Record<string, string | null>> = {
    'a setting': { 'retention.ms': '1000' },
    'an unknown setting': { 'no.such.setting': '1' },
    'a bad number': { 'retention.ms': 'soon' },
    'a number out of range': { 'segment.bytes': '1' },
    'a bad choice': { 'cleanup.policy': 'keep' },
    'a list': { 'cleanup.policy': 'compact,delete' },
    'a null value': { 'retention.ms': null },
    'an empty value': { 'retention.ms': '' },
    'an empty cleanup policy': { 'cleanup.policy': '' },
    'min in-sync replicas of zero': { 'min.insync.replicas': '0' },
    'a ratio': { 'min.cleanable.dirty.ratio': '2' },
    'a bool': { 'unclean.leader.election.enable': 'perhaps' },
    'contradicting retention': { 'local.retention.ms': '100', 'retention.ms': '10' },
    'tiered storage': { 'remote.storage.enable': 'true' },
    'a compression level': { 'compression.type': 'gzip', 'compression.gzip.level': '20' },
    'a compression': { 'compression.type': 'rar' },
    'spaces around': { 'retention.ms': ' 1000 ' },
    'a removed setting': { 'message.format.version': '3.0' },
    'two bad settings': { 'retention.ms': 'soon', 'no.such.setting': '1' },
  }
  for (const [what, change] of Object.entries(settings))
    await ask(`settings: ${what}`, { ...usual, configs: configs(change) })
  await ask('settings: the same twice', {
    ...usual,
    configs: [
      { name: 'retention.ms', value: '1' },
      { name: 'retention.ms', value: '2' },
    ],
  })
  await ask('bad name and bad settings', { ...usual, name: 'a b', configs: configs({ 'retention.ms': 'soon' }) })
  await ask('exists with bad settings', { ...usual, name: existing, configs: configs({ 'retention.ms': 'soon' }) })
  await ask('bad settings and no partitions', {
    numPartitions: 0,
    replicationFactor: 1,
    configs: configs({ 'retention.ms': 'soon' }),
  })
  await ask('defaults', { numPartitions: -1, replicationFactor: -1 }).catch(() => {})
  await dialogue.each('nothing', createTopics, () => ({ topics: [], timeoutMs: 1000 }))
}

export async function deleting(dialogue: Dialogue): Promise<void> {
  await dialogue.inEach(rangeOf(deleteTopics), async (version) => {
    const [one, two, three] = [
      dialogue.name('one', version),
      dialogue.name('two', version),
      dialogue.name('three', version),
    ]
    const ids = [await dialogue.topic(one), await dialogue.topic(two), await dialogue.topic(three)]
    const ask = (what: string, ...names: string[]) =>
      dialogue.step(
        what,
        deleteTopics,
        version,
        version >= 6
          ? { topics: names.map((name) => ({ name })), timeoutMs: 10_000 }
          : { topicNames: names, timeoutMs: 10_000 },
      )
    await ask('unknown', dialogue.name('nowhere'))
    await ask('nothing')
    await ask('bad names', '', 'no/such')
    await ask('one twice', one, one)
    await ask('one and an unknown', one, dialogue.name('nowhere'))
    await ask('again', one)
    if (version < 6) return
    const byId = (what: string, ...topics: { name?: string | null; topicId?: string }[]) =>
      dialogue.step(what, deleteTopics, 6, { topics, timeoutMs: 10_000 })
    await byId('by an unknown id', { name: null, topicId: unknownId })
    await byId('by neither', { name: null })
    await byId('by id and name', { name: two, topicId: ids[1]! })
    await byId('by id twice', { name: null, topicId: ids[1]! }, { name: null, topicId: ids[1]! })
    await byId('by id and by name', { name: null, topicId: ids[1]! }, { name: two })
    await byId('by id', { name: null, topicId: ids[2]! })
    await byId('by id again', { name: null, topicId: ids[2]! })
  })
}

export async function partitionsOfTopics(dialogue: Dialogue): Promise<void> {
  const [a, b, c] = [dialogue.name('a'), dialogue.name('b'), dialogue.name('c')]
  await dialogue.topic(c, {}, 2)
  await dialogue.topic(a, {}, 3)
  await dialogue.topic(b, {}, 1)
  const names = (...of: string[]) => of.map((name) => ({ name }))
  const ask = (what: string, body: RequestInput<typeof describeTopicPartitions>) =>
    dialogue.step(what, describeTopicPartitions, 0, body)
  await ask('one', { topics: names(a) })
  await ask('not in order, one twice', { topics: names(c, a, b, a) })
  await ask('unknown', { topics: names(dialogue.name('nowhere'), a) })
  await ask('bad names', { topics: names('', 'no/such') })
  for (const limit of [0, -1, 1, 2, 3, 4, 5])
    await ask(`limit ${limit}`, { topics: names(a, b, c), responsePartitionLimit: limit })
  const from = (topicName: string, partitionIndex: number) => ({
    topics: names(a, b, c),
    responsePartitionLimit: 2,
    cursor: { topicName, partitionIndex },
  })
  await ask('from the second', from(a, 1))
  await ask('from the end of a topic', from(a, 3))
  await ask('from behind the end of a topic', from(a, 9))
  await ask('from the next topic', from(b, 0))
  await ask('from a topic between', from(dialogue.name('ab'), 0))
  await ask('from the last', from(c, 1))
  await ask('from behind all', from(dialogue.name('d'), 0))
  await ask('from a negative partition', from(a, -1))
  await ask('from an unknown topic of the request', {
    topics: names(a, dialogue.name('nowhere')),
    cursor: { topicName: dialogue.name('nowhere'), partitionIndex: 0 },
  })
}

export async function settings(dialogue: Dialogue): Promise<void> {
  const orders = dialogue.name('orders')
  await dialogue.topic(orders, { 'retention.ms': '1000', 'cleanup.policy': 'compact,delete' })
  type Resource = NonNullable<NonNullable<RequestInput<typeof describeConfigs>['resources']>[number]>
  const ask = (what: string, ...resources: Resource[]) =>
    dialogue.each(what, describeConfigs, (version) => ({
      resources,
      includeSynonyms: true,
      ...(version >= 3 ? { includeDocumentation: version === 4 } : {}),
    }))
  const topic = { resourceType: 2, resourceName: orders }
  const keys = [
    'retention.ms',
    'cleanup.policy',
    'max.message.bytes',
    'min.insync.replicas',
    'segment.bytes',
    'compression.type',
    'message.timestamp.type',
    'no.such.setting',
  ]
  await ask('a topic', { ...topic, configurationKeys: keys })
  await ask('a topic, an unknown key', { ...topic, configurationKeys: ['no.such.setting'] })
  await ask('an unknown topic', { resourceType: 2, resourceName: dialogue.name('nowhere') })
  await ask('a bad topic name', { resourceType: 2, resourceName: 'no/such' })
  await ask('no topic name', { resourceType: 2, resourceName: '' })
  await ask(
    'a topic and an unknown one',
    { ...topic, configurationKeys: ['retention.ms'] },
    { resourceType: 2, resourceName: dialogue.name('nowhere') },
  )
  await ask(
    'a topic twice',
    { ...topic, configurationKeys: ['retention.ms'] },
    { ...topic, configurationKeys: ['segment.bytes'] },
  )
  await ask('the broker', {
    resourceType: 4,
    resourceName: '1',
    configurationKeys: [
      'message.max.bytes',
      'num.partitions',
      'group.max.session.timeout.ms',
      'auto.create.topics.enable',
      'node.id',
    ],
  })
  await ask('another broker', { resourceType: 4, resourceName: '99' })
  await ask('a broker by another name', { resourceType: 4, resourceName: 'one' })
  await ask('all brokers', { resourceType: 4, resourceName: '' })
  await ask('loggers of another broker', { resourceType: 8, resourceName: '99' })
  await ask('loggers of no broker', { resourceType: 8, resourceName: '' })
  await ask('no metrics subscription', { resourceType: 16, resourceName: '' })
  await ask('no group', { resourceType: 32, resourceName: '' })
  for (const resourceType of [0, 1, 3, 99, -1]) await ask(`type ${resourceType}`, { resourceType, resourceName: 'x' })
  await ask('nothing')
}

export async function cluster(dialogue: Dialogue): Promise<void> {
  await dialogue.each('plain', describeCluster, () => ({}))
  await dialogue.each('operations', describeCluster, () => ({ includeClusterAuthorizedOperations: true }))
  for (const endpointType of [0, 1, 2, 3])
    await dialogue.each(`endpoints ${endpointType}`, describeCluster, () => ({ endpointType }), [1, 2])
  await dialogue.each('fenced brokers', describeCluster, () => ({ includeFencedBrokers: true }), [2, 2])
  // Which APIs there are, and in which versions, is docs/protocol-coverage.md.
  const withoutKeys = async (what: string, version: number, body: RequestInput<typeof apiVersions>) => {
    const answer = await dialogue.ask(apiVersions, version, body)
    dialogue.note(
      what,
      version,
      answer === closed ? closed : { errorCode: answer.errorCode, hasKeys: answer.apiKeys.length > 0 },
    )
  }
  const client = { clientSoftwareName: 'differential', clientSoftwareVersion: '1.0' }
  await dialogue.inEach(rangeOf(apiVersions), (version) => withoutKeys('versions', version, version >= 3 ? client : {}))
  for (const bad of ['', ' ', '-', 'a b', 'ü', 'a-', '.a', 'a'.repeat(500)]) {
    await dialogue.inEach([3, 4], async (version) => {
      await withoutKeys(`client name ${bad.slice(0, 9)}`, version, { ...client, clientSoftwareName: bad })
      await withoutKeys(`client version ${bad.slice(0, 9)}`, version, { ...client, clientSoftwareVersion: bad })
    })
  }
}
