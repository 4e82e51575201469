// What a connection bears: unknown requests, versions there are not, garbage, and requests that end too early or too late.

import { apiVersions, metadata } from '../../../src/protocol/apis/index.ts'
import { encodeRequest } from '../../../src/protocol/frame.ts'
import type { Dialogue, Peer } from '../dialogue.ts'
import { sized } from '../../support/raw-connection.ts'

function header(key: number, version: number, clientId: string | null = 'differential'): Buffer {
  const id = Buffer.from(clientId ?? '')
  const bytes = Buffer.alloc(10 + id.length)
  bytes.writeInt16BE(key, 0)
  bytes.writeInt16BE(version, 2)
  bytes.writeInt32BE(77, 4)
  bytes.writeInt16BE(clientId === null ? -1 : id.length, 8)
  bytes.set(id, 10)
  return bytes
}

/** The tag section that ends a header of version 2. */
const noTags = Buffer.alloc(1)

export async function connections(dialogue: Dialogue): Promise<void> {
  const note = async (what: string, send: (peer: Peer) => void, timeoutMs = 3000) => {
    const peer = await dialogue.connection()
    send(peer)
    const frame = await peer.frame(timeoutMs)
    dialogue.note(
      what,
      0,
      frame === null
        ? peer.isClosed
          ? 'closed'
          : 'silent'
        : frame.length > 40
          ? 'a long answer'
          : frame.toString('hex'),
    )
    peer.close()
  }
  const frames: Record<string, Buffer> = {
    'an empty frame': sized(Buffer.alloc(0)),
    'a frame of three bytes': sized(Buffer.alloc(3)),
    'a frame of nine bytes': sized(header(18, 0).subarray(0, 9)),
    'a negative size': Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0]),
    'a size above the limit': Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0]),
    'an unknown key': sized(header(999, 0)),
    'a negative key': sized(header(-1, 0)),
    'a key of controllers': sized(header(62, 0)),
    'a key that is gone': sized(header(4, 0)),
    'no client id': sized(header(18, 0, null)),
    'a client id longer than the frame': sized(
      Buffer.concat([header(18, 0).subarray(0, 8), Buffer.from([0x7f, 0xff, 1, 2])]),
    ),
    'ApiVersions 99': sized(Buffer.concat([header(18, 99), noTags])),
    'ApiVersions -1': sized(header(18, -1)),
    'ApiVersions 5 with a body of garbage': sized(Buffer.concat([header(18, 5), noTags, Buffer.from('garbage')])),
    'ApiVersions 0 with bytes left over': sized(Buffer.concat([header(18, 0), Buffer.from('more')])),
    'ApiVersions 3 without a body': sized(header(18, 3)),
    'Metadata 99': sized(header(3, 99)),
    'Metadata -1': sized(header(3, -1)),
    'Metadata 0 without a body': sized(header(3, 0)),
    'Metadata with more topics than bytes': sized(Buffer.concat([header(3, 0), Buffer.from([0x7f, 0xff, 0xff, 0xff])])),
    'Metadata with a negative count': sized(Buffer.concat([header(3, 0), Buffer.from([0xff, 0xff, 0xff, 0xf0])])),
    'Produce 2': sized(header(0, 2)),
    'Produce 14': sized(header(0, 14)),
    'Fetch 3': sized(header(1, 3)),
    'OffsetCommit 1': sized(header(8, 1)),
    'CreateTopics 1': sized(header(19, 1)),
    'InitProducerId 6': sized(header(22, 6)),
    HTTP: Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  }
  for (const [what, bytes] of Object.entries(frames)) await note(what, (peer) => peer.send(bytes))
  const well = Buffer.concat(encodeRequest(metadata, 4, { correlationId: 5, clientId: 'x' }, { topics: [] }))
  await note('a request with a byte too many', (peer) =>
    peer.send(sized(Buffer.concat([well.subarray(4), Buffer.alloc(1)]))),
  )
  await note('a request a byte short', (peer) => peer.send(sized(well.subarray(4, -1))))
  const flexible = Buffer.concat(encodeRequest(metadata, 9, { correlationId: 5, clientId: 'x' }, { topics: [] }))
  // The last byte is the empty tag section of the body.
  const tagged = (...tags: number[]) => sized(Buffer.concat([flexible.subarray(4, -1), Buffer.from(tags)]))
  await note('an unknown tag', (peer) => peer.send(tagged(1, 77, 2, 1, 1)))
  await note('tags out of order', (peer) => peer.send(tagged(2, 77, 0, 5, 0)))
  await note('a tag twice', (peer) => peer.send(tagged(2, 77, 0, 77, 0)))
  await note('a tag longer than the frame', (peer) => peer.send(tagged(1, 77, 99, 1)))

  const peer = await dialogue.connection()
  for (let i = 0; i < 5; i++) peer.tell(apiVersions, 0, {})
  const answers = []
  for (let i = 0; i < 5; i++) answers.push((await peer.frame()) !== null)
  dialogue.note('five requests at once', 0, answers)
}
