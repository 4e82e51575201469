// The thread of a ticker: sleeps until the next tick, more exactly than the timers of an event loop, which count whole milliseconds.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads'

const { stepMs } = workerData as { readonly stepMs: number }
const port: MessagePort = parentPort!
const nobodyWakes = new Int32Array(new SharedArrayBuffer(4))
const start = process.hrtime.bigint()
const stepNanos = BigInt(Math.round(stepMs * 1_000_000))

port.postMessage(start)
for (let tick = start + stepNanos; ; tick += stepNanos) {
  for (let left = tick - process.hrtime.bigint(); left > 0n; left = tick - process.hrtime.bigint()) {
    Atomics.wait(nobodyWakes, 0, 0, Number(left) / 1_000_000)
  }
  port.postMessage(null)
}
