// All that can be measured, in the order of the report.

import { connectionRows } from './connections.ts'
import { consumeRows } from './consume.ts'
import { latencyRows } from './latency.ts'
import { mixedRows } from './mixed.ts'
import { produceRows } from './produce.ts'
import type { Row } from './workload.ts'

export const rows: readonly Row[] = [...produceRows, ...consumeRows, ...mixedRows, ...latencyRows, ...connectionRows]
