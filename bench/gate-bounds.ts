// What `npm run bench:gate` holds Odradek to: rows of the bench, and how much more processor time than the probe it may take. The bounds are
// generous, about twice what was measured when they were set: they are to catch what somebody did to the code, not what
// the machine does today. When the code gets cheaper, they are to be tightened.

import type { Figure } from './report/result.ts'

export interface Bound {
  /** Of the row. */
  readonly id: string
  /** Which cost counts: of a request where requests are small, of bytes where they are large. */
  readonly figure: Figure & ('cpuMicrosPerRequest' | 'cpuSecondsPerGigabyte')
  /** Odradek's cost over the probe's is at most this. */
  readonly ratio: number
  /** What Odradek does that the probe does not, so where to look first when the bound is broken. */
  readonly reason: string
}

export const bounds: readonly Bound[] = [
  {
    id: 'produce/1kb/single/1p/acks-all/none/page-cache',
    figure: 'cpuMicrosPerRequest',
    ratio: 3,
    reason: 'a request however small: decoding, dispatch, checks, promises, waiting for the high watermark',
  },
  {
    id: 'produce/1kb/16kib/1p/acks-all/none/page-cache',
    figure: 'cpuMicrosPerRequest',
    ratio: 3,
    reason: 'the same, the walk over the records of a batch, and system calls: reads of the socket, writes to the log',
  },
  {
    id: 'produce/1kb/16kib/16p/acks-all/none/page-cache',
    figure: 'cpuSecondsPerGigabyte',
    ratio: 2.5,
    reason: 'each partition of a request: its append, its write, its high watermark',
  },
  {
    id: 'produce/1kb/1mib/1p/acks-all/none/page-cache',
    figure: 'cpuSecondsPerGigabyte',
    ratio: 2,
    reason: 'bytes: copies while a frame is put together, fresh memory, the walk over a thousand records',
  },
  {
    id: 'produce/1kb/16kib/1p/acks-all/none/fsync',
    figure: 'cpuMicrosPerRequest',
    ratio: 2.5,
    reason: 'the disk is asked more often than once for all that has come meanwhile, or each request waits on its own',
  },
  {
    id: 'drain/1kb/16kib/1p/1c/none/memory',
    figure: 'cpuSecondsPerGigabyte',
    ratio: 3,
    reason: 'what is read goes through fresh memory, through another thread, or is copied between file and socket',
  },
  {
    id: 'drain/1kb/1mib/16p/8c/none/memory',
    figure: 'cpuSecondsPerGigabyte',
    ratio: 4,
    reason: 'the same, with several consumers and partitions',
  },
  {
    id: 'tail/1kb/16kib/1p/1c/page-cache',
    figure: 'cpuSecondsPerGigabyte',
    ratio: 3,
    reason: 'waking a consumer for each append, and what it then reads',
  },
  {
    id: 'connections/1000x10/16p/page-cache',
    figure: 'cpuMicrosPerRequest',
    ratio: 3,
    reason:
      'a request that comes alone: nothing is shared with the next one, neither a read nor a write nor a turn of the loop',
  },
]
