import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allApis, apiByKey, ownApis } from '../../src/protocol/apis/index.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../src/protocol/consumer-protocol.ts'
import { controlRecordKey, endTxnMarker } from '../../src/protocol/control-records.ts'
import { groupRecords } from '../../src/protocol/group-records/index.ts'
import { requestHeader, responseHeader } from '../../src/protocol/header.ts'
import { metadataRecords } from '../../src/protocol/metadata-records.ts'
import type { AnyRecordType, Message, Shape } from '../../src/protocol/schema/index.ts'
import { shareSnapshot, shareUpdate } from '../../src/protocol/share-records.ts'
import { transactionLog } from '../../src/protocol/transaction-records.ts'
import { apiDifferences, messageDifferences } from './conformance.ts'
import { definitionsIn } from './definition.ts'
import type { DefinedField, Definition } from './definition.ts'

const messages = definitionsIn('messages')

function named(definitions: ReadonlyMap<string, Definition>, name: string): Definition {
  const definition = definitions.get(name)
  assert.ok(definition, `Kafka has no ${name}`)
  return definition
}

const clientRequests = [...messages.values()].filter(
  ({ listeners, validVersions }) => listeners?.includes('broker') === true && validVersions !== 'none',
)

test('every API of the broker listener is there, and no other', () => {
  const keys = (values: readonly { key?: number; apiKey?: number }[]) =>
    values.map(({ key, apiKey }) => key ?? apiKey ?? -1).toSorted((one, other) => one - other)
  assert.equal(clientRequests.length, 77)
  assert.deepEqual(keys(allApis), keys(clientRequests))
  for (const api of allApis) assert.equal(apiByKey(api.key), api)
  assert.equal(apiByKey(4), undefined)
})

test("our own APIs are far from Kafka's numbers and names", () => {
  for (const api of ownApis) {
    assert.ok(api.key >= 32_000)
    assert.equal(messages.get(`${api.name}Request`), undefined)
    assert.equal(apiByKey(api.key), api)
  }
})

for (const api of allApis) {
  test(`${api.name} is as Kafka defines it, in every version and both directions`, () => {
    const request = named(messages, `${api.name}Request`)
    const response = named(messages, `${api.name}Response`)
    assert.deepEqual(apiDifferences(api, request, response), [])
  })
}

const data: [string, Message<unknown>][] = [
  ['RequestHeader', requestHeader],
  ['ResponseHeader', responseHeader],
  ['ConsumerProtocolSubscription', consumerProtocolSubscription],
  ['ConsumerProtocolAssignment', consumerProtocolAssignment],
  ['ControlRecordTypeSchema', controlRecordKey],
  ['EndTxnMarker', endTxnMarker],
]
for (const [name, message] of data) {
  test(`${name} is as Kafka defines it`, () => {
    assert.deepEqual(messageDifferences(message, named(messages, name)), [])
  })
}

/** What Kafka's own quorum and its inner principals need, and nobody here sends or stores. */
const notSpoken = new Set([
  'DefaultPrincipalData',
  'KRaftVersionRecord',
  'LeaderChangeMessage',
  'SnapshotFooterRecord',
  'SnapshotHeaderRecord',
  'VotersRecord',
])

test('no message of Kafka is forgotten', () => {
  const known = new Set([...data.map(([name]) => name), ...notSpoken])
  for (const definition of messages.values()) {
    const isRpc = definition.type === 'request' || definition.type === 'response'
    assert.ok(isRpc || known.has(definition.name), `${definition.name} is neither described nor listed as not spoken`)
  }
})

