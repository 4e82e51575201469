import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type Child, startChild } from './child-process.ts'

const door = JSON.stringify(new URL('child-process.ts', import.meta.url).href)

interface Started {
  readonly child: Child
  readonly lines: string[]
  readonly messages: unknown[]
  readonly next: () => Promise<unknown>
}

/** `text`: what the child does with its `channel`. */
async function started(t: TestContext, text: string): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-child-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const program = join(folder, 'child.ts')
  await writeFile(program, `import { parentChannel } from ${door}\nconst channel = parentChannel()!\n${text}`)
  const lines: string[] = []
  const messages: unknown[] = []
  let wake = (): void => {}
  const child = startChild({ program, nodeFlags: ['--no-opt'], args: ['one'], onLine: (line) => lines.push(line) })
  t.after(() => child.kill('SIGKILL'))
  child.channel.onMessage = (message) => {
    messages.push(message)
    wake()
  }
  const next = async (): Promise<unknown> => {
    if (messages.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    return messages.shift()
  }
  return { child, lines, messages, next }
}

test('messages go both ways with their bytes, and lines come as they are written', async (t) => {
  const { child, lines, next } = await started(
    t,
    `channel.onMessage = (message) => { channel.post(message); channel.close() }
     console.log('said', process.argv[2], ...process.execArgv); process.stderr.write('unfinished')`,
  )
  let closed = 0
  child.channel.onClose = () => closed++
  child.channel.post({ bytes: Buffer.from([1, 2]), at: 3n })
  const echoed = (await next()) as { bytes: Uint8Array; at: bigint }
  assert.deepEqual([[...echoed.bytes], echoed.at], [[1, 2], 3n])
  assert.deepEqual(await child.ended, { code: 0, signal: null })
  assert.deepEqual([lines.toSorted(), closed], [['said one --no-opt', 'unfinished'], 1])
  child.channel.post('nothing happens')
})

test('a child hears that its parent has closed the channel', async (t) => {
  const { child, next } = await started(t, `channel.onClose = () => process.exit(7)\nchannel.post('up')`)
  assert.equal(await next(), 'up')
  child.channel.close()
  assert.deepEqual(await child.ended, { code: 7, signal: null })
})

test('the end of a child that is killed is told with the signal', async (t) => {
  const { child, next } = await started(t, `channel.onMessage = () => {}\nchannel.post('up')`)
  let closed = false
  child.channel.onClose = () => (closed = true)
  await next()
  child.kill('SIGKILL')
  assert.deepEqual(await child.ended, { code: null, signal: 'SIGKILL' })
  assert.equal(closed, true)
})

test('a program that is not there ends with an error that is said', async () => {
  const lines: string[] = []
  const child = startChild({
    program: '/nowhere/at/all.ts',
    nodeFlags: [],
    args: [],
    onLine: (line) => lines.push(line),
  })
  assert.notEqual((await child.ended).code, 0)
  assert.match(lines.join('\n'), /Cannot find module/)
})
