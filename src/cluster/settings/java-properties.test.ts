import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseProperties, PropertiesError } from './java-properties.ts'

for (const { what, text, expected } of [
  { what: 'key=value', text: 'a=1', expected: { a: '1' } },
  { what: 'key:value and key value', text: 'a:1\nb 2', expected: { a: '1', b: '2' } },
  { what: 'spaces around', text: '  a =  1 ', expected: { a: '1 ' } },
  { what: 'a separator in the value', text: 'a=b=c:d e', expected: { a: 'b=c:d e' } },
  { what: 'a space before the separator', text: 'a = b', expected: { a: 'b' } },
  { what: 'comments and blank lines', text: '# a=1\n! b=2\n\n  # c=3\nd=4', expected: { d: '4' } },
  { what: 'a comment sign in the value', text: 'a=1 # one', expected: { a: '1 # one' } },
  { what: 'a continued line', text: 'a=1,\\\n    2,\\\n    3\nb=4', expected: { a: '1,2,3', b: '4' } },
  { what: 'a continued line at the end', text: 'a=1\\', expected: { a: '1' } },
  { what: 'a comment sign in a continued line', text: 'a=1\\\n#2', expected: { a: '1#2' } },
  { what: 'a backslash at the end of a value', text: 'a=c:\\\\\nb=2', expected: { a: 'c:\\', b: '2' } },
  { what: 'escapes', text: 'a\\=b=\\t\\n\\u00e4\\x\\ ', expected: { 'a=b': '\t\näx ' } },
  { what: 'a key without a value', text: 'a\nb=', expected: { a: '', b: '' } },
  { what: 'the last of two', text: 'a=1\na=2', expected: { a: '2' } },
  { what: 'any end of line', text: 'a=1\r\nb=2\rc=3', expected: { a: '1', b: '2', c: '3' } },
]) {
  test(`properties: ${what}`, () => assert.deepEqual(Object.fromEntries(parseProperties(text)), expected))
}

test('a malformed unicode escape is refused', () => {
  assert.throws(() => parseProperties('a=\\u12'), PropertiesError)
})