const topics: [string, readonly AnyRecordType[]][] = [
  ['group-coordinator', groupRecords],
  ['transaction-coordinator', [transactionLog]],
  ['share-coordinator', [shareSnapshot, shareUpdate]],
]
for (const [folder, records] of topics) {
  const definitions = definitionsIn(folder)

  test(`every record of the ${folder} is there, and no other`, () => {
    const names = records.flatMap(({ name }) => [`${name}Key`, `${name}Value`])
    assert.deepEqual(names.toSorted(), [...definitions.keys()].toSorted())
    assert.equal(new Set(records.map(({ type }) => type)).size, records.length)
  })

  for (const record of records) {
    test(`the ${record.name} record is as Kafka defines it`, () => {
      const key = named(definitions, `${record.name}Key`)
      const value = named(definitions, `${record.name}Value`)
      assert.deepEqual([key.type, key.apiKey], ['coordinator-key', record.type])
      assert.deepEqual([value.type, value.apiKey], ['coordinator-value', record.type])
      assert.deepEqual(messageDifferences(record.key, key), [])
      assert.deepEqual(messageDifferences(record.value, value), [])
    })
  }
}

/** Records of KRaft's metadata log that say nothing of what a data folder holds. */
const passedOver = new Set([
  'BrokerRegistrationChangeRecord',
  'ClearElrRecord',
  'DelegationTokenRecord',
  'FenceBrokerRecord',
  'NoOpRecord',
  'RegisterControllerRecord',
  'RemoveDelegationTokenRecord',
  'UnfenceBrokerRecord',
  'ZkMigrationStateRecord',
])
const metadataDefinitions = definitionsIn('metadata')

test('every record of the metadata log is described, or listed as passed over', () => {
  const known = [...metadataRecords.map(({ name }) => name), ...passedOver]
  assert.deepEqual(known.toSorted(), [...metadataDefinitions.keys()].toSorted())
})

for (const record of metadataRecords) {
  test(`the ${record.name} is as Kafka defines it`, () => {
    const definition = named(metadataDefinitions, record.name)
    assert.deepEqual([definition.type, definition.apiKey], ['metadata', record.apiKey])
    assert.deepEqual(messageDifferences(record, definition), [])
  })
}

test('only these fields are bigints', () => {
  const found: string[] = []
  const look = (path: string, shape: Shape): void => {
    if (shape.kind === 'bigint64') found.push(path)
    if (shape.kind === 'array' || shape.kind === 'nullable') look(path, shape.of)
    if (shape.kind === 'struct') for (const field of shape.fields) look(`${path}.${field.name}`, field.shape)
  }
  for (const { name, versions, request, response } of allApis) {
    look(`${name}Request`, request.at(versions[1]).shape)
    look(`${name}Response`, response.at(versions[1]).shape)
  }
  assert.deepEqual(found, [
    'FetchRequest.topics.partitions.highWatermark',
    'ListOffsetsRequest.topics.partitions.timestamp',
    'DeleteRecordsRequest.topics.partitions.offset',
    'CreateDelegationTokenRequest.maxLifetimeMs',
    'RenewDelegationTokenRequest.renewPeriodMs',
    'ExpireDelegationTokenRequest.expiryTimePeriodMs',
  ])
})

// The test of the test: a definition changed in memory must be told from ours.

function field(definition: Definition, ...path: string[]): DefinedField {
  let fields = definition.fields ?? []
  let found: DefinedField | undefined
  for (const name of path) {
    found = fields.find((candidate) => candidate.name === name)
    assert.ok(found, `${definition.name} has no ${path.join('.')}`)
    fields = found.fields ?? []
  }
  assert.ok(found)
  return found
}

interface Planted {
  readonly what: string
  readonly api: string
  readonly change: (request: Definition, response: Definition) => void
}

