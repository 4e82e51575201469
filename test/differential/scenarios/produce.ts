// Produce: what is stored and answered, and every check in its order, alone and where two apply.

import { apiVersions, produce } from '../../../src/protocol/apis/index.ts'
import { codecIds } from '../../../src/records/codec.ts'
import { type Dialogue, closed, rangeOf } from '../dialogue.ts'
import { batch, keyed, longAgo, oldMessageSet, withField } from './batches.ts'

interface Send {
  readonly name: string
  readonly topicId: string
  readonly index?: number
  readonly acks?: number
  readonly transactionalId?: string | null
  readonly records: Uint8Array | null
}

function request(version: number, { name, topicId, index = 0, acks = -1, transactionalId = null, records }: Send) {
  const partitionData = [{ index, records: records === null ? null : [records] }]
  const topic = version >= 13 ? { topicId, partitionData } : { name, partitionData }
  return { transactionalId, acks, timeoutMs: 5_000, topicData: [topic] }
}

/**
 * Notes the answer and what is stored by it, in every version. Offsets count from where the log ended before, so that one
 * difference does not make all later ones.
 */
async function eachStored(
  dialogue: Dialogue,
  what: string,
  send: (version: number) => Send,
  range = rangeOf(produce),
): Promise<void> {
  await dialogue.inEach(range, async (version) => {
    const sent = send(version)
    const end = await dialogue.endOf(sent.name, sent.index ?? 0)
    const answer = await dialogue.ask(produce, version, request(version, sent))
    if (answer === closed) return dialogue.note(what, version, answer)
    const partition = answer.responses[0]?.partitionResponses[0]
    const wrote = partition?.errorCode === 0
    const responses = wrote
      ? [{ ...answer.responses[0]!, partitionResponses: [{ ...partition, baseOffset: partition.baseOffset - end }] }]
      : answer.responses
    const stored = wrote ? await dialogue.stored(sent.name, sent.index ?? 0, end) : null
    dialogue.note(what, version, { ...answer, responses, stored: { end, records: stored } })
  })
}

export async function produceWell(dialogue: Dialogue): Promise<void> {
  const name = dialogue.name('orders')
  const topicId = await dialogue.topic(name, {}, 1)
  for (const acks of [-1, 1]) {
    await eachStored(dialogue, `acks ${acks}`, () => ({ name, topicId, acks, records: batch() }))
  }
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    await eachStored(dialogue, codec, () => ({ name, topicId, records: batch({ codec }) }))
  }
  await eachStored(dialogue, 'KafkaJS: no producer, but an epoch and a sequence', () => ({
    name,
    topicId,
    records: batch({ producerEpoch: 0, baseSequence: 0 }),
  }))
  await eachStored(dialogue, 'records without key, value or time', () => ({
    name,
    topicId,
    records: batch({ timestamp: -1 }, [{}, { headers: [{ key: 'h', value: null }] }]),
  }))
  await eachStored(dialogue, 'a header that states another greatest time', () => ({
    name,
    topicId,
    records: withField(batch(), 'maxTimestamp', longAgo + 999),
  }))
  await eachStored(dialogue, 'offset deltas with gaps, not compressed', () => ({
    name,
    topicId,
    records: withField(batch({}, [{ offsetDelta: 0 }, { offsetDelta: 5 }]), 'lastOffsetDelta', 1),
  }))
  await eachStored(dialogue, 'a leader epoch from the client', () => ({
    name,
    topicId,
    records: withField(batch(), 'leaderEpoch', 77),
  }))
  await eachStored(dialogue, 'the delete horizon bit from a client', () => ({
    name,
    topicId,
    records: withField(batch(), 'attributes', 1 << 6),
  }))
  await eachStored(dialogue, 'unused attribute bits', () => ({
    name,
    topicId,
    records: withField(batch(), 'attributes', 1 << 9),
  }))
}

