import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Column, table, wrapped } from './table.ts'

interface Row {
  readonly name: string
  readonly size: number
  readonly reads?: string
}

const columns: readonly Column<Row>[] = [
  { title: 'NAME', text: ({ name }) => name },
  { title: 'NOTE', text: () => '' },
  { title: 'SIZE', number: true, text: ({ size }) => String(size) },
  { title: 'READS', text: ({ reads }) => reads ?? '' },
]

test('a table has no column in which there is nothing', () => {
  assert.deepEqual(
    table(columns, [
      { name: 'longer', size: 5 },
      { name: 'b', size: 12_345 },
    ]),
    ['NAME     SIZE', 'longer      5', 'b       12345'],
  )
})

const long: readonly Row[] = [
  { name: 'a', size: 1, reads: 'orders 0, 5, 10, 15, 20, 25, 30' },
  { name: 'b', size: 2, reads: 'orders 1' },
]

test('a row that is too long for the terminal goes on below its last column', () => {
  assert.deepEqual(table(columns, long, { width: 36 }), [
    'NAME  SIZE  READS',
    'a        1  orders 0, 5, 10, 15, 20,',
    '            25, 30',
    'b        2  orders 1',
  ])
})

test('where there is little room below the last column, it goes on near the left', () => {
  assert.deepEqual(table(columns, long, { width: 30, indent: '  ' }).slice(1, 3), [
    '  a        1  orders 0, 5, 10,',
    '      15, 20, 25, 30',
  ])
})

test('rows that end with a number, or have no room for their last column, are left to the terminal', () => {
  assert.equal(table(columns.slice(0, 3), [{ name: 'abcdefgh', size: 1234 }], { width: 10 })[1], 'abcdefgh  1234')
  assert.equal(table(columns, long, { width: 10 })[1], 'a        1  orders 0, 5, 10, 15, 20, 25, 30')
})

test('long lines are broken at spaces, and what follows is set in', () => {
  assert.deepEqual(wrapped('  one two three fourfive six', 11, '    '), [
    '  one two',
    '    three',
    '    fourfive',
    '    six',
  ])
  assert.deepEqual(wrapped('averyveryverylongword', 5, '  '), ['averyveryverylongword'])
})
