import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { brokerSettings, parseBrokerSettings } from './broker-settings.ts'

function problemsOf(properties: Record<string, string>): readonly string[] {
  const parsed = parseBrokerSettings(properties)
  return parsed.ok ? [] : parsed.problems
}

test('without a word everything has its default', () => {
  const parsed = parseBrokerSettings({})
  assert.ok(parsed.ok)
  const { settings, warnings } = parsed
  assert.deepEqual(settings.listeners, [{ name: 'PLAINTEXT', host: '', port: 9092 }])
  assert.equal(settings.advertisedListeners, null)
  assert.equal(settings.dataFolder, 'odradek-data')
  assert.deepEqual(
    [settings.numPartitions, settings.offsetsTopicNumPartitions, settings.groupInitialRebalanceDelayMs],
    [1, 50, 3000],
  )
  assert.deepEqual([settings.brokerRack, settings.logRollMs, settings.given.size], [null, null, 0])
  assert.deepEqual(warnings, [])
})

test('settings are read under the names Kafka gives them, spaces around values ignored', () => {
  const settings = brokerSettings({
    'num.partitions': ' 7 ',
    'auto.create.topics.enable': 'FALSE',
    'broker.rack': 'north',
    'connections.max.idle.ms': '-1',
    'log.message.timestamp.before.max.ms': '9223372036854775807',
  })
  assert.equal(settings.numPartitions, 7)
  assert.equal(settings.autoCreateTopicsEnable, false)
  assert.equal(settings.brokerRack, 'north')
  assert.equal(settings.connectionsMaxIdleMs, -1)
  assert.equal(settings.logMessageTimestampBeforeMaxMs, Number.MAX_SAFE_INTEGER)
})

for (const { properties, problem } of [
  {
    properties: { 'num.partition': '1' },
    problem: /^unknown setting 'num.partition'; did you mean 'num.partitions'\?$/,
  },
  { properties: { lisners: 'x' }, problem: /did you mean 'listeners'/ },
  { properties: { 'no.such.thing.at.all': '1' }, problem: /^unknown setting 'no.such.thing.at.all'$/ },
  {
    properties: { 'num.partitions': '0' },
    problem: /^Invalid value 0 for configuration num.partitions: Value must be at least 1$/,
  },
  { properties: { 'num.partitions': '1.5' }, problem: /Not a number of type INT/ },
  { properties: { 'num.partitions': '' }, problem: /Not a number of type INT/ },
  { properties: { 'num.partitions': '2147483648' }, problem: /Not a number of type INT/ },
  { properties: { 'delete.topic.enable': 'yes' }, problem: /either true or false/ },
  { properties: { 'compression.type': 'brotli' }, problem: /must be one of: uncompressed, zstd/ },
  { properties: { 'log.cleanup.policy': 'compact,compact' }, problem: /duplicates/ },
  { properties: { 'log.retention.hours': 'x' }, problem: /log.retention.hours/ },
  { properties: { listeners: 'localhost:9092' }, problem: /'localhost:9092' is not of the form NAME:\/\/host:port/ },
  { properties: { listeners: 'PLAINTEXT://:70000' }, problem: /not of the form/ },
  { properties: { listeners: 'SSL://:9092' }, problem: /listener SSL uses SSL, which this broker does not speak/ },
  { properties: { listeners: 'INNER://:9092' }, problem: /INNER has no entry in listener.security.protocol.map/ },
  { properties: { listeners: 'PLAINTEXT://a:1,PLAINTEXT://b:2' }, problem: /PLAINTEXT comes twice/ },
  { properties: { 'advertised.listeners': 'OTHER://h:1' }, problem: /OTHER, which is not among listeners/ },
  { properties: { 'advertised.listeners': 'PLAINTEXT://0.0.0.0:9092' }, problem: /host that clients can reach/ },
  { properties: { 'inter.broker.listener.name': 'INNER' }, problem: /names INNER, which is not among listeners/ },
  { properties: { 'etcd.endpoints': '' }, problem: /etcd.endpoints: the list must not be empty/ },
  { properties: { 'etcd.endpoints': 'h:1' }, problem: /advertised.listeners must say where other brokers reach this/ },
  { properties: { 'etcd.username': 'root' }, problem: /etcd.username and etcd.password.file go together/ },
  { properties: { 'etcd.tls.key.file': '/k.pem' }, problem: /etcd.tls.certificate.file and etcd.tls.key.file go/ },
  { properties: { 'log.dirs': '/a,/b' }, problem: /several folders/ },
  { properties: { 'broker.id': '1', 'node.id': '2' }, problem: /'broker.id' and 'node.id' differ/ },
  { properties: { 'authorizer.class.name': 'kafka.Authorizer' }, problem: /would let everyone in/ },
] as { properties: Record<string, string>; problem: RegExp }[]) {
  test(`refused: ${JSON.stringify(properties)}`, () => {
    const problems = problemsOf(properties)
    assert.equal(problems.length, 1)
    assert.match(problems[0]!, problem)
  })
}

