// Odradek as its users have it: the built program under Node.

import { execFileSync } from 'node:child_process'
import { globSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { freePortsInRow } from './free-ports.ts'
import type { Peer } from './peer.ts'
import { PeerProcesses } from './peer-processes.ts'

const thisTree = join(import.meta.dirname, '../..')

export interface OdradekOptions {
  /** Folder of the checkout whose broker it is: this one when absent. It must have its node_modules. */
  readonly tree?: string
}

export function odradek({ tree = thisTree }: OdradekOptions = {}): Peer {
  return {
    name: 'odradek',

    async version() {
      const { version } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8')) as { version: string }
      return `${version}${commitOf(tree)}`
    },

    async start({ data, brokers = 1, settings = [], profile }) {
      build(tree)
      const port = await freePortsInRow(brokers)
      const args = [...nodeFlagsOf(tree), 'dist/cli/main.js', 'start', '--port', String(port), '--data', data]
      if (brokers > 1) args.push('--brokers', String(brokers))
      for (const pair of ['group.initial.rebalance.delay.ms=0', ...settings]) args.push('--set', pair)
      // By the environment, so that it reaches each broker of several, too.
      const env: Record<string, string> = {}
      if (profile !== undefined) env.NODE_OPTIONS = `--cpu-prof --cpu-prof-dir=${profile}`
      return PeerProcesses.start({
        name: 'odradek',
        programs: [{ command: process.execPath, args, env, cwd: tree }],
        addresses: Array.from({ length: brokers }, (_, index) => `127.0.0.1:${port + index}`),
      })
    },

    topicConfigs: (durability) => ({ 'flush.policy': durability }),
  }
}

/** As its first line asks for them: what npm installs as a command is started by it. */
function nodeFlagsOf(tree: string): string[] {
  const [first = ''] = readFileSync(join(tree, 'dist/cli/main.js'), 'utf8').split('\n', 1)
  return first.split(' ').filter((word) => word.startsWith('--'))
}

/** Unless what is built is newer than all it is built from. */
function build(tree: string): void {
  if (modifiedAt(join(tree, 'dist/cli/main.js')) > newestSource(tree)) return
  try {
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: tree, stdio: ['ignore', 'inherit', 'inherit'] })
  } catch (error) {
    // What was built in spite of errors must not pass for the product next time.
    rmSync(join(tree, 'dist'), { recursive: true, force: true })
    throw new Error(`${tree} cannot be built`, { cause: error })
  }
}

function newestSource(tree: string): number {
  const sources = globSync('src/**/*.ts', { cwd: tree }).filter((path) => !/\.(test|sim|contract)\.ts$/.test(path))
  return Math.max(...sources.map((path) => modifiedAt(join(tree, path))))
}

/** Of a file that is not there: before everything. */
function modifiedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY
}

/** With a `+` when files that are under version control were changed since; nothing outside of a clone. */
function commitOf(tree: string): string {
  try {
    const describe = ['describe', '--always', '--dirty=+', '--exclude=*']
    return ` (${execFileSync('git', describe, { cwd: tree, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()})`
  } catch {
    return ''
  }
}
