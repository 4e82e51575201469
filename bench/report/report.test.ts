import assert from 'node:assert/strict'
import { test } from 'node:test'
import { markdown } from './markdown.ts'
import { digits } from './numbers.ts'
import { plot } from './plot.ts'
import type { RowResult, RunResult } from './result.ts'

function runOf(rows: RowResult[]): RunResult {
  return {
    startedAt: '2026-01-02T03:04:05.000Z',
    minutes: 50,
    rounds: 3,
    secondsPerRound: 2,
    machine: {
      cores: 2,
      processor: 'a processor',
      memoryGigabytes: 8,
      node: 'v24',
      kernel: '6.1',
      disk: { writes: 100 },
    },
    versions: { odradek: '1.0', kafka: '4.3.1' },
    rows,
  }
}

const met: RowResult = {
  id: 'ahead',
  section: 'produce',
  title: 'ahead & <well>',
  goals: [
    { figure: 'megabytesPerSecond', against: 'kafka', ratio: 1 },
    { figure: 'cpuSecondsPerGigabyte', against: 'kafka', ratio: 0.5 },
  ],
  samples: {
    odradek: [{ megabytesPerSecond: 200, cpuSecondsPerGigabyte: 2 }],
    kafka: [{ megabytesPerSecond: 100, cpuSecondsPerGigabyte: 8 }],
  },
}
const missed: RowResult = {
  id: 'behind',
  section: 'latency',
  title: 'behind',
  goals: [{ figure: 'p99Ms', against: 'kafka', ratio: 0.5 }],
  samples: { odradek: [{ p99Ms: 8 }], kafka: [{ p99Ms: 4 }] },
}
const failed: RowResult = {
  ...missed,
  id: 'failed',
  title: 'failed',
  samples: {},
  failures: { kafka: 'out of | memory\nagain' },
}

test('the report counts goals, and says each row with its verdict', () => {
  const text = markdown(runOf([met, missed, failed]))
  assert.match(text, /\*\*2 of 4 goals are met\*\*, 1 are not, 1 could not be measured/)
  assert.match(text, /\| ahead & <well> \| MB\/s \| 200 \| 100 \| – \| 2\.00 \| 2\.00 to 2\.00 \| ≥ 1 \| met \|/)
  assert.match(text, /\| {2}\| CPU s\/GB \| 2\.00 \| 8\.00 \| – \| 0\.25 \| 0\.25 to 0\.25 \| ≤ 0\.5 \| met \|/)
  assert.match(text, /## Not met\n\n.*\n.*\n\| latency: behind \| p99 ms .* \*\*NOT MET\*\* \|\n\n## Produce/)
  assert.match(text, /- failed, Kafka: out of \| memory again\n/)
})

test('in the plot twice as much and half of the time are both 2, and what is not met looks different', () => {
  const picture = plot(runOf([met, missed, failed]))
  assert.deepEqual(
    [...picture.matchAll(/>([\d.]+)×<\/text>\n?/g)].map(([, times]) => times).filter((each) => each!.includes('.')),
    [
      // The scale's own, above each of the two sections, begins at one half.
      '0.5',
      '2.00',
      '4.00',
      '0.5',
      '0.50',
    ],
  )
  // One of each stands in the legend.
  assert.equal(picture.match(/<rect class="met"/g)?.length, 3)
  assert.equal(picture.match(/<rect class="missed"/g)?.length, 2)
  assert.ok(picture.includes('ahead &amp; &lt;well&gt;'))
})

for (const [value, text] of [
  [0.0421, '0.042'],
  [1.234, '1.23'],
  [45.67, '45.7'],
  [789.4, '789'],
  [12_345, '12,345'],
  [undefined, '–'],
  [Number.NaN, '–'],
] as const) {
  test(`${value} is written ${text}`, () => assert.equal(digits(value), text))
}
