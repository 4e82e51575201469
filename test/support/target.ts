// The server that the client tests speak to. By default that is Odradek in a process of its own. With
// ODRADEK_TEST_BOOTSTRAP=host:port it is whatever listens there: the same tests run against Apache Kafka
// (scripts/kafka/start), which shows that they ask for what Kafka does and nothing else.

import { randomBytes } from 'node:crypto'
import { BrokerProcess } from './broker-process.ts'

export interface Target {
  /** host:port */
  readonly bootstrap: string
  stop(): Promise<void>
}

const foreign = process.env['ODRADEK_TEST_BOOTSTRAP']

/** For `skip` of a test about what only Odradek promises. */
export const onlyOdradek =
  foreign === undefined ? false : `about Odradek itself, not about the server at ${foreign} (ODRADEK_TEST_BOOTSTRAP)`

export async function startTarget(settings: Readonly<Record<string, string>> = {}): Promise<Target> {
  if (foreign !== undefined) return { bootstrap: foreign, stop: async () => {} }
  const broker = await BrokerProcess.start({ settings })
  return {
    bootstrap: broker.bootstrap,
    stop: async () => {
      await broker.stop()
    },
  }
}

/** A name no other test has, in this run or another: the target may outlive them. */
export function uniqueName(stem: string): string {
  return `${stem}-${randomBytes(4).toString('hex')}`
}