/** Topics whose settings change what is stored. */
export async function produceBySettings(dialogue: Dialogue): Promise<void> {
  const topics = {
    'append time': { 'message.timestamp.type': 'LogAppendTime' },
    compacted: { 'cleanup.policy': 'compact' },
    'compacted and deleted': { 'cleanup.policy': 'compact,delete' },
    'always gzip': { 'compression.type': 'gzip' },
    uncompressed: { 'compression.type': 'uncompressed' },
    'small messages': { 'max.message.bytes': '150' },
    'small segments': { 'segment.bytes': '1048576', 'max.message.bytes': '3000000' },
    'bounded past': { 'message.timestamp.before.max.ms': '60000' },
    'bounded future': { 'message.timestamp.after.max.ms': '60000' },
    'two in-sync replicas': { 'min.insync.replicas': '2' },
  }
  const sent: Record<string, () => Uint8Array> = {
    keyed: () => batch(),
    'some without a key': () => batch({}, [{ key: 'a', value: 'a' }, { value: 'b' }, { value: 'c' }]),
    'some without a key, lz4': () => batch({ codec: 'lz4' }, [{ key: 'a', value: 'a' }, { value: 'b' }]),
    'a tombstone': () => batch({}, [{ key: 'a', value: null }]),
    'five hundred bytes': () => batch({}, [{ key: 'a', value: 'x'.repeat(500) }]),
    'two million bytes': () => batch({}, [{ key: 'a', value: 'x'.repeat(2_000_000) }]),
    'a distant future': () => batch({ timestamp: 4_000_000_000_000 }),
    'a distant future, gzip': () => batch({ timestamp: 4_000_000_000_000, codec: 'gzip' }),
    'one of two in a distant future': () =>
      batch({}, [
        { key: 'a', timestamp: longAgo },
        { key: 'b', timestamp: 4_000_000_000_000 },
      ]),
    'no time': () => batch({ timestamp: -1 }),
    'no key and a distant future': () => batch({ timestamp: 4_000_000_000_000 }, [{ value: 'a' }]),
    'no key, then a distant future': () => batch({}, [{ value: 'a' }, { key: 'b', timestamp: 4_000_000_000_000 }]),
    'claims append time': () => batch({ timestampType: 'LogAppendTime' }),
    'claims append time and has no key': () => batch({ timestampType: 'LogAppendTime' }, [{ value: 'a' }]),
    'zstd, and too early': () => batch({ codec: 'zstd' }),
    'gaps in compressed offsets': () =>
      withField(
        batch({ codec: 'gzip' }, [
          { key: 'a', offsetDelta: 0 },
          { key: 'b', offsetDelta: 5 },
        ]),
        'lastOffsetDelta',
        1,
      ),
    'a batch that lies about its greatest time': () => withField(batch(), 'maxTimestamp', 4_000_000_000_000),
  }
  for (const [stem, configs] of Object.entries(topics)) {
    const name = dialogue.name(stem.replaceAll(/\W/g, '-'))
    const topicId = await dialogue.topic(name, configs)
    for (const [what, bytes] of Object.entries(sent)) {
      await eachStored(dialogue, `${stem}, ${what}`, () => ({ name, topicId, records: bytes() }), [7, 8])
    }
    await eachStored(dialogue, `${stem}, acks 1`, () => ({ name, topicId, acks: 1, records: batch() }), [8, 8])
  }
}

