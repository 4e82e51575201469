import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shownText } from './shown-text.ts'
import { topicDefinitions } from './topic-definitions.ts'

for (const [name, text, shown] of [
  ['max.message.bytes', ' +8000 ', '8000'],
  ['retention.ms', '-01', '-1'],
  ['retention.ms', '9223372036854775807', '9223372036854775807'],
  ['preallocate', ' TRUE ', 'true'],
  ['compression.type', ' gzip ', 'gzip'],
  ['cleanup.policy', 'delete, compact ,delete', 'delete,compact'],
  ['cleanup.policy', ' ', ''],
  ['leader.replication.throttled.replicas', '0:1, 1:1,0:1', '0:1,1:1,0:1'],
  ['min.cleanable.dirty.ratio', '0.50', '0.5'],
  ['min.cleanable.dirty.ratio', '1', '1.0'],
  ['min.cleanable.dirty.ratio', '0', '0.0'],
  ['min.cleanable.dirty.ratio', '0.00010', '1.0E-4'],
  ['min.cleanable.dirty.ratio', '0.00012', '1.2E-4'],
  ['max.message.bytes', ' many ', ' many '],
] as const) {
  test(`${name}='${text}' is shown as '${shown}'`, () => {
    assert.equal(shownText(topicDefinitions.get(name)!, text), shown)
  })
}
