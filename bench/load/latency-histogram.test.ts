import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LatencyHistogram } from './latency-histogram.ts'

test('a percentile is off by less than one per cent, from microseconds to minutes', () => {
  for (const unitMs of [0.002, 0.05, 1, 60]) {
    const latencies = new LatencyHistogram()
    for (let step = 10_000; step >= 1; step -= 1) latencies.record(step * unitMs)
    for (const share of [0.01, 0.5, 0.99, 0.999]) {
      const exactMs = share * 10_000 * unitMs
      const found = latencies.quantileMs(share)
      assert.ok(Math.abs(found / exactMs - 1) < 0.01, `${share} of ${unitMs}: ${found} instead of ${exactMs}`)
    }
  }
})

test('no percentile exceeds the greatest latency, which is exact', () => {
  const latencies = new LatencyHistogram()
  latencies.record(1.2345)
  assert.deepEqual(latencies.summary(), { p50Ms: 1.2345, p99Ms: 1.2345, p999Ms: 1.2345, maxMs: 1.2345 })
})

test('one slow answer in a thousand is p99.9 only when there are more of them', () => {
  const latencies = new LatencyHistogram()
  for (let count = 0; count < 999; count += 1) latencies.record(1)
  latencies.record(50)
  const { p999Ms, maxMs } = latencies.summary()
  assert.ok(p999Ms < 1.01)
  assert.equal(maxMs, 50)
  latencies.record(50)
  assert.ok(latencies.summary().p999Ms > 49)
})

test('latencies outside all buckets count in the first and the last', () => {
  const latencies = new LatencyHistogram()
  latencies.record(0)
  latencies.record(-0.5)
  latencies.record(1e9)
  assert.equal(latencies.count, 3)
  assert.ok(latencies.quantileMs(0.5) < 0.0011)
  assert.equal(latencies.summary().maxMs, 1e9)
})

test('of nothing, everything is 0', () => {
  assert.deepEqual(new LatencyHistogram().summary(), { p50Ms: 0, p99Ms: 0, p999Ms: 0, maxMs: 0 })
})
