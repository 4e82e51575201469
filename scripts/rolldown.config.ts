// How the package is put together: the 450 modules of a broker in a few files, because finding, reading and linking that many is most of
// what a start costs, in time and in memory. Dependencies stay packages of their own.

import { join } from 'node:path'
import { defineConfig } from 'rolldown'
import manifest from '../package.json' with { type: 'json' }

const source = join(import.meta.dirname, '../src')

/**
 * What starts a life of its own. Processes and threads are found beside the module that starts them, and package.json two folders up from
 * where its version is read: so all that is not an entry of package.json lies in one folder of `dist`.
 */
const input = {
  'cli/main': 'cli/main.ts',
  'testkit/index': 'testkit/index.ts',
  'parts/supervised-broker': 'cli/supervised-broker.ts',
  'parts/cleaner-thread': 'storage/compaction/cleaner-thread.ts',
}

const installed = Object.keys(manifest.dependencies)

export default defineConfig({
  input: Object.fromEntries(Object.entries(input).map(([name, path]) => [name, join(source, path)])),
  platform: 'node',
  external: (id) => id.startsWith('node:') || installed.some((name) => id === name || id.startsWith(`${name}/`)),
  output: {
    dir: join(import.meta.dirname, '../dist'),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'parts/[name].js',
    // The names of classes stand in log lines.
    keepNames: true,
  },
})
