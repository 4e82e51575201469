import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DiskReport } from '../storage/disk/disk-report.ts'
import { bytesText, diskView, durationText, forecastText } from './disk-view.ts'

const GIB = 1024 ** 3
const nowMs = 1_800_000_000_000
const hour = 3_600_000

const report: DiskReport = {
  version: 1,
  writtenAtMs: nowMs - 3000,
  volume: { totalBytes: 500 * GIB, freeBytes: 100 * GIB },
  volumeFull: false,
  limits: {
    limitBytes: 64 * GIB,
    reservedBytes: 4 * GIB,
    startBytes: 54 * GIB,
    targetBytes: 52 * GIB,
    hardBytes: 57 * GIB,
  },
  usedBytes: 45 * GIB,
  internalBytes: GIB,
  removableBytes: 40 * GIB,
  rate: { minute: GIB / 3600, hour: 0 },
  topics: [
    {
      topic: 'orders',
      partitions: 12,
      segments: 40,
      bytes: 44 * GIB,
      oldestRecordMs: nowMs - 52 * hour,
      weight: 2,
      policy: 'delete',
      rate: { minute: GIB / 3600, hour: 0 },
    },
  ],
  smallerTopics: 0,
  next: [
    {
      log: 'orders-3',
      baseOffset: 100,
      endOffset: 200,
      bytes: GIB,
      newestRecordMs: nowMs - 50 * hour,
      weight: 2,
      active: false,
    },
  ],
}

test('the whole view', () => {
  assert.deepEqual(diskView(report, { folder: './data', nowMs, running: true, nextMax: 10 }), [
    './data: 45.0 GiB used, of a budget of 64.0 GiB',
    '  as of 3 s ago; a broker is running',
    '  topics    44.0 GiB; the oldest records go from 54.0 GiB on, appends are refused at 57.0 GiB',
    '  reserved  4.0 GiB, of which 1.0 GiB are used: metadata, offsets, transactions, the spare file',
    '  volume    100 GiB free of 500 GiB',
    'Forecast: the budget is full in 10 h at this rate (291 KiB/s)',
    '',
    'TOPIC       SIZE  PARTITIONS  SEGMENTS   OLDEST  WEIGHT  POLICY   LAST MIN  LAST H',
    'orders  44.0 GiB          12        40  2 d 4 h       2  delete  291 KiB/s   0 B/s',
    '',
    'What goes next when the budget is used up:',
    'LOG       OFFSETS        SIZE      AGE  WEIGHT',
    'orders-3  100 to 199  1.0 GiB  2 d 2 h       2',
  ])
})

const forecasts: { name: string; change: Partial<DiskReport>; answer: string }[] = [
  {
    name: 'a budget that is used up turns records over',
    change: { usedBytes: 55 * GIB },
    answer: 'the budget is full; at this rate (291 KiB/s) records live for 1 d 16 h',
  },
  {
    name: 'a budget with nothing to delete',
    change: { usedBytes: 57 * GIB, removableBytes: 0 },
    answer: 'the budget is full, and nothing that is there may be deleted: producers are refused',
  },
  {
    name: 'without a budget the volume is the bound',
    change: { limits: null },
    answer: 'the volume is full in 4 d 4 h at this rate (291 KiB/s)',
  },
  {
    name: 'a volume that has less room than the budget is the nearer bound',
    change: { volume: { totalBytes: 500 * GIB, freeBytes: 2 * GIB } },
    answer: 'the volume is full in 2 h at this rate (291 KiB/s)',
  },
  {
    name: 'a volume that is full',
    change: { volumeFull: true },
    answer: 'the volume is full: producers are refused until there is room',
  },
  { name: 'nobody writes', change: { rate: { minute: 0, hour: 0 } }, answer: 'nothing is appended' },
]

for (const { name, change, answer } of forecasts) {
  void test(`forecast: ${name}`, () => assert.equal(forecastText({ ...report, ...change }), answer))
}

test('bytes and spans of time are told by what says most', () => {
  assert.deepEqual([0, 1023, 1024, 1536, 150 * 1024].map(bytesText), ['0 B', '1023 B', '1.0 KiB', '1.5 KiB', '150 KiB'])
  assert.deepEqual([0, 999, 1000, 61_000, 7_200_000, 26 * hour, 400 * 24 * hour].map(durationText), [
    '0 s',
    '0 s',
    '1 s',
    '1 min 1 s',
    '2 h',
    '1 d 2 h',
    '1 y 35 d',
  ])
})
