// For requests that ask something of many partitions: as many pieces of work side by side as may be, the rest in turn.

/** Runs every task, `atOnceMax` of them at the same time, begun in order. Rejects as soon as one does. */
export async function runAll(tasks: readonly (() => Promise<void>)[], atOnceMax: number): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < tasks.length) await tasks[next++]!()
  }
  await Promise.all(Array.from({ length: Math.min(atOnceMax, tasks.length) }, worker))
}
