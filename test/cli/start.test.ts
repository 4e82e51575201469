// `odradek start` as its users meet it: what it prints, what it refuses, and how it ends.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import type { KafkaConfig } from 'kafkajs'
import { kafkaJs } from '../support/kafkajs-client.ts'
import { type Finished, RunningProcess } from '../support/processes.ts'
import { waitFor } from '../support/wait-for.ts'

const main = join(import.meta.dirname, '../../src/cli/main.ts')
const folder = await mkdtemp(join(tmpdir(), 'odradek-cli-'))
after(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }))

const readyLine = /is ready, listening on (\S+:(\d+))/
let folders = 0
const newFolder = (): string => join(folder, `data-${++folders}`)

/** `odradek start` in a folder of its own, where nothing is. */
function odradek(t: TestContext, args: readonly string[], nodeArgs: readonly string[] = []): RunningProcess {
  const child = new RunningProcess(process.execPath, [...nodeArgs, main, 'start', ...args], { cwd: folder })
  t.after(() => child.kill('SIGKILL'))
  return child
}

async function ready(child: RunningProcess): Promise<{ address: string; port: number }> {
  const [, address, port] = await child.output(readyLine)
  return { address: address!, port: Number(port) }
}

/** Starts on a free port and says so. */
async function started(t: TestContext, args: readonly string[] = [], nodeArgs: readonly string[] = []) {
  const data = newFolder()
  const child = odradek(t, ['--port', '0', '--data', data, ...args], nodeArgs)
  return { child, data, ...(await ready(child)) }
}

/** Never gets as far as to start. */
async function refused(t: TestContext, args: readonly string[]): Promise<Finished> {
  const finished = await odradek(t, args).end(20_000)
  assert.equal(finished.stdout, '')
  return finished
}

async function listening(): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return server
}

async function freePort(): Promise<number> {
  const server = await listening()
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function configFile(text: string): Promise<string> {
  const path = join(folder, `server-${++folders}.properties`)
  await writeFile(path, text)
  return path
}

async function topics(address: string): Promise<string[]> {
  const admin = kafkaJs(address).admin()
  await admin.connect()
  const names = await admin.listTopics()
  await admin.disconnect()
  return names
}

async function createTopic(address: string, topic: string, options: Partial<KafkaConfig> = {}): Promise<number> {
  const admin = kafkaJs(address, options).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic }] })
  const metadata = await admin.fetchTopicMetadata({ topics: [topic] })
  await admin.disconnect()
  return metadata.topics[0]!.partitions.length
}

test('says that it is ready, as JSON where no terminal is, and serves clients', async (t) => {
  const { child, address, data } = await started(t)
  const line = JSON.parse(child.stdout.split('\n')[0]!)
  assert.match(line.msg, /^odradek \d+\.\d+\.\d+ is ready, listening on 127\.0\.0\.1:\d+$/)
  assert.equal(line.data, data)
  assert.equal(line.brokerId, 1)
  assert.equal(line.clusterId.length, 22)
  assert.deepEqual(await topics(address), [])
})

test('without a word it keeps its records in ./data', async (t) => {
  const child = odradek(t, ['--port', '0'])
  await ready(child)
  assert.ok(existsSync(join(folder, 'data/meta.properties')))
})

test('listens on the host it is told to', async (t) => {
  const { address, port } = await started(t, ['--host', '::1'])
  assert.equal(address, `[::1]:${port}`)
  const socket = connect({ host: '::1', port })
  await once(socket, 'connect')
  socket.destroy()
})

test('settings come from the file, --set wins over it, and an option of its own wins over both', async (t) => {
  const config = await configFile(
    `num.partitions=2\nlog.dirs=${folder}/from-file\nnode.id=7\nlisteners=PLAINTEXT://127.0.0.1:1\n`,
  )
  const data = newFolder()
  const settings = ['--set', 'num.partitions=5', '--set', `log.dirs=${folder}/from-set`]
  const child = odradek(t, ['--config', config, ...settings, '--data', data, '--port', '0'])
  const { address } = await ready(child)
  assert.equal(await createTopic(address, 'orders'), 5)
  assert.match(await readFile(join(data, 'meta.properties'), 'utf8'), /^node\.id=7$/m)
})

test('takes a file that Kafka in KRaft mode uses, and says what of it has no effect', async (t) => {
  const config = await configFile(`
    process.roles=broker,controller
    node.id=1
    controller.quorum.voters=1@localhost:9093
    listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093
    controller.listener.names=CONTROLLER`)
  const { child } = await started(t, ['--config', config])
  assert.match(child.stdout, /"level":40.*setting 'process\.roles' has no effect/)
  assert.match(child.stdout, /listener CONTROLLER is for KRaft controllers and is not opened/)
})

