import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type StartOptions, startSettings } from './start-settings.ts'

function settingsOf(options: StartOptions, file = '') {
  const parsed = startSettings(options, () => file)
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.problems.join('; '))
  return parsed.settings
}

function addressesOf(options: StartOptions, file?: string): string[] {
  return settingsOf(options, file).listeners.map(({ name, host, port }) => `${name} ${host} ${port}`)
}

const both = 'PLAINTEXT://kafka:9092,CONTROLLER://kafka:9093'

const addresses: { what: string; options: StartOptions; file?: string; opens: readonly string[] }[] = [
  { what: 'nothing said', options: {}, opens: ['PLAINTEXT 127.0.0.1 9092'] },
  { what: 'a port', options: { port: 0 }, opens: ['PLAINTEXT 127.0.0.1 0'] },
  { what: 'a host', options: { host: '0.0.0.0' }, opens: ['PLAINTEXT 0.0.0.0 9092'] },
  { what: 'an IPv6 address', options: { host: '::1', port: 1 }, opens: ['PLAINTEXT ::1 1'] },
  { what: 'an IPv6 address in brackets', options: { host: '[::1]' }, opens: ['PLAINTEXT ::1 9092'] },
  { what: 'listeners', options: { set: [`listeners=PLAINTEXT://a:1`] }, opens: ['PLAINTEXT a 1'] },
  {
    what: 'a port beside listeners',
    options: { port: 2, config: 'f' },
    file: 'listeners=PLAINTEXT://a:1',
    opens: ['PLAINTEXT a 2'],
  },
  {
    what: 'a host beside listeners on every address',
    options: { host: 'b', config: 'f' },
    file: 'listeners=PLAINTEXT://:1',
    opens: ['PLAINTEXT b 1'],
  },
  {
    what: 'a port beside a listener for controllers',
    options: { port: 2, config: 'f' },
    file: `listeners=${both}\ncontroller.listener.names=CONTROLLER`,
    opens: ['PLAINTEXT kafka 2'],
  },
]

for (const { what, options, file, opens } of addresses) {
  test(`where it listens, given ${what}`, () => {
    assert.deepEqual(addressesOf(options, file), opens)
  })
}

test('the later of two --set wins, and any wins over the file', () => {
  const { numPartitions } = settingsOf(
    { config: 'f', set: ['num.partitions=2', 'num.partitions = 3'] },
    'num.partitions=1',
  )
  assert.equal(numPartitions, 3)
})

test('--data wins over log.dirs and log.dir, and the default over neither', () => {
  const file = 'log.dirs=/from-file'
  assert.equal(settingsOf({}).dataFolder, './data')
  assert.equal(settingsOf({ config: 'f' }, file).dataFolder, '/from-file')
  assert.equal(settingsOf({ config: 'f', set: ['log.dir=/from-set'] }, '').dataFolder, '/from-set')
  assert.equal(settingsOf({ config: 'f', data: '/own' }, file).dataFolder, '/own')
})

test('--dev starts groups without delay, unless a delay is set', () => {
  assert.equal(settingsOf({}).groupInitialRebalanceDelayMs, 3000)
  assert.equal(settingsOf({ dev: true }).groupInitialRebalanceDelayMs, 0)
  const set = ['group.initial.rebalance.delay.ms=50']
  assert.equal(settingsOf({ dev: true, set }).groupInitialRebalanceDelayMs, 50)
})

test('a value may hold an equals sign', () => {
  const parsed = startSettings({ set: ['num.partitions=a=b'] }, () => '')
  assert.deepEqual(parsed.ok ? [] : parsed.problems, [
    'Invalid value a=b for configuration num.partitions: Not a number of type INT',
  ])
})
