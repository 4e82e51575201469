import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ErrorCode } from '../protocol/error-code.ts'
import { changedConfigs, type ConfigEdit, sameConfigs } from './config-change.ts'

const policy = 'cleanup.policy'
const throttled = 'leader.replication.throttled.replicas'

function edited(current: Record<string, string>, ...edits: ConfigEdit[]): Record<string, string> {
  const changed = changedConfigs(new Map(Object.entries(current)), { kind: 'edit', edits })
  assert.ok(!('ok' in changed))
  return Object.fromEntries(changed)
}

describe('a list', () => {
  for (const { what, kind, name = policy, current, value, result } of [
    { what: 'gets an item at its end', kind: 'append', current: 'compact', value: 'delete', result: 'compact,delete' },
    { what: 'keeps an item it has', kind: 'append', current: 'delete', value: 'delete', result: 'delete' },
    { what: 'that was never set begins with the default', kind: 'append', value: 'compact', result: 'delete,compact' },
    { what: 'that is empty gets its first item', kind: 'append', current: '', value: 'compact', result: 'compact' },
    { what: 'without default begins empty', kind: 'append', name: throttled, value: '0:1,1:1', result: '0:1,1:1' },
    { what: 'loses an item', kind: 'subtract', current: 'compact,delete', value: 'compact', result: 'delete' },
    { what: 'loses its last item', kind: 'subtract', value: 'delete', result: '' },
    { what: 'loses nothing it has not', kind: 'subtract', current: 'delete', value: 'compact,x', result: 'delete' },
    { what: 'loses one of equal items', kind: 'subtract', current: 'a,a', value: 'a', result: 'a' },
    { what: 'gets nothing from commas', kind: 'append', current: 'delete', value: ',,', result: 'delete' },
    { what: 'gets an item although commas follow', kind: 'append', current: 'a', value: 'b,,', result: 'a,b' },
    { what: 'gets an empty item from the empty text', kind: 'append', current: 'a', value: '', result: 'a,' },
    { what: 'takes spaces for a part of the item', kind: 'append', current: 'a', value: ' a', result: 'a, a' },
  ] as const) {
    test(what, () => {
      const before: Record<string, string> = current === undefined ? {} : { [name]: current }
      assert.deepEqual(edited(before, { kind, name, value }), { [name]: result })
    })
  }

  for (const name of ['retention.ms', 'no.such.config']) {
    test(`is not what ${name} is`, () => {
      const change = { kind: 'edit', edits: [{ kind: 'subtract', name, value: '1' }] } as const
      const refused = changedConfigs(new Map(), change)
      assert.ok('ok' in refused)
      assert.equal(refused.error, ErrorCode.INVALID_CONFIG)
    })
  }
})

test('configs are set and deleted, the others stay', () => {
  assert.deepEqual(
    edited(
      { a: '1', b: '2' },
      { kind: 'set', name: 'c', value: '3' },
      { kind: 'delete', name: 'a' },
      { kind: 'delete', name: 'x' },
    ),
    { b: '2', c: '3' },
  )
})

test('configs are the same whatever their order', () => {
  const configs = new Map([
    ['a', '1'],
    ['b', '2'],
  ])
  assert.ok(sameConfigs(configs, new Map([...configs].toReversed())))
  assert.ok(!sameConfigs(configs, new Map([['a', '1']])))
  assert.ok(!sameConfigs(configs, new Map([...configs, ['b', '3']])))
})
