// Why a client's batch is turned away: the domain's words, one for each error code at the edge.

export type BatchRefusal =
  /** INVALID_RECORD: the batch or one of its records is not well formed, or not allowed from a client. */
  | 'invalidRecord'
  /** CORRUPT_MESSAGE: too small for a header, or the checksum does not match. The client may try again. */
  | 'corruptMessage'
  /** MESSAGE_TOO_LARGE: over `max.message.bytes`, or over what may be unpacked. The client may split the batch. */
  | 'messageTooLarge'
  /** INVALID_TIMESTAMP: outside the topic's bounds, or claims to be an append time. */
  | 'invalidTimestamp'
  /** UNSUPPORTED_COMPRESSION_TYPE: zstd before Produce v7, or a codec number that means nothing. */
  | 'unsupportedCompressionType'

/** What is wrong with one record; `index` counts from 0 within the batch. From Produce v8 clients are told. */
export interface RecordError {
  readonly index: number
  readonly message: string
}

export interface RefusedBatch {
  readonly ok: false
  readonly refusal: BatchRefusal
  readonly message: string
  readonly recordErrors?: readonly RecordError[]
}

export function refuse(refusal: BatchRefusal, message: string, recordErrors?: readonly RecordError[]): RefusedBatch {
  return recordErrors === undefined ? { ok: false, refusal, message } : { ok: false, refusal, message, recordErrors }
}
