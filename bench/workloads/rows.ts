// All that can be measured, in the order of the report.

import { connectionRows } from './connections.ts'
import { consumeRows } from './consume.ts'
import { latencyRows } from './latency.ts'
import { memoryRows } from './memory.ts'
import { mixedRows } from './mixed.ts'
import { moreBrokersRows } from './more-brokers.ts'
import { produceRows } from './produce.ts'
import { realClientRows } from './real-clients.ts'
import { restartRows } from './restart.ts'
import { startRows } from './start.ts'
import { threeBrokersRows } from './three-brokers.ts'
import type { Row } from './workload.ts'

export const rows: readonly Row[] = [
  ...produceRows,
  ...consumeRows,
  ...mixedRows,
  ...latencyRows,
  ...connectionRows,
  ...startRows,
  ...restartRows,
  ...memoryRows,
  ...threeBrokersRows,
  ...moreBrokersRows,
  ...realClientRows,
]