/** Each refusal; where two rules are broken the answer shows which comes first. */
export async function produceBadly(dialogue: Dialogue): Promise<void> {
  const name = dialogue.name('orders')
  const topicId = await dialogue.topic(name, {}, 1)
  const unknown = { name: dialogue.name('nowhere'), topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' }
  const ask = (what: string, send: Partial<Omit<Send, 'records'>> & { readonly records: () => Uint8Array }) =>
    eachStored(dialogue, what, () => ({ name, topicId, ...send, records: send.records() }))
  const good = () => batch()
  const bad = (codec?: 'gzip') => withField(batch(codec ? { codec } : {}), 'crc', 12345)

  await ask('unknown topic', { ...unknown, records: good })
  await ask('no topic', { name: '', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', records: good })
  await ask('bad topic name', { name: 'no/such', records: good })
  await ask('unknown partition', { index: 7, records: good })
  await ask('negative partition', { index: -1, records: good })
  // Null in place of records is not asked for: Kafka 4.3.1 throws a NullPointerException and never answers.
  await ask('empty records', { records: () => new Uint8Array(0) })
  await ask('three bytes', { records: () => new Uint8Array(3) })
  await ask('sixteen bytes', { records: () => new Uint8Array(16) })
  await ask('magic 0', { records: () => oldMessageSet(0) })
  await ask('magic 1', { records: () => oldMessageSet(1) })
  await ask('magic 3', { records: () => withField(batch(), 'magic', 3) })
  await ask('magic -1', { records: () => withField(batch(), 'magic', 255) })
  await ask('two batches', { records: () => Buffer.concat([batch(), batch()]) })
  await ask('two batches, the second of magic 1', { records: () => Buffer.concat([batch(), oldMessageSet(1)]) })
  await ask('a batch and half of one', { records: () => Buffer.concat([batch(), batch().subarray(0, 40)]) })
  await ask('half a batch', { records: () => batch().subarray(0, 50) })
  await ask('a length of zero', { records: () => withField(batch(), 'batchLength', 0) })
  await ask('a length of 14', { records: () => withField(batch(), 'batchLength', 14) })
  await ask('a length of 30', { records: () => withField(batch(), 'batchLength', 30) })
  await ask('a negative length', { records: () => withField(batch(), 'batchLength', -5) })
  await ask('a wrong checksum', { records: () => bad() })
  await ask('a base offset', { records: () => withField(batch(), 'baseOffset', 5) })
  await ask('too large', { records: () => batch({}, [{ value: 'x'.repeat(1_100_000) }]) })
  await ask('a count of zero', { records: () => withField(batch(), 'recordsCount', 0) })
  await ask('a count of -1', { records: () => withField(batch(), 'recordsCount', -1) })
  await ask('no records at all', { records: () => withField(batch({}, []), 'lastOffsetDelta', -1) })
  await ask('no records, last offset 0', { records: () => withField(batch({}, []), 'lastOffsetDelta', 0) })
  await ask('a count too large', { records: () => withField(batch(), 'recordsCount', 3) })
  await ask('more records than counted', {
    records: () => withField(withField(batch(), 'recordsCount', 1), 'lastOffsetDelta', 0),
  })
  await ask('fewer records than counted', {
    records: () => withField(withField(batch(), 'recordsCount', 3), 'lastOffsetDelta', 2),
  })
  await ask('a last offset that does not fit', { records: () => withField(batch(), 'lastOffsetDelta', 5) })
  await ask('a control batch', { records: () => batch({ control: true }) })
  await ask('claims append time', { records: () => batch({ timestampType: 'LogAppendTime' }) })
  await ask('a far future', { records: () => batch({ timestamp: 4_000_000_000_000 }) })
  await ask('a time of -2', { records: () => batch({ timestamp: -2 }) })
  await ask('zstd', { records: () => batch({ codec: 'zstd' }) })
  await ask('codec 5', { records: () => withField(batch(), 'attributes', 5) })
  await ask('codec 7', { records: () => withField(batch(), 'attributes', 7) })
  await ask('not what the codec says', { records: () => withField(batch(), 'attributes', codecIds.gzip) })
  await ask('a sequence of -1 with a producer', { records: () => batch({ producerId: 1_000_000, producerEpoch: 0 }) })
  await ask('an epoch of -1 with a producer', { records: () => batch({ producerId: 1_000_001, baseSequence: 0 }) })
  await ask('transactional without a transactional id', {
    records: () => batch({ transactional: true, producerId: 1, producerEpoch: 0, baseSequence: 0 }),
  })
  for (const acks of [2, -2, 127]) await ask(`acks ${acks}`, { acks, records: good })

  // Two rules at a time.
  await ask('unknown topic, acks 2', { ...unknown, acks: 2, records: good })
  await ask('unknown partition, two batches', { index: 7, records: () => Buffer.concat([batch(), batch()]) })
  await ask('two batches, acks 2', { acks: 2, records: () => Buffer.concat([batch(), batch()]) })
  await ask('a wrong checksum, acks 2', { acks: 2, records: () => bad() })
  await ask('a base offset and a wrong checksum', {
    records: () => withField(withField(batch(), 'baseOffset', 5), 'crc', 1),
  })
  await ask('a base offset and too large', {
    records: () => withField(batch({}, [{ value: 'x'.repeat(1_100_000) }]), 'baseOffset', 5),
  })
  await ask('too large and a wrong checksum', {
    records: () => withField(batch({}, [{ value: 'x'.repeat(1_100_000) }]), 'crc', 5),
  })
  await ask('a wrong checksum and a count of zero', {
    records: () => withField(withField(batch(), 'recordsCount', 0), 'crc', 1),
  })
  await ask('a count of zero in a control batch', {
    records: () => withField(batch({ control: true }), 'recordsCount', 0),
  })
  await ask('a control batch, no sequence', {
    records: () => batch({ control: true, producerId: 5, producerEpoch: 0 }),
  })
  await ask('append time and a far future', {
    records: () => batch({ timestampType: 'LogAppendTime', timestamp: 4_000_000_000_000 }),
  })
  await ask('zstd and a wrong checksum', { records: () => withField(batch({ codec: 'zstd' }), 'crc', 1) })
  await ask('zstd to an unknown partition', { index: 9, records: () => batch({ codec: 'zstd' }) })
  await ask('zstd and acks 2', { acks: 2, records: () => batch({ codec: 'zstd' }) })
  await ask('nothing was stored but what is right', { records: good })

  for (const [what, send] of Object.entries({
    'acks 0, well': { records: good() },
    'acks 0, a wrong checksum': { records: bad() },
    'acks 0, unknown topic': { ...unknown, records: good() },
  })) {
    await dialogue.inEach(rangeOf(produce), async (version) => {
      const peer = await dialogue.connection()
      peer.tell(produce, version, request(version, { name, topicId, acks: 0, ...send }))
      const next = await peer.ask(apiVersions, 0, {})
      dialogue.note(what, version, next === closed ? closed : 'the next request is answered')
      peer.close()
    })
  }
}

/** Several topics and partitions in one request. */
export async function produceTogether(dialogue: Dialogue): Promise<void> {
  await dialogue.inEach(rangeOf(produce), async (version) => {
    const [one, other] = [dialogue.name('one', version), dialogue.name('other', version)]
    const ids = new Map([
      [one, await dialogue.topic(one, {}, 2)],
      [other, await dialogue.topic(other, {}, 1)],
    ])
    const topic = (name: string, partitionData: { index: number; records: Uint8Array[] | null }[]) =>
      version >= 13 ? { topicId: ids.get(name)!, partitionData } : { name, partitionData }
    const send = (what: string, topicData: ReturnType<typeof topic>[]) =>
      dialogue.step(what, produce, version, { acks: -1, timeoutMs: 5_000, topicData })
    await send('some good, some bad', [
      topic(one, [
        { index: 0, records: [batch()] },
        { index: 1, records: [withField(batch(), 'crc', 1)] },
        { index: 2, records: [batch()] },
      ]),
      topic(other, [{ index: 0, records: [batch({}, keyed(5))] }]),
    ])
    await send('the same partition twice', [
      topic(one, [
        { index: 0, records: [batch()] },
        { index: 0, records: [batch({}, keyed(3))] },
      ]),
    ])
    await send('the same topic twice', [
      topic(one, [{ index: 0, records: [batch()] }]),
      topic(one, [{ index: 1, records: [batch()] }]),
    ])
    await send('no topics', [])
    await send('no partitions', [topic(one, [])])
    await send('the last offset', [topic(one, [{ index: 0, records: [batch()] }])])
  })
}