const planted: Planted[] = [
  { what: 'another API key', api: 'Fetch', change: (request) => (request.apiKey = 2) },
  { what: 'another API key in the response', api: 'Fetch', change: (_, response) => (response.apiKey = 2) },
  { what: 'a later version', api: 'Produce', change: (request) => (request.validVersions = '3-14') },
  { what: 'an older version', api: 'Produce', change: (_, response) => (response.validVersions = '2-13') },
  { what: 'flexible one version later', api: 'Metadata', change: (request) => (request.flexibleVersions = '10+') },
  { what: 'never flexible', api: 'Heartbeat', change: (_, response) => (response.flexibleVersions = 'none') },
  {
    what: 'an unstable latest version made stable',
    api: 'InitProducerId',
    change: (request) => (request.latestVersionUnstable = false),
  },
  { what: 'a renamed field', api: 'Heartbeat', change: (request) => (field(request, 'MemberId').name = 'Member') },
  {
    what: 'fields in another order',
    api: 'Heartbeat',
    change: (request) => request.fields!.push(request.fields!.shift()!),
  },
  { what: 'a field less', api: 'SyncGroup', change: (request) => request.fields!.pop() },
  {
    what: 'a field more, in the latest version',
    api: 'SyncGroup',
    change: (_, response) => response.fields!.push({ name: 'New', type: 'int8', versions: '5+' }),
  },
  {
    what: 'a wider number',
    api: 'Fetch',
    change: (request) => (field(request, 'Topics', 'Partitions', 'PartitionMaxBytes').type = 'int64'),
  },
  { what: 'one instead of many', api: 'Fetch', change: (request) => (field(request, 'Topics').type = 'FetchTopic') },
  {
    what: 'a field one version later',
    api: 'Heartbeat',
    change: (request) => (field(request, 'GroupInstanceId').versions = '4+'),
  },
  {
    what: 'a field that stays',
    api: 'Fetch',
    change: (request) => (field(request, 'Topics', 'Topic').versions = '0+'),
  },
  {
    what: 'null not allowed',
    api: 'Metadata',
    change: (request) => delete field(request, 'Topics').nullableVersions,
  },
  {
    what: 'null allowed one version later',
    api: 'Metadata',
    change: (request) => (field(request, 'Topics').nullableVersions = '2+'),
  },
  {
    what: 'another default',
    api: 'Fetch',
    change: (_, response) => (field(response, 'Responses', 'Partitions', 'PreferredReadReplica').default = '0'),
  },
  {
    what: 'another default of a field inside a struct',
    api: 'Fetch',
    change: (_, response) => (field(response, 'Responses', 'Partitions', 'DivergingEpoch', 'Epoch').default = '0'),
  },
  {
    what: 'another 64-bit default',
    api: 'Fetch',
    change: (request) => (field(request, 'Topics', 'Partitions', 'HighWatermark').default = '9223372036854775806'),
  },
  { what: 'a default of null', api: 'Metadata', change: (request) => (field(request, 'Topics').default = 'null') },
  { what: 'another tag', api: 'ApiVersions', change: (_, response) => (field(response, 'FinalizedFeatures').tag = 4) },
  {
    what: 'a tagged field made positional',
    api: 'ApiVersions',
    change: (_, response) => delete field(response, 'ZkMigrationReady').taggedVersions,
  },
  {
    what: 'a field no longer ignorable',
    api: 'Heartbeat',
    change: (_, response) => (field(response, 'ThrottleTimeMs').ignorable = false),
  },
  {
    what: 'a field now ignorable',
    api: 'Heartbeat',
    change: (request) => (field(request, 'GroupInstanceId').ignorable = true),
  },
  {
    what: 'a string that is never compact',
    api: 'Heartbeat',
    change: (request) => (field(request, 'GroupId').flexibleVersions = 'none'),
  },
]

for (const { what, api: name, change } of planted) {
  test(`a difference is noticed: ${what}`, () => {
    const api = allApis.find((candidate) => candidate.name === name)!
    const request = structuredClone(named(messages, `${name}Request`))
    const response = structuredClone(named(messages, `${name}Response`))
    assert.deepEqual(apiDifferences(api, request, response), [])
    change(request, response)
    assert.notDeepEqual(apiDifferences(api, request, response), [])
  })
}
