import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../../protocol/error-code.ts'
import { AdministeredCluster } from './administered.sim.ts'
import { handleListConfigResources } from './list-config-resources.ts'
import { resourceType } from './resource-type.ts'

const { topic, broker, brokerLogger, clientMetrics, group } = resourceType

async function withConfigs(): Promise<AdministeredCluster> {
  const cluster = await AdministeredCluster.start({ brokers: [1, 2] })
  await cluster.create('orders')
  const { groupConfigs } = cluster.context(1)
  const set = (name: string) => ({
    kind: 'edit' as const,
    edits: [{ kind: 'set' as const, name, value: '46000' }],
  })
  const remove = { kind: 'edit' as const, edits: [{ kind: 'delete' as const, name: 'consumer.session.timeout.ms' }] }
  for (const id of ['billing', 'past', 'a/b']) {
    assert.equal(await groupConfigs.alter(id, set('consumer.session.timeout.ms'), { validateOnly: false }), null)
  }
  assert.equal(await groupConfigs.alter('past', remove, { validateOnly: false }), null)
  return cluster
}

async function list(cluster: AdministeredCluster, resourceTypes: readonly number[], version = 1) {
  const response = await handleListConfigResources(cluster.context(version), { resourceTypes })
  return [
    response!.errorCode,
    response!.configResources
      .map(({ resourceName, resourceType: type }) => [type, resourceName] as const)
      .toSorted(([one, first], [other, second]) => one - other || (first < second ? -1 : 1)),
  ]
}

const { NONE, UNSUPPORTED_VERSION } = ErrorCode
const groups = [
  [group, 'a/b'],
  [group, 'billing'],
]
for (const { what, types, version, answer } of [
  { what: 'groups, those that have configs', types: [group], answer: [NONE, groups] },
  { what: 'topics', types: [topic], answer: [NONE, [[topic, 'orders']]] },
  {
    what: 'brokers and their loggers',
    types: [brokerLogger, broker],
    answer: [
      NONE,
      [
        [broker, '1'],
        [broker, '2'],
        [brokerLogger, '1'],
        [brokerLogger, '2'],
      ],
    ],
  },
  { what: 'client metrics, of which there are none', types: [clientMetrics], answer: [NONE, []] },
  {
    what: 'all, when no type is named',
    types: [],
    answer: [
      NONE,
      [[topic, 'orders'], [broker, '1'], [broker, '2'], [brokerLogger, '1'], [brokerLogger, '2'], ...groups],
    ],
  },
  { what: 'nothing for a type that does not exist', types: [topic, 3], answer: [UNSUPPORTED_VERSION, []] },
  { what: 'client metrics alone in version 0', types: [], version: 0, answer: [NONE, []] },
]) {
  test(`lists ${what}`, async () => {
    assert.deepEqual(await list(await withConfigs(), types, version), answer)
  })
}
