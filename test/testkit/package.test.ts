// The package as it is published: built, packed, unpacked into a project of someone else's, and used there the way
// docs/testing-your-code.md says. Its dependencies are linked from here, so that nothing is downloaded.

import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { run } from '../support/processes.ts'

const root = join(import.meta.dirname, '../..')
const page = await readFile(join(root, 'docs/testing-your-code.md'), 'utf8')
const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { dependencies: object }
let project: string

interface Example {
  readonly title: string
  readonly files: ReadonlyMap<string, string>
  readonly command: string
}

/** The sections that hold a command: the files they name in their first line, and how they are run. */
function examplesIn(text: string): Example[] {
  return text.split(/^## /m).flatMap((section) => {
    const blocks = [...section.matchAll(/^```(js|sh)\n(.*?)^```$/gms)]
    const command = blocks.find(([, language]) => language === 'sh')?.[2]?.trim()
    if (command === undefined) return []
    const files = blocks.flatMap(([, language, body = '']) => {
      return language === 'js' ? [[/^\/\/ (\S+)\n/.exec(body)![1]!, body] as const] : []
    })
    return { title: section.slice(0, section.indexOf('\n')), files: new Map(files), command }
  })
}

async function link(name: string): Promise<void> {
  const place = join(project, 'node_modules', name)
  await mkdir(dirname(place), { recursive: true })
  await symlink(join(root, 'node_modules', name), place)
}

describe('the package as it is published', () => {
  before(async () => {
    project = await mkdtemp(join(tmpdir(), 'odradek-package-'))
    const packed = await run('npm', ['pack', '--json', '--pack-destination', project], { cwd: root })
    const { filename } = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('[\n')))[0] as { filename: string }
    await run('tar', ['-xzf', filename], { cwd: project })
    for (const name of Object.keys(manifest.dependencies)) await link(name)
    for (const name of ['kafkajs', 'vitest', 'jest', '@types/node', '.bin']) await link(name)
    await rename(join(project, 'package'), join(project, 'node_modules/odradek'))
    await writeFile(join(project, 'package.json'), '{ "private": true }')
  })
  after(() => rm(project, { recursive: true, force: true }))

  for (const { title, files, command } of examplesIn(page)) {
    test(`the example of the page runs: ${title}`, async () => {
      const folder = join(project, title.replaceAll(/\W+/g, '-'))
      await mkdir(folder)
      await symlink(join(project, 'node_modules'), join(folder, 'node_modules'))
      await writeFile(join(folder, 'package.json'), '{ "private": true }')
      for (const [name, text] of files) await writeFile(join(folder, name), text)
      // Inside a test of its own kind node:test would skip the files.
      const asTyped = ['-u', 'NODE_TEST_CONTEXT', 'sh', '-c', command]
      const finished = await run('env', asTyped, { cwd: folder, env: { CI: '1' } })
      assert.match(finished.stdout + finished.stderr, /pass 1\b|1 passed/)
    })
  }

  test('its types hold in a strict project', async () => {
    const options = { module: 'nodenext', target: 'es2022', types: ['node'], strict: true, noEmit: true }
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: ['use.ts'] }))
    await writeFile(
      join(project, 'use.ts'),
      `import { startBroker, startCluster, type EmbeddedBroker, type EmbeddedCluster } from 'odradek/testkit'
       const broker: EmbeddedBroker = await startBroker({ settings: { 'num.partitions': 3 } })
       const where: string = broker.bootstrapServers
       // @ts-expect-error: not an option
       await startBroker({ bootstrapServers: where })
       await broker.stop()
       const cluster: EmbeddedCluster = await startCluster({ brokers: 3, racks: ['a', 'b', 'c'] })
       const leader: number | null = cluster.leaderOf('orders', 0)
       if (leader !== null) await cluster.kill(leader)
       await cluster.stop()`,
    )
    await writeFile(join(project, 'package.json'), '{ "private": true, "type": "module" }')
    const finished = await run('tsc', ['-p', project], { anyCode: true })
    assert.equal(finished.stdout, '')
    assert.equal(finished.code, 0)
  })

  test('its command runs', async () => {
    const main = join(project, 'node_modules/odradek/dist/cli/main.js')
    const finished = await run(process.execPath, [main, 'start', '--help'])
    assert.match(finished.stdout, /odradek start \[options\]/)
  })

  test('it holds what a user needs and nothing of the tests', async () => {
    const packed = await run('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], { cwd: root })
    const [{ files }] = JSON.parse(packed.stdout) as [{ files: { path: string }[] }]
    const paths = files.map(({ path }) => path)
    for (const path of [
      'LICENSE',
      'NOTICE',
      'README.md',
      'CHANGELOG.md',
      'dist/cli/main.js',
      'dist/testkit/index.d.ts',
    ]) {
      assert.ok(paths.includes(path), path)
    }
    assert.deepEqual(
      paths.filter((path) => /\.(test|contract|sim)\.|^src\/|^test\//.test(path)),
      [],
    )
  })
})

test('the page has an example for each runner', () => {
  assert.deepEqual(
    examplesIn(page).map(({ title }) => title),
    [
      'node:test',
      'Vitest',
      'Jest',
      'Jest, one broker for the whole run',
      'A cluster, and what happens when a broker dies',
    ],
  )
})
