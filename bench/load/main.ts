// The load generator: a command as one line of JSON in, its events as lines out (load.ts), one command at a time, until the input ends.

import { createInterface } from 'node:readline'
import { drain, produceAndConsume } from './consume.ts'
import { endToEnd } from './end-to-end.ts'
import { firstRecord } from './first-record.ts'
import type { LoadCommand, LoadEvent, LoadResult } from './load.ts'
import { manyConnections } from './many-connections.ts'
import { Measurement } from './measurement.ts'
import { fill, produce } from './produce.ts'
import { createTopic, deleteTopic } from './topics.ts'

async function done(command: LoadCommand, measurement: Measurement): Promise<LoadResult> {
  switch (command.kind) {
    case 'createTopic':
      await createTopic(command)
      return measurement.result()
    case 'deleteTopic':
      await deleteTopic(command)
      return measurement.result()
    case 'fill':
      return fill(command, measurement)
    case 'produce':
      return produce(command, measurement)
    case 'drain':
      return drain(command, measurement)
    case 'produceAndConsume':
      return produceAndConsume(command, measurement)
    case 'endToEnd':
      return endToEnd(command, measurement)
    case 'manyConnections':
      return manyConnections(command, measurement)
    case 'firstRecord':
      return firstRecord(command, measurement)
  }
}

function emit(event: LoadEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

for await (const line of createInterface({ input: process.stdin })) {
  const measurement = new Measurement(emit)
  try {
    emit({ event: 'result', result: await done(JSON.parse(line) as LoadCommand, measurement) })
  } catch (error) {
    emit({ event: 'failed', message: (error as Error).message })
  } finally {
    measurement.close()
  }
}
