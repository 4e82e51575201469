// What two brokers may choose freely - ids, times, ports, the words of a message - gives way to a placeholder, so that the rest of
// their answers can be compared. Equal ids get equal placeholders within one dialogue.

import { ZERO_UUID } from '../../src/lib/uuid.ts'
import {
  attributesOf,
  baseOffsetOf,
  baseSequenceOf,
  baseTimestampOf,
  computedCrcOf,
  crcOf,
  lastOffsetDeltaOf,
  leaderEpochOf,
  maxTimestampOf,
  producerEpochOf,
  producerIdOf,
  recordsCountOf,
} from '../../src/records/batch.ts'
import { batchesIn } from '../../src/records/batches-in.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** Arrays whose order means something; all others are sorted. */
const ordered = new Set(['records', 'recordErrors', 'synonyms', 'replicaNodes', 'isrNodes', 'brokers'])

const dayMs = 24 * 60 * 60 * 1000
/** As a broker makes up for a member of a KIP-848 group. */
const kafkaUuid = /^[A-Za-z0-9_-]{22}$/
const uuidInText = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/

interface Stored {
  readonly stored: { readonly end: number; readonly records: readonly Uint8Array[] | null }
}

export class Labels {
  readonly #port: number
  readonly #run: string
  readonly #now = Date.now()
  readonly #topics = new Map<string, string>()
  #labels = new Map<string, string>()

  /** `run` is part of every name that the scenarios make up. */
  constructor(port: number, run: string) {
    this.#port = port
    this.#run = run
  }

  /** Forgets which ids have been seen. */
  restart(): void {
    this.#labels = new Map()
  }

  /** `id` is shown by the name of its topic from here on. */
  nameTopic(id: string, name: string): void {
    this.#topics.set(id, `<${this.#text(name, '')}>`)
  }

  normalized(value: unknown, field = ''): Json {
    if (value === null || value === undefined || typeof value === 'boolean') return value ?? null
    if (typeof value === 'bigint') return Number(value)
    if (typeof value === 'number') return this.#number(value, field)
    if (typeof value === 'string') return this.#text(value, field)
    if (value instanceof Uint8Array) {
      return field === 'records' ? this.#batches(value) : this.#withoutRun(bytesAsText(value))
    }
    if (Array.isArray(value)) {
      if (field === 'records') return this.#batches(Buffer.concat(value as Uint8Array[]))
      const elements = value.map((element) => this.normalized(element, `${field}[]`))
      return ordered.has(field) ? elements : elements.toSorted(byText)
    }
    if (typeof value === 'object' && 'stored' in value) return this.#withStored(value as Stored)
    return Object.fromEntries(
      Object.entries(value)
        .filter(([name]) => name !== 'throttleTimeMs')
        .map(([name, one]) => [name, this.normalized(one, name)]),
    )
  }

  #number(value: number, field: string): Json {
    if (field === 'port' && value === this.#port) return '<port>'
    if ((field === 'totalBytes' || field === 'usableBytes') && value > 0) return '<bytes>'
    if (Math.abs(value - this.#now) < dayMs) return '<now>'
    if (field === 'sessionId' && value > 0) return '<session>'
    if (field === 'producerId' && value >= 0) return this.#label('producer', String(value))
    return value
  }

  #text(value: string, field: string): string {
    if (field === 'topicId')
      return value === ZERO_UUID ? '<none>' : (this.#topics.get(value) ?? this.#label('topic', value))
    if (field === 'clusterId') return '<cluster>'
    if (field === 'logDir' && value.startsWith('/')) return '<folder>'
    if (/message$/i.test(field) && value !== '') return '<text>'
    if (field === 'documentation') return '<text>'
    if (field === 'memberId' && kafkaUuid.test(value)) return this.#label('member', value)
    if (uuidInText.test(value)) return this.#label('member', value)
    return this.#withoutRun(value)
  }

  #withoutRun(text: string): string {
    return text.replaceAll(new RegExp(`[._]${this.#run}([._]v\\d+)?`, 'g'), '')
  }

  #label(kind: string, value: string): string {
    const key = `${kind} ${value}`
    let label = this.#labels.get(key)
    if (label === undefined) this.#labels.set(key, (label = `<${kind} ${this.#labels.size + 1}>`))
    return label
  }

  /** Stored batches, their offsets counted from `end`. */
  #withStored({ stored: { end, records }, ...answer }: Stored): Json {
    const normalized = this.normalized(answer) as { readonly [name: string]: Json }
    return records === null ? normalized : { ...normalized, stored: this.#batches(Buffer.concat(records), end) }
  }

  #batches(bytes: Uint8Array, from = 0): Json {
    const batches = [...batchesIn(bytes)].map((batch) => ({
      baseOffset: baseOffsetOf(batch) - from,
      size: batch.length,
      leaderEpoch: leaderEpochOf(batch),
      crc: crcOf(batch) === computedCrcOf(batch),
      attributes: attributesOf(batch),
      lastOffsetDelta: lastOffsetDeltaOf(batch),
      baseTimestamp: this.normalized(baseTimestampOf(batch)),
      maxTimestamp: this.normalized(maxTimestampOf(batch)),
      producerId: this.normalized(producerIdOf(batch), 'producerId'),
      producerEpoch: producerEpochOf(batch),
      baseSequence: baseSequenceOf(batch),
      recordsCount: recordsCountOf(batch),
    }))
    return batches
  }
}

function bytesAsText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

function byText(one: Json, other: Json): number {
  const [a, b] = [JSON.stringify(one), JSON.stringify(other)]
  return a < b ? -1 : a > b ? 1 : 0
}
