import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { test } from 'node:test'
import { edited } from './mutation.ts'
import { allMutations } from './mutations.ts'

const root = new URL('../../', import.meta.url)

test('an edit is made where its text stands once, and nowhere else', () => {
  const edit = { file: 'a.ts', find: 'old', replace: 'new' }
  assert.equal(edited('one old tree', edit), 'one new tree')
  assert.throws(() => edited('a young tree', edit), /does not hold/)
  assert.throws(() => edited('one old, old tree', edit), /twice/)
})

test('every mutation has a name of its own', () => {
  assert.equal(new Set(allMutations.map(({ name }) => name)).size, allMutations.length)
})

for (const { name, edits } of allMutations) {
  test(`the mistake ${name} can be planted in the source as it is`, () => {
    const sources = new Map<string, string>()
    for (const edit of edits) {
      const source = sources.get(edit.file) ?? readFileSync(new URL(edit.file, root), 'utf8')
      sources.set(edit.file, edited(source, edit))
    }
    for (const source of sources.values()) assert.doesNotThrow(() => stripTypeScriptTypes(source))
  })
}
