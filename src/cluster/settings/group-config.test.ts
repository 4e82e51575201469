import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { brokerSettings } from './broker-settings.ts'
import { describeGroupConfigs } from './described-configs.ts'
import { effectiveGroupTimes, groupConfigProblem } from './group-config.ts'

const session = 'consumer.session.timeout.ms'
const heartbeat = 'consumer.heartbeat.interval.ms'
const assignment = 'consumer.assignment.interval.ms'

const configs = (entries: Record<string, string>) => new Map(Object.entries(entries))

describe('configs of a group that are set', () => {
  const wide = {
    'group.consumer.min.heartbeat.interval.ms': '100',
    'group.consumer.max.heartbeat.interval.ms': '50000',
    'group.consumer.min.session.timeout.ms': '100',
  }
  for (const { given, broker = {}, problem } of [
    { given: { [session]: '45000', [heartbeat]: '15000', [assignment]: '0' }, problem: null },
    { given: { [session]: ' 50000 ' }, problem: null },
    {
      given: { 'consumer.sesion.timeout.ms': '50000' },
      problem: 'Unknown group config name: consumer.sesion.timeout.ms',
    },
    {
      given: { [session]: 'soon' },
      problem: `Invalid value soon for configuration ${session}: Not a number of type INT`,
    },
    { given: { [session]: '0' }, problem: `Invalid value 0 for configuration ${session}: Value must be at least 1` },
    {
      given: { [assignment]: '-1' },
      problem: `Invalid value -1 for configuration ${assignment}: Value must be at least 0`,
    },
    {
      given: { [session]: '44999' },
      problem: `${session} must be greater than or equal to group.consumer.min.session.timeout.ms`,
    },
    {
      given: { [session]: '60001' },
      problem: `${session} must be less than or equal to group.consumer.max.session.timeout.ms`,
    },
    {
      given: { [heartbeat]: '4999' },
      problem: `${heartbeat} must be greater than or equal to group.consumer.min.heartbeat.interval.ms`,
    },
    {
      given: { [heartbeat]: '15001' },
      problem: `${heartbeat} must be less than or equal to group.consumer.max.heartbeat.interval.ms`,
    },
    {
      given: { [assignment]: '999' },
      broker: { 'group.consumer.min.assignment.interval.ms': '1000' },
      problem: `${assignment} must be greater than or equal to group.consumer.min.assignment.interval.ms`,
    },
    {
      given: { [assignment]: '15001' },
      problem: `${assignment} must be less than or equal to group.consumer.max.assignment.interval.ms`,
    },
    {
      given: { [session]: '5000', [heartbeat]: '5000' },
      broker: wide,
      problem: `${session} must be greater than ${heartbeat}`,
    },
    { given: { [session]: '5001', [heartbeat]: '5000' }, broker: wide, problem: null },
    // The other one is the broker's.
    { given: { [session]: '5000' }, broker: wide, problem: `${session} must be greater than ${heartbeat}` },
    { given: { [heartbeat]: '45000' }, broker: wide, problem: `${session} must be greater than ${heartbeat}` },
    { given: { 'share.auto.offset.reset': 'by_duration:PT1H30M' }, problem: null },
    { given: { 'share.auto.offset.reset': 'earliest', 'streams.num.standby.replicas': '1' }, problem: null },
    { given: { 'share.isolation.level': 'serializable' }, problem: /share\.isolation\.level: String must be one of/ },
    { given: { 'share.auto.offset.reset': 'by_duration:P' }, problem: /The value must be either 'earliest', 'latest'/ },
  ]) {
    const expected = problem === null ? 'are fine' : `are refused: ${String(problem)}`
    test(`${JSON.stringify(given)} ${expected}`, () => {
      const found = groupConfigProblem(configs(given), brokerSettings(broker as Record<string, string>))
      if (problem instanceof RegExp) assert.match(found ?? '', problem)
      else assert.equal(found, problem)
    })
  }
})

describe('what is in force for a group', () => {
  test("is the broker's where the group has nothing of its own", () => {
    const broker = brokerSettings({ 'group.consumer.session.timeout.ms': '50000' })
    const times = { sessionTimeoutMs: 50_000, heartbeatIntervalMs: 5_000, assignmentIntervalMs: 1_000 }
    assert.deepEqual(effectiveGroupTimes(undefined, broker), times)
    assert.deepEqual(effectiveGroupTimes(new Map(), broker), times)
  })

  test("is the group's own within the broker's bounds, and the bound outside of them", () => {
    const broker = brokerSettings({ 'group.consumer.max.session.timeout.ms': '55000' })
    const times = (own: Record<string, string>) => Object.values(effectiveGroupTimes(configs(own), broker))
    assert.deepEqual(times({ [session]: '50000', [heartbeat]: '6000', [assignment]: '7' }), [50_000, 6_000, 7])
    assert.deepEqual(times({ [session]: '60000', [heartbeat]: '1', [assignment]: '99999' }), [55_000, 5_000, 15_000])
    assert.deepEqual(times({ [session]: '1' }), [45_000, 5_000, 1_000])
  })
})

describe('a group is described', () => {
  test("with what it has of its own above the broker's settings", () => {
    const broker = brokerSettings({ 'group.consumer.session.timeout.ms': '50000' })
    const [, , described] = describeGroupConfigs(configs({ [session]: ' 46000' }), broker)
    assert.deepEqual(
      { ...described, documentation: '' },
      {
        name: session,
        value: '46000',
        source: 'group',
        synonyms: [
          { name: session, value: '46000', source: 'group' },
          { name: 'group.consumer.session.timeout.ms', value: '50000', source: 'staticBroker' },
          { name: 'group.consumer.session.timeout.ms', value: '45000', source: 'default' },
        ],
        type: 'int',
        documentation: '',
        readOnly: false,
      },
    )
  })

  test('in order of name, without what has no effect unless it was set', () => {
    const names = (own: Record<string, string>) =>
      describeGroupConfigs(configs(own), brokerSettings()).map(({ name, source }) => [name, source])
    const always = [
      [assignment, 'default'],
      [heartbeat, 'default'],
      [session, 'default'],
    ]
    assert.deepEqual(names({}), always)
    assert.deepEqual(names({ 'share.delivery.count.limit': '7' }), [...always, ['share.delivery.count.limit', 'group']])
  })
})
