import assert from 'node:assert/strict'
import { test } from 'node:test'
import { xxh3 } from './xxh3.ts'

/** From hash4j 0.22.0, which Kafka uses: length, hash of the bytes 11, 48, 85 and so on. */
const cases = [
  [0, '2d06800538d394c2'],
  [1, '4a4139caf4136257'],
  [2, '571a2ebb238829bb'],
  [3, '505118c313121c0e'],
  [4, '3f6889ef166b4ad1'],
  [7, '21d5b4b6d43277e2'],
  [8, '93f1200f9be82671'],
  [9, '5b2fd4d97edcdae'],
  [15, 'c01ae71cb4542755'],
  [16, '2e4359e2a04a5e32'],
  [17, 'f60c53684bbc489d'],
  [32, '664864df0876efc6'],
  [33, 'aa998d6131d956aa'],
  [64, '8e7464ffdf82c775'],
  [65, '8e3ac0373892cc0a'],
  [96, 'dd8813a25295a5d5'],
  [97, 'ca141081637fc064'],
  [127, '8b855ef51727776b'],
  [128, '5c6ab7b5b2360539'],
  [129, '45fabbd183de7649'],
  [143, '69ebbf0a72c72440'],
  [144, '7ad0ea569cfac87b'],
  [200, '43ecce5b9e53d9db'],
  [239, 'a1e83bcb725e5fbd'],
  [240, 'c0796428068cd12e'],
  [241, '859dc8ab6dd85c7c'],
  [256, '2998c04a18028d12'],
  [511, '1597d5f6d366c99b'],
  [512, 'd02220e4b3bface7'],
  [1023, 'f35d4c7d308f7a40'],
  [1024, '7df7f049c0c1ad73'],
  [1025, '29adcfcac5492652'],
  [1088, 'b166cf327feec952'],
  [1089, '9343985b5f836c76'],
  [2048, 'f8c1eaac9b715dda'],
  [2049, '215115dee6e09597'],
  [5000, '3be1ff1b0768cfb2'],
] as const

for (const [length, hash] of cases) {
  test(`${length} bytes have the hash that other implementations give them`, () => {
    const bytes = Uint8Array.from({ length }, (_, at) => at * 37 + 11)
    assert.equal(xxh3(bytes).toString(16), hash)
    assert.equal(xxh3(new Uint8Array([9, 9, 9, ...bytes]).subarray(3)).toString(16), hash)
  })
}
