import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ResourceConfigs } from '../cluster/resource-configs.ts'
import { brokerSettings } from '../cluster/settings/broker-settings.ts'
import { SmallCluster } from '../cluster/small-cluster.sim.ts'
import { configsForGroups } from './group-configs.ts'

test("a group has the broker's times until it has some of its own, from the moment they are set", async () => {
  const cluster = await SmallCluster.start()
  const { store, view, clock } = cluster
  const settings = brokerSettings({ 'group.consumer.session.timeout.ms': '46000' })
  const groups = configsForGroups(view, settings)
  const byBroker = { sessionTimeoutMs: 46_000, heartbeatIntervalMs: 5_000, assignmentIntervalMs: 1_000 }
  assert.deepEqual(groups.consumerGroup('g'), byBroker)
  const membership = cluster.membershipOf(1)
  const configs = ResourceConfigs.ofGroups({ store, view, clock, membership, settings, brokerId: 1 })
  const edits = [{ kind: 'set', name: 'consumer.session.timeout.ms', value: '50000' }] as const
  assert.equal(await configs.alter('g', { kind: 'edit', edits }, { validateOnly: false }), null)
  assert.deepEqual(groups.consumerGroup('g'), { ...byBroker, sessionTimeoutMs: 50_000 })
  assert.deepEqual(groups.consumerGroup('h'), byBroker)
})