test('with --log-level silent it says nothing', async (t) => {
  const port = await freePort()
  const child = odradek(t, ['--port', String(port), '--data', newFolder(), '--log-level', 'silent'])
  await waitFor('it to serve', () => topics(`127.0.0.1:${port}`))
  child.kill('SIGTERM')
  const { code, stdout, stderr } = await child.end()
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '', stderr: '' })
})

const wrong: { what: string; args: readonly string[]; says: readonly RegExp[] }[] = [
  {
    what: 'a setting nobody knows, with the one that was meant',
    args: ['--set', 'num.partition=3'],
    says: [/^odradek: unknown setting 'num\.partition'; did you mean 'num\.partitions'\?$/m],
  },
  {
    what: 'everything that is wrong at once',
    args: ['--set', 'num.partitions=many', '--set', 'nonsense', '--config', '/nowhere/server.properties'],
    says: [
      /num\.partitions/,
      /--set takes name=value, not 'nonsense'/,
      /cannot read \/nowhere\S+: there is no such file/,
    ],
  },
  { what: 'a file that is a folder', args: ['--config', tmpdir()], says: [/cannot read .*: it is a folder/] },
  {
    what: 'a port that is none',
    args: ['--port', 'x'],
    says: [/'--port <number>'.*A port is a number from 0 to 65535/],
  },
  { what: 'a port out of bounds', args: ['--port', '65536'], says: [/A port is a number from 0 to 65535/] },
  { what: 'an option nobody knows', args: ['--prot', '1'], says: [/unknown option '--prot'/, /Did you mean --port\?/] },
  { what: 'a log level nobody knows', args: ['--log-level', 'loud'], says: [/debug, info, warn, error, silent/] },
  {
    what: 'TLS, which it does not speak',
    args: ['--set', 'listeners=SSL://localhost:0'],
    says: [/listener SSL uses SSL, which this broker does not speak/],
  },
  {
    what: 'one port for several listeners',
    args: [
      '--set=listeners=A://localhost:1,B://localhost:2',
      '--set=listener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT',
      '--port=3',
    ],
    says: [/--host and --port are for one listener, and listeners names several/],
  },
]

for (const { what, args, says } of wrong) {
  test(`refuses ${what}, with exit status 2`, async (t) => {
    const { code, stderr } = await refused(t, args)
    for (const pattern of says) assert.match(stderr, pattern)
    assert.doesNotMatch(stderr, /^ +at /m)
    assert.equal(code, 2)
  })
}

test('a port that is taken ends it with exit status 1', async (t) => {
  const server = await listening()
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const { code, stderr } = await refused(t, ['--port', String(port), '--data', newFolder()])
  assert.equal(stderr, `odradek: cannot listen on 127.0.0.1:${port}: another program listens there\n`)
  assert.equal(code, 1)
})

test('a data folder that another process uses ends it with exit status 1, and the other goes on', async (t) => {
  const { data, address } = await started(t)
  const { code, stderr } = await refused(t, ['--port', '0', '--data', data])
  assert.equal(stderr, `odradek: the data folder ${data} is in use by another broker\n`)
  assert.equal(code, 1)
  assert.deepEqual(await topics(address), [])
})

test('an etcd that cannot be reached ends it with exit status 1, once it has been asked for a while', async (t) => {
  const nobody = '127.0.0.1:1'
  const args = ['--etcd', nobody, '--set', 'advertised.listeners=PLAINTEXT://127.0.0.1:9092']
  const { code, stderr } = await odradek(t, ['--port', '0', '--data', newFolder(), ...args]).end()
  assert.equal(code, 1, stderr)
  assert.match(stderr, /etcd at 127\.0\.0\.1:1 cannot be used/)
})

test('a data folder of another node ends it with exit status 1', async (t) => {
  const { child, data } = await started(t, ['--set', 'node.id=4'])
  await child.stop()
  const { code, stderr } = await refused(t, ['--port', '0', '--data', data])
  assert.equal(stderr, `odradek: ${data} belongs to node 4, not 1\n`)
  assert.equal(code, 1)
})