test('all that is wrong is reported at once', () => {
  assert.equal(problemsOf({ 'num.partitions': 'x', 'no.such': 'y', 'delete.topic.enable': 'z' }).length, 3)
})

test('a KRaft configuration starts: its controllers and its other settings are left out, and said', () => {
  const parsed = parseBrokerSettings({
    'process.roles': 'broker,controller',
    'node.id': '3',
    'controller.quorum.voters': '3@localhost:9093',
    'controller.listener.names': 'CONTROLLER',
    listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
    'advertised.listeners': 'PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093',
    'num.io.threads': '8',
    'log.dirs': '/var/lib/kafka',
    'log.flush.interval.ms': '24',
    'listener.name.plaintext.x': 'y',
  })
  assert.ok(parsed.ok)
  const { settings, warnings } = parsed
  assert.equal(settings.brokerId, 3)
  assert.deepEqual(settings.listeners, [{ name: 'PLAINTEXT', host: '', port: 9092 }])
  assert.deepEqual(settings.advertisedListeners, [{ name: 'PLAINTEXT', host: 'localhost', port: 9092 }])
  assert.equal(settings.dataFolder, '/var/lib/kafka')
  const warned = ['process.roles', 'num.io.threads', 'log.flush.interval.ms', 'CONTROLLER', 'listener.name.plaintext.x']
  for (const name of warned)
    assert.ok(
      warnings.some((warning) => warning.includes(name)),
      name,
    )
})

describe('listeners', () => {
  for (const { text, expected } of [
    { text: 'PLAINTEXT://127.0.0.1:0', expected: { name: 'PLAINTEXT', host: '127.0.0.1', port: 0 } },
    { text: 'plaintext://[::1]:9092', expected: { name: 'PLAINTEXT', host: '::1', port: 9092 } },
  ]) {
    test(`${text} is understood`, () => assert.deepEqual(brokerSettings({ listeners: text }).listeners, [expected]))
  }

  test('get their protocol from the map', () => {
    const settings = brokerSettings({
      listeners: 'INNER://:1,OUTER://:2',
      'listener.security.protocol.map': 'INNER:PLAINTEXT, outer:plaintext',
    })
    assert.deepEqual(
      settings.listeners.map(({ name }) => name),
      ['INNER', 'OUTER'],
    )
  })
})

describe('settings of consumer groups', () => {
  for (const { properties, problem } of [
    {
      properties: { 'group.consumer.session.timeout.ms': '44999' },
      problem:
        'group.consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms',
    },
    {
      properties: { 'group.consumer.session.timeout.ms': '60001' },
      problem: 'group.consumer.session.timeout.ms must be less than or equal to group.consumer.max.session.timeout.ms',
    },
    {
      properties: { 'group.consumer.heartbeat.interval.ms': '4999' },
      problem:
        'group.consumer.heartbeat.interval.ms must be greater than or equal to group.consumer.min.heartbeat.interval.ms',
    },
    {
      properties: {
        'group.consumer.heartbeat.interval.ms': '45000',
        'group.consumer.max.heartbeat.interval.ms': '45000',
      },
      problem: 'group.consumer.heartbeat.interval.ms must be less than group.consumer.session.timeout.ms',
    },
    {
      properties: { 'group.consumer.assignment.interval.ms': '15001' },
      problem:
        'group.consumer.assignment.interval.ms must be less than or equal to group.consumer.max.assignment.interval.ms',
    },
    {
      properties: { 'group.consumer.max.assignment.interval.ms': '999' },
      problem:
        'group.consumer.assignment.interval.ms must be less than or equal to group.consumer.max.assignment.interval.ms',
    },
  ]) {
    test(`fit together: ${Object.entries(properties).join(', ')}`, () => {
      assert.deepEqual(problemsOf(properties), [problem])
    })
  }

  test('name assignors shortly or by their class, and the migration policy in any case', () => {
    const settings = brokerSettings({
      'group.consumer.assignors': 'org.apache.kafka.coordinator.group.assignor.RangeAssignor,uniform',
      'group.consumer.migration.policy': 'Upgrade',
    })
    assert.deepEqual(settings.groupConsumerAssignors, ['range', 'uniform'])
    assert.equal(settings.groupConsumerMigrationPolicy, 'upgrade')
    assert.equal(problemsOf({ 'group.consumer.assignors': 'com.example.Own' }).length, 1)
    assert.equal(problemsOf({ 'group.consumer.assignors': '' }).length, 1)
    assert.equal(problemsOf({ 'group.consumer.migration.policy': 'sometimes' }).length, 1)
  })
})
