// Peers that mean harm or are broken: too many, silent, deaf, slow, or talking nonsense. Through all of it the broker
// serves an ordinary client, and its memory stays within a bound.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test, type TestContext } from 'node:test'
import type { Kafka, Producer } from 'kafkajs'
import { apiVersions } from '../src/protocol/apis/api-versions.ts'
import { fetch } from '../src/protocol/apis/fetch.ts'
import { ErrorCode } from '../src/protocol/error-code.ts'
import { decodeResponse, encodeRequest } from '../src/protocol/frame.ts'
import { BrokerProcess } from './support/broker-process.ts'
import { kafkaJs } from './support/kafkajs-client.ts'
import { RawConnection, sized } from './support/raw-connection.ts'
import { onlyOdradek } from './support/target.ts'
import { pause, waitFor, within } from './support/wait-for.ts'

const mebibyte = 1024 * 1024
const client = { correlationId: 7, clientId: 'hostile' }

/** An ApiVersions request, whole and right. */
const rightRequest = Buffer.concat(
  encodeRequest(apiVersions, 3, client, { clientSoftwareName: 'hostile', clientSoftwareVersion: '1' }),
)

/** Idle connections, and a few files of the runtime's own. */
const filesNeeded = 10_500

function withoutFiles(): string | false {
  const limit = spawnSync('bash', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).stdout.trim()
  if (limit === 'unlimited' || Number(limit) >= filesNeeded) return false // Node raises its soft limit to the hard one
  return `a process may open ${limit} files here, the test needs ${filesNeeded}`
}

