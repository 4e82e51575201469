// Where our definitions and Kafka's differ, in words.

import { inspect, isDeepStrictEqual } from 'node:util'
import type { AnyApi, FieldShape, Message, Shape } from '../../src/protocol/schema/index.ts'
import { comparable, definedShape, rangeOf } from './definition.ts'
import type { Definition } from './definition.ts'

export function apiDifferences(api: AnyApi, request: Definition, response: Definition): string[] {
  return [
    ...differing('apiKey', api.key, request.apiKey),
    ...differing('apiKey of the response', api.key, response.apiKey),
    ...differing('name', `${api.name}Request`, request.name),
    ...differing('name', `${api.name}Response`, response.name),
    ...differing('latestVersionUnstable', api.latestVersionUnstable, request.latestVersionUnstable === true),
    ...differing('flexibleSince', api.flexibleSince, api.request.flexibleSince),
    ...messageDifferences(api.request, request),
    ...messageDifferences(api.response, response),
  ]
}

export function messageDifferences(message: Message<unknown>, definition: Definition): string[] {
  const [oldest, latest] = rangeOf(definition.validVersions)
  const found = differing(`${definition.name}: versions`, message.versions.join('-'), `${oldest}-${latest}`)
  if (found.length > 0) return found
  const [flexibleFrom] = rangeOf(definition.flexibleVersions)
  const flexibleSince = definition.flexibleVersions === 'none' ? Infinity : Math.max(flexibleFrom, oldest)
  found.push(...differing(`${definition.name}: flexibleSince`, message.flexibleSince, flexibleSince))
  for (let version = oldest; version <= latest; version++) {
    const ours = comparable(message.at(version).shape)
    found.push(...shapeDifferences(`${definition.name} v${version}`, ours, definedShape(definition, version)))
  }
  return found
}

function differing(what: string, ours: unknown, kafkas: unknown): string[] {
  const [one, other] = [inspect(ours, { depth: 9 }), inspect(kafkas, { depth: 9 })]
  return isDeepStrictEqual(ours, kafkas) ? [] : [`${what}: ${one}, in Kafka ${other}`]
}

function shapeDifferences(path: string, ours: Shape, kafkas: Shape): string[] {
  if (ours.kind === 'nullable' && kafkas.kind === 'nullable') return shapeDifferences(path, ours.of, kafkas.of)
  if (ours.kind === 'array' && kafkas.kind === 'array') {
    return [
      ...differing(`${path}: compact`, ours.compact, kafkas.compact),
      ...shapeDifferences(`${path}[]`, ours.of, kafkas.of),
    ]
  }
  if (ours.kind === 'struct' && kafkas.kind === 'struct') {
    const names = (fields: readonly FieldShape[]) => fields.map(({ name }) => name)
    const found = [
      ...differing(`${path}: tag section`, ours.tagSection, kafkas.tagSection),
      ...differing(`${path}: fields`, names(ours.fields), names(kafkas.fields)),
    ]
    if (found.length > 0) return found
    return ours.fields.flatMap((field, index) =>
      fieldDifferences(`${path}.${field.name}`, field, kafkas.fields[index]!),
    )
  }
  return differing(path, ours, kafkas)
}

function fieldDifferences(path: string, ours: FieldShape, kafkas: FieldShape): string[] {
  return [
    ...differing(`${path}: default`, ours.absent, kafkas.absent),
    ...differing(`${path}: tag`, ours.tag, kafkas.tag),
    ...shapeDifferences(path, ours.shape, kafkas.shape),
  ]
}
