// Whole frames: size, header and body. A frame handed to a decoder comes without its 4-byte size; one handed out by an
// encoder has it, as chunks for one writev. Chunks above 1 KiB are the caller's own bytes, not copies.

import { requestHeader, requestHeaderVersion, responseHeader, responseHeaderVersion } from './header.ts'
import { apiByKey } from './apis/index.ts'
import { WireReader, WireWriter } from './schema/index.ts'
import type { AnyApi, Codec, RequestInput, RequestOf, ResponseInput, ResponseOf } from './schema/index.ts'

export interface RequestHead {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  /** Null also where the API is unknown and what should be the client id cannot be read. */
  readonly clientId: string | null
  /** Where the body begins. Means nothing when the API or its version is not supported. */
  readonly bodyOffset: number
}

/** Encoding is synchronous, so one writer serves all. */
const writer = new WireWriter()

/**
 * Reads the header, of any API in any version: the fixed part is the same in all of them. Throws `DecodeError` for
 * less than that, or when the rest of the header of a supported request is malformed.
 */
export function decodeRequestHeader(frame: Uint8Array): RequestHead {
  const reader = new WireReader(frame)
  const apiKey = reader.int16()
  const apiVersion = reader.int16()
  const correlationId = reader.int32()
  const api = apiByKey(apiKey)
  if (api === undefined || !api.request.has(apiVersion)) {
    return { apiKey, apiVersion, correlationId, clientId: clientIdIfAny(reader), bodyOffset: reader.position }
  }
  reader.position = 0
  const { clientId } = requestHeader.at(requestHeaderVersion(api, apiVersion)).read(reader)
  return { apiKey, apiVersion, correlationId, clientId, bodyOffset: reader.position }
}

function clientIdIfAny(reader: WireReader): string | null {
  const left = reader.end - reader.position
  if (left < 2) return null
  const size = reader.int16()
  return size < 0 || size > left - 2 ? null : Buffer.from(reader.view(size)).toString()
}

/** Reads the body that begins at `bodyOffset`, to the last byte. Throws `DecodeError`. Views into `frame` are not copied. */
export function decodeRequest<A extends AnyApi>(
  api: A,
  version: number,
  frame: Uint8Array,
  bodyOffset: number,
): RequestOf<A> {
  const reader = new WireReader(frame, bodyOffset)
  const body = (api.request.at(version) as Codec<RequestOf<A>>).read(reader)
  reader.finish()
  return body
}

/** Throws `DecodeError`. Views into `frame` are not copied. */
export function decodeResponse<A extends AnyApi>(
  api: A,
  version: number,
  frame: Uint8Array,
): { readonly correlationId: number; readonly body: ResponseOf<A> } {
  const reader = new WireReader(frame)
  const { correlationId } = responseHeader.at(responseHeaderVersion(api, version)).read(reader)
  const body = (api.response.at(version) as Codec<ResponseOf<A>>).read(reader)
  reader.finish()
  return { correlationId, body }
}

/** Throws `EncodeError`. */
export function encodeRequest<A extends AnyApi>(
  api: A,
  version: number,
  { correlationId, clientId }: { readonly correlationId: number; readonly clientId: string | null },
  body: RequestInput<A>,
): Uint8Array[] {
  const header = { requestApiKey: api.key, requestApiVersion: version, correlationId, clientId }
  return encode(requestHeader.at(requestHeaderVersion(api, version)), header, api.request.at(version), body)
}

/** Throws `EncodeError`. */
export function encodeResponse<A extends AnyApi>(
  api: A,
  version: number,
  correlationId: number,
  body: ResponseInput<A>,
): Uint8Array[] {
  const header = responseHeader.at(responseHeaderVersion(api, version))
  return encode(header, { correlationId }, api.response.at(version), body)
}

function encode<H>(headerCodec: Codec<H>, header: H, bodyCodec: Codec<unknown>, body: unknown): Uint8Array[] {
  writer.beginFrame()
  try {
    headerCodec.write(writer, header)
    bodyCodec.write(writer, body)
    return writer.endFrame()
  } catch (error) {
    writer.abandon()
    throw error
  }
}
