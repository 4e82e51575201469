// Where a measurement has its data: removed when this process ends, however it ends. What it started ends with it, too.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export function workingFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'odradek-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  // Without a listener a signal would end the process before anything can be removed, and leave brokers behind.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130))
  return folder
}