describe('hostile peers', { skip: onlyOdradek, timeout: 240_000 }, () => {
  const topic = 'served'
  let broker: BrokerProcess
  let kafka: Kafka
  let producer: Producer

  before(async () => {
    broker = await BrokerProcess.start()
    kafka = kafkaJs(broker.bootstrap)
    producer = kafka.producer()
    await producer.connect()
    await assertServes() // creates the topic, and brings the broker to its working size
  })

  after(async () => {
    await producer?.disconnect()
    await broker?.stop()
  })

  async function open(t: TestContext, options?: { readonly reads?: boolean }): Promise<RawConnection> {
    const connection = await RawConnection.open(broker.port, options)
    t.after(() => connection.destroy())
    return connection
  }

  /** An ordinary client with a connection of its own gets its message acknowledged, and an old one as well. */
  async function assertServes(): Promise<void> {
    const admin = kafka.admin()
    const serve = async () => {
      await producer.send({ topic, messages: [{ value: 'ordinary' }] })
      await admin.connect()
      const [partition] = await admin.fetchTopicOffsets(topic)
      assert.ok(Number(partition?.high) > 0)
    }
    try {
      await within('an ordinary client to be served', serve(), 10_000)
    } finally {
      await admin.disconnect()
    }
  }

  /** Resident memory of the broker. */
  async function memoryBytes(): Promise<number> {
    const status = await readFile(`/proc/${broker.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
  }

  /** Fails when the broker grew by more than `growthMiBMax` since `baseline`. */
  async function assertBounded(baseline: number, growthMiBMax: number): Promise<void> {
    const growthMiB = ((await memoryBytes()) - baseline) / mebibyte
    assert.ok(growthMiB <= growthMiBMax, `the broker grew by ${growthMiB.toFixed(0)} MiB, more than ${growthMiBMax}`)
  }

  async function assertClosed(connection: RawConnection, what: string): Promise<void> {
    await within(`the broker to close a connection after ${what}`, connection.closed, 10_000)
  }

  test('10,000 idle connections cost little, and others are served', { skip: withoutFiles() }, async (t) => {
    const baseline = await memoryBytes()
    const idle: RawConnection[] = []
    t.after(() => idle.forEach((connection) => connection.destroy()))
    while (idle.length < 10_000) {
      idle.push(...(await Promise.all(Array.from({ length: 250 }, () => RawConnection.open(broker.port)))))
    }
    await assertServes()
    await assertBounded(baseline, 100)
    // Idle, not forgotten: any of them is answered when it asks.
    const last = idle.at(-1)
    last?.send(rightRequest)
    const answer = await last?.frame()
    assert.equal(answer?.readInt32BE(0), client.correlationId)
  })

  test('a client that never reads does not make the broker hoard its answers', async (t) => {
    for (let n = 0; n < 8; n++) await producer.send({ topic, messages: [{ value: randomBytes(900_000) }] })
    const baseline = await memoryBytes()
    const partition = { partition: 0, fetchOffset: 0, partitionMaxBytes: 50 * mebibyte }
    const request = encodeRequest(fetch, 11, client, {
      replicaId: -1,
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 50 * mebibyte,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      forgottenTopicsData: [],
      rackId: '',
      topics: [{ topic, partitions: [partition] }],
    })
    const deaf = await open(t, { reads: false })
    deaf.socket.pause()
    for (let n = 0; n < 2000; n++) deaf.send(...request) // some 14 GB of answers
    let peak = 0
    for (let n = 0; n < 20; n++) {
      await assertServes()
      peak = Math.max(peak, await memoryBytes())
    }
    assert.ok(peak - baseline < 300 * mebibyte, `the broker grew by ${((peak - baseline) / mebibyte).toFixed(0)} MiB`)
    assert.equal(deaf.socket.readyState, 'open')
  })

  test('a client that sends a byte at a time is answered in the end, and nobody waits for it', async (t) => {
    const slow = await open(t)
    const sending = (async () => {
      for (const byte of rightRequest) {
        slow.send(Uint8Array.of(byte))
        await pause(40)
      }
    })()
    for (let n = 0; n < 3; n++) await assertServes()
    assert.equal(slow.received.length, 0)
    await sending
    const { body } = decodeResponse(apiVersions, 3, await slow.frame())
    assert.equal(body.errorCode, ErrorCode.NONE)
  })

  for (const [what, size] of [
    ['2 GiB', 0x7fffffff],
    ['one byte more than the largest', 100 * mebibyte + 1],
    ['less than nothing', -1],
    ['the most negative number', -0x80000000],
  ] as const) {
    test(`a frame that claims ${what} closes the connection`, async (t) => {
      const baseline = await memoryBytes()
      const connection = await open(t)
      connection.send(sized(rightRequest.subarray(4), size))
      await assertClosed(connection, `a size of ${size}`)
      await assertServes()
      await assertBounded(baseline, 50)
    })
  }

  test('frames that claim the largest size and never come take no memory', async (t) => {
    const baseline = await memoryBytes()
    for (let n = 0; n < 100; n++) (await open(t)).send(sized(rightRequest.subarray(4), 100 * mebibyte))
    await assertServes()
    await assertBounded(baseline, 100)
  })

  test('random bytes close the connection or are waited for, and nothing else', async (t) => {
    const baseline = await memoryBytes()
    const garbled: RawConnection[] = []
    for (let n = 0; n < 200; n++) {
      const connection = await open(t)
      // Half of them behind a right size, so that they are taken for a request.
      connection.send(n % 2 === 0 ? randomBytes(1 + n) : sized(randomBytes(1 + n)))
      if (n % 2 === 1) garbled.push(connection)
    }
    // A random API key is one of ours once in some 850 times; then it is the body that does not decode.
    for (const connection of garbled) await assertClosed(connection, 'random bytes')
    await assertServes()
    await assertBounded(baseline, 100)
  })

  test('a request cut short closes the connection, wherever it is cut', async (t) => {
    const body = rightRequest.subarray(4)
    for (let length = 0; length < body.length; length++) {
      const connection = await open(t)
      connection.send(sized(body.subarray(0, length)))
      // A version 3 that does not decode is answered too, as a version that is not known would be.
      const end = await Promise.race([connection.closed, connection.frame().catch(() => undefined)])
      if (end !== undefined) assert.equal(end.readInt16BE(4), ErrorCode.UNSUPPORTED_VERSION)
    }
    await assertServes()
  })

  test('a connection that ends in the middle of a request is let go', async (t) => {
    for (let length = 1; length < rightRequest.length; length++) {
      const connection = await open(t)
      connection.socket.end(rightRequest.subarray(0, length))
      await assertClosed(connection, 'its end')
    }
    await assertServes()
  })

  test('an unknown API or version closes the connection', async (t) => {
    for (const [apiKey, apiVersion] of [
      [9999, 0],
      [-1, 0],
      [1, 99], // Fetch
      [0, 2], // Produce, in a version Kafka has removed
      [3, -1], // Metadata
    ]) {
      const connection = await open(t)
      const header = Buffer.from(rightRequest.subarray(4))
      header.writeInt16BE(apiKey ?? 0, 0)
      header.writeInt16BE(apiVersion ?? 0, 2)
      connection.send(sized(header))
      await assertClosed(connection, `API ${apiKey} in version ${apiVersion}`)
    }
    await assertServes()
  })

  test('an unknown version of ApiVersions is answered with those that are known (KIP-511)', async (t) => {
    const connection = await open(t)
    const header = Buffer.from(rightRequest.subarray(4))
    header.writeInt16BE(99, 2)
    connection.send(sized(header))
    const { correlationId, body } = decodeResponse(apiVersions, 0, await connection.frame())
    assert.equal(correlationId, client.correlationId)
    assert.equal(body.errorCode, ErrorCode.UNSUPPORTED_VERSION)
    assert.deepEqual(
      body.apiKeys.filter(({ apiKey }) => apiKey === apiVersions.key),
      [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
    )
    connection.send(rightRequest) // and the connection goes on
    assert.equal((await connection.frame()).readInt32BE(0), client.correlationId)
  })

  test('the broker has let go of every connection that was closed', async () => {
    const files = async () =>
      spawnSync('ls', [`/proc/${broker.pid}/fd`], { encoding: 'utf8' }).stdout.split('\n').length
    await waitFor('the files to be closed', async () => (await files()) < 100)
    assert.equal(broker.running, true)
  })
})
