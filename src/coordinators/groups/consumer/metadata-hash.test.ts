import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUuid } from '../../../lib/uuid.ts'
import { xxh3 } from '../../../lib/xxh3.ts'
import { SimulatedTopics } from '../topics-view.sim.ts'
import { topicHash, TopicHashes } from './metadata-hash.ts'

/** Java's `new Uuid(1, -2)`. */
const id = encodeUuid(Buffer.from('0000000000000001fffffffffffffffe', 'hex'))

test('a topic has the hash that Kafka gives it', () => {
  const racksOf = (partition: number) => (partition === 0 ? ['a'] : [])
  // Of the same stream of values, by hash4j 0.22.0.
  assert.equal(topicHash({ name: 'ördersa', id, partitionCount: 2, racksOf }).toString(16), '5e867b1b8bd106ab')
})

test('the order of racks does not count, which partition they belong to does', () => {
  const hash = (racks: readonly (readonly string[])[]) =>
    topicHash({ name: 't', id, partitionCount: racks.length, racksOf: (partition) => racks[partition]! })
  assert.equal(hash([['b', 'a'], []]), hash([['a', 'b'], []]))
  assert.notEqual(hash([['a'], []]), hash([[], ['a']]))
  assert.notEqual(hash([['a', 'b']]), hash([['ab']]))
})

test('a group hashes the topics that exist, in the order of their names, as a signed number', () => {
  const topics = new SimulatedTopics()
  const hashes = new TopicHashes(topics)
  assert.equal(hashes.of(['a', 'b']), 0n)
  topics.set('b', 1)
  topics.set('a', 1)
  const bytes = Buffer.alloc(16)
  bytes.writeBigUInt64LE(topicHash(topics.byName('a')!), 0)
  bytes.writeBigUInt64LE(topicHash(topics.byName('b')!), 8)
  assert.equal(hashes.of(['b', 'missing', 'a']), BigInt.asIntN(64, xxh3(bytes)))
})

test('a topic is hashed again only when it is said to have changed', () => {
  const topics = new SimulatedTopics()
  topics.set('a', 1)
  const hashes = new TopicHashes(topics)
  const before = hashes.of(['a'])
  topics.set('a', 2)
  assert.equal(hashes.of(['a']), before)
  hashes.changed(['a'])
  assert.notEqual(hashes.of(['a']), before)
})
