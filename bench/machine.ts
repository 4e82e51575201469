// What the bench runs on, as the report says it.

import { cpus, release, totalmem } from 'node:os'
import type { RunResult } from './report/result.ts'

export function machine(disk: RunResult['machine']['disk']): RunResult['machine'] {
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGigabytes: Math.round(totalmem() / 1e9),
    node: process.version,
    kernel: release(),
    disk,
  }
}