test('a data folder that cannot be one ends it with exit status 1, whatever the log level', async (t) => {
  const file = await configFile('')
  const { code, stderr } = await refused(t, ['--port', '0', '--data', `${file}/data`, '--log-level', 'silent'])
  assert.match(stderr, /^odradek: cannot use the data folder \S+: a part of its path is not a folder \(ENOTDIR/)
  assert.equal(code, 1)
})

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} stops it cleanly`, async (t) => {
    const { child, data, address } = await started(t)
    await createTopic(address, 'orders')
    child.kill(signal)
    const { code, stdout, stderr } = await child.end()
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    assert.match(stdout, /"msg":"stopped"\}\n$/)
    assert.ok(existsSync(join(data, '.kafka_cleanshutdown')))
  })
}

test('a second signal ends it at once', async (t) => {
  // From SIGUSR2 on no write is ever confirmed, so that a stop never comes to its end.
  const stuck = `fs.fsync = fs.fdatasync = () => {}; setInterval(() => {}, 60_000)`
  const onSignal = `data:text/javascript,import fs from 'node:fs'; process.once('SIGUSR2', () => { ${stuck} })`
  const { child } = await started(t, [], ['--import', onSignal])
  child.kill('SIGUSR2')
  child.kill('SIGTERM')
  await child.output(/SIGTERM: stopping, once more to end at once/)
  await waitFor('a signal to be taken for a second one', () => {
    child.kill('SIGINT')
    return !child.running
  })
  const { code, stdout } = await child.finished
  assert.equal(code, 1)
  assert.doesNotMatch(stdout, /"stopped"/)
})

test('who ends it as soon as it says that it is ready ends it cleanly', async (t) => {
  const killed = `if (String(args[1]).includes('is ready')) process.kill(process.pid, 'SIGTERM')`
  const watched = `const write = fs.writeSync; fs.writeSync = (...args) => { ${killed}; return write(...args) }; syncBuiltinESMExports()`
  const atOnce = `data:text/javascript,import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module'; ${watched}`
  const { child, data } = await started(t, [], ['--import', atOnce])
  assert.equal((await child.end()).code, 0)
  assert.ok(existsSync(join(data, '.kafka_cleanshutdown')))
})

test('one Ctrl-C that comes twice, as under npm, is one', async (t) => {
  const { child, data } = await started(t)
  for (let i = 0; i < 3; i++) child.kill('SIGINT')
  assert.equal((await child.end()).code, 0)
  assert.ok(existsSync(join(data, '.kafka_cleanshutdown')))
})

test('after kill -9 it starts again with what it had', async (t) => {
  const { child, data, address } = await started(t)
  await createTopic(address, 'orders')
  child.kill('SIGKILL')
  await child.end()
  assert.ok(!existsSync(join(data, '.kafka_cleanshutdown')))
  const again = odradek(t, ['--port', '0', '--data', data])
  assert.deepEqual(await topics((await ready(again)).address), ['orders'])
})

const unexpected = [
  { what: 'an exception nobody caught', code: `throw new Error('boom')` },
  { what: 'a rejection nobody handled', code: `Promise.reject(new Error('boom'))` },
]

for (const { what, code } of unexpected) {
  test(`${what} is logged and ends it, unclean`, async (t) => {
    const once = `data:text/javascript,process.once('SIGUSR2', () => { ${code} })`
    const { child, data } = await started(t, [], ['--import', once])
    child.kill('SIGUSR2')
    const finished = await child.end()
    assert.equal(finished.code, 1)
    const line = JSON.parse(finished.stdout.trim().split('\n').at(-1)!)
    assert.equal(line.msg, 'the broker met an error it does not know and ends')
    assert.match(line.err.stack, /boom/)
    assert.ok(!existsSync(join(data, '.kafka_cleanshutdown')))
  })
}

test('a disk that fails under its metadata ends it, and the next start has what was kept', async (t) => {
  const broken = `fs.fdatasync = (fd, done) => done(Object.assign(new Error('EIO'), { code: 'EIO' }))`
  const onSignal = `data:text/javascript,import fs from 'node:fs'; process.once('SIGUSR2', () => { ${broken} })`
  const { child, data, address } = await started(t, [], ['--import', onSignal])
  await createTopic(address, 'kept')
  child.kill('SIGUSR2')
  createTopic(address, 'lost', { retry: { retries: 0 } }).catch(() => {}) // nobody is left to answer
  const finished = await child.end()
  assert.equal(finished.code, 1)
  assert.match(finished.stdout, /EIO: sync .*"msg":"the broker cannot go on"/)
  const again = odradek(t, ['--port', '0', '--data', data])
  assert.ok((await topics((await ready(again)).address)).includes('kept'))
})

test('goes on when nobody reads its log any longer', async (t) => {
  const args = [main, 'start', '--port', '0', '--data', newFolder(), '--log-level', 'debug']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const [, address] = readyLine.exec(line.toString())!
  child.stdout.destroy()
  await createTopic(address!, 'orders')
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

test('--help names every option', async (t) => {
  const { code, stdout } = await odradek(t, ['--help']).end()
  for (const option of ['port', 'host', 'data', 'config', 'set', 'dev', 'log-level']) {
    assert.match(stdout, new RegExp(`^ +--${option}\\b`, 'm'))
  }
  assert.equal(code, 0)
})

test('on a terminal its lines are for people', async (t) => {
  const command = [process.execPath, main, 'start', '--port', '0', '--data', newFolder()].join(' ')
  const child = new RunningProcess('script', ['-qec', command, '/dev/null'])
  t.after(() => child.kill('SIGKILL'))
  await child.output(readyLine)
  // oxlint-disable-next-line no-control-regex
  assert.match(child.stdout.replaceAll(/\u001b\[\d+m/g, ''), /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: odradek \S+ is ready/)
})
