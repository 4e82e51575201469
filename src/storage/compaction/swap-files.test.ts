import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../../io/disk.memory.ts'
import { buildBatch } from '../../records/batch-builder.ts'
import { fileNameOf } from '../segment-names.ts'
import { CorruptLogError } from '../log-errors.ts'
import { settleSwaps } from './swap-files.ts'

/** `0.log.swap: 0-4` is a log file with one batch of these offsets, `0.index` a file that says its name. */
const cases: { title: string; files: readonly string[]; left: readonly string[] }[] = [
  {
    title: 'a cleaning that did not end is taken back',
    files: ['0.log: 0-9', '0.index', '10.log: 10-19', '0.log.cleaned: 0-9', '0.index.cleaned', '0.txnindex.cleaned'],
    left: ['0.log: 0-9', '0.index', '10.log: 10-19'],
  },
  {
    title: 'a swap that was not announced whole is none',
    files: ['0.log: 0-9', '0.index', '0.txnindex', '0.log.swap: 0-9', '0.txnindex.swap', '0.index.cleaned'],
    left: ['0.log: 0-9', '0.index', '0.txnindex'],
  },
  {
    title: 'a swap that was announced is done',
    files: [
      '0.log: 0-9',
      '0.index',
      '0.txnindex',
      '10.log: 10-19',
      '10.index',
      '20.log: 20-29',
      '0.log.swap: 3-15',
      '0.index.swap',
    ],
    left: ['0.log: 3-15', '0.index.swap', '20.log: 20-29'],
  },
  {
    title: 'replaced segments behind the last batch that was left stay, and are cleaned another time',
    files: ['0.log: 0-9', '10.log: 10-19', '20.log: 20-29', '0.log.swap: 3-5', '0.timeindex.swap'],
    left: ['0.log: 3-5', '0.timeindex.swap', '10.log: 10-19', '20.log: 20-29'],
  },
  {
    title: 'a new segment without records takes the place of the first it stands for',
    files: ['0.log: 0-9', '0.index', '10.log: 10-19', '0.log.swap', '0.index.swap'],
    left: ['0.log.swap', '0.index.swap', '10.log: 10-19'],
  },
  {
    title: 'indexes follow a log that has its name already',
    files: ['0.log: 3-5', '0.index.swap', '0.txnindex.swap', '10.log: 10-19'],
    left: ['0.log: 3-5', '0.index.swap', '0.txnindex.swap', '10.log: 10-19'],
  },
  {
    title: 'a swap below a cleaning that did not end is done',
    files: ['0.log: 0-9', '0.log.swap: 0-5', '10.log: 10-19', '10.log.cleaned: 10-12', '10.index.cleaned'],
    left: ['0.log: 0-5', '10.log: 10-19'],
  },
  {
    title: "Kafka's split of a segment, two for one, is done",
    files: ['0.log: 0-9', '0.index', '0.log.swap: 0-4', '5.log.swap: 5-9', '5.index.swap', '10.log: 10-19'],
    left: ['0.log: 0-4', '5.log: 5-9', '5.index.swap', '10.log: 10-19'],
  },
  {
    title: 'other files are left alone',
    files: [
      '0.log: 0-9',
      '0.log.swap: 0-4',
      '0.snapshot',
      '5.snapshot',
      'leader-epoch-checkpoint',
      'notes.swap',
      'x.cleaned',
    ],
    left: ['0.log: 0-4', '0.snapshot', '5.snapshot', 'leader-epoch-checkpoint', 'notes.swap', 'x.cleaned'],
  },
]

function nameOf(text: string): string {
  const match = /^(\d+)(\..+)$/.exec(text)
  return match === null ? text : fileNameOf(Number(match[1]), match[2]!)
}

/** A file's content says what it was made as. */
function contentOf(file: string): Uint8Array {
  const [name, offsets] = file.split(': ')
  if (offsets === undefined) return name!.includes('.log') ? Buffer.alloc(0) : Buffer.from(name!)
  const [baseOffset, lastOffset] = offsets.split('-').map(Number)
  const lastOffsetDelta = lastOffset! - baseOffset!
  return buildBatch([{ key: 'k', value: 'v', offsetDelta: lastOffsetDelta }], {
    baseOffset: baseOffset!,
    lastOffsetDelta,
  })
}

async function folderOf(files: readonly string[]): Promise<MemoryDisk> {
  const disk = new MemoryDisk()
  await disk.makeFolder('log')
  for (const file of files) await disk.replaceFile(`log/${nameOf(file.split(': ')[0]!)}`, contentOf(file))
  return disk
}

async function settle(disk: MemoryDisk): Promise<void> {
  await settleSwaps(
    disk,
    'log',
    (await disk.list('log')).map(({ name }) => name),
  )
}

for (const { title, files, left } of cases) {
  test(title, async () => {
    const disk = await folderOf(files)
    await settle(disk)
    const expected = new Map(
      left.map((file) => {
        const name = nameOf(file.split(': ')[0]!)
        const settled = /^\d/.test(file) ? name.replace(/\.swap$/, '') : name
        return [settled, Buffer.from(contentOf(file)).toString('hex')] as const
      }),
    )
    const found = new Map<string, string>()
    for (const { name } of await disk.list('log')) {
      found.set(name, Buffer.from((await disk.readFile(`log/${name}`))!).toString('hex'))
    }
    assert.deepEqual(
      Object.fromEntries(found),
      Object.fromEntries([...expected].toSorted(([one], [other]) => (one < other ? -1 : 1))),
    )
  })
}

test('a swap whose batches are damaged is not done, and nothing is lost', async () => {
  const files = ['0.log: 0-9', '0.index', '0.log.swap: 3-5']
  const disk = await folderOf(files)
  const path = `log/${nameOf('0.log.swap')}`
  const bytes = Buffer.from((await disk.readFile(path))!)
  bytes[bytes.length - 2]! ^= 1
  await disk.replaceFile(path, bytes)
  await assert.rejects(settle(disk), CorruptLogError)
  assert.equal((await disk.list('log')).length, 3)
})
