// What a connection asks for, and answers in the order of the requests.

import type { Socket } from 'node:net'
import { fetch } from '../../../src/protocol/apis/fetch.ts'
import { produce } from '../../../src/protocol/apis/produce.ts'
import { readInt16 } from '../../../src/records/big-endian.ts'
import { AnswerWriter } from './answer-writer.ts'
import { FetchAnswer, type FetchRequest, fetchVersion, readFetch } from './fetch.ts'
import type { PartitionFile } from './partition-file.ts'
import { append, produceVersion } from './produce.ts'
import type { FrameHandler } from './receiver.ts'
import type { Topics } from './topics.ts'

interface Turn {
  chunks: Uint8Array[]
  /** So much has yet to happen before it may leave. */
  waitsFor: number
  /** Called when the chunks were sent. */
  sent: (() => void) | undefined
}

/** Within one read of one connection all is done at once, so these serve all connections. */
const answer = new AnswerWriter()
const touched: PartitionFile[] = []

export class Connection implements FrameHandler {
  readonly #socket: Socket
  readonly #topics: Topics
  readonly #turns: Turn[] = []
  #producing = false

  constructor(socket: Socket, topics: Topics) {
    this.#socket = socket
    this.#topics = topics
  }

  onFrame(bytes: Uint8Array, at: number, end: number): void {
    const key = readInt16(bytes, at)
    const version = readInt16(bytes, at + 2)
    if (key === produce.key && version === produceVersion) {
      append(this.#topics, bytes, at, touched, answer)
      this.#producing = true
      return
    }
    this.#confirmProduced()
    if (key === fetch.key && version === fetchVersion) this.#fetch(readFetch(bytes, at))
    else this.#turns.push({ chunks: this.#topics.answer(bytes.subarray(at, end)), waitsFor: 0, sent: undefined })
  }

  onReadEnd(): void {
    this.#confirmProduced()
    this.#flush()
  }

  #confirmProduced(): void {
    if (!this.#producing) return
    this.#producing = false
    const turn: Turn = { chunks: answer.end > 0 ? [answer.take()] : [], waitsFor: touched.length, sent: undefined }
    this.#turns.push(turn)
    const confirmed = (): void => {
      turn.waitsFor -= 1
      if (turn.waitsFor === 0) this.#flush()
    }
    for (const partition of touched) partition.write(confirmed)
    touched.length = 0
  }

  #fetch(request: FetchRequest): void {
    const turn: Turn = { chunks: [], waitsFor: 1, sent: undefined }
    this.#turns.push(turn)
    const answered = (evenEmpty: boolean): boolean => {
      const found = FetchAnswer.to(request, this.#topics, evenEmpty)
      if (found === null) return false
      turn.chunks = found.chunks()
      turn.sent = () => found.release()
      turn.waitsFor = 0
      return true
    }
    if (!answered(false)) this.#fetchLater(request, answered)
  }

  #fetchLater({ topics, maxWaitMs }: FetchRequest, answered: (evenEmpty: boolean) => boolean): void {
    const waiting = topics.map(({ name }) => this.#topics.get(name)).filter((topic) => topic !== undefined)
    const retry = (evenEmpty: boolean): void => {
      if (this.#socket.destroyed) leave()
      else if (answered(evenEmpty)) {
        leave()
        this.#flush()
      }
    }
    const reader = (): void => retry(false)
    const timer = setTimeout(retry, maxWaitMs, true)
    const leave = (): void => {
      clearTimeout(timer)
      for (const topic of waiting) topic.readers.delete(reader)
    }
    for (const topic of waiting) topic.readers.add(reader)
  }

  /** Sends what is ready, up to the first turn that is not. */
  #flush(): void {
    while (this.#turns[0]?.waitsFor === 0) {
      const { chunks, sent } = this.#turns.shift()!
      const last = chunks.pop()
      if (last === undefined) continue
      this.#socket.cork()
      for (const chunk of chunks) this.#socket.write(chunk)
      this.#socket.write(last, sent)
      this.#socket.uncork()
    }
  }
}
