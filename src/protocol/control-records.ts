// The records of control batches. The key says what the batch marks; the value of an end-of-transaction marker, which
// coordinator wrote it (KIP-98). Readers skip types they do not know.

import { int16, int32, versioned } from './schema/index.ts'
import type { DecodedOf } from './schema/index.ts'

export const ControlRecordType = { ABORT: 0, COMMIT: 1 } as const
export type ControlRecordType = (typeof ControlRecordType)[keyof typeof ControlRecordType]

/** The key of every control record. */
export const controlRecordKey = versioned({ versions: [0, 0], fields: { type: int16 } })

/** The value of a commit or abort marker. */
export const endTxnMarker = versioned({ versions: [0, 0], fields: { coordinatorEpoch: int32 } })

export type EndTxnMarker = DecodedOf<typeof endTxnMarker>
