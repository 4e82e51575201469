// What an administrator hears when there is no room to write a change down.

import { ErrorCode } from '../protocol/error-code.ts'
import { StoreFull } from './meta-store.ts'
import { refuse, type TopicRefusal } from './topic-rules.ts'

/** As `work`, which changes nothing when the store is full: that is a refusal. */
export async function refusedWhenFull<T>(work: Promise<T>): Promise<T | TopicRefusal> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof StoreFull)) throw error
    return refuse(ErrorCode.KAFKA_STORAGE_ERROR, 'The disk of the broker is full: try again when there is room.')
  }
}
