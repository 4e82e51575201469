// `meta.properties`: whose data folder this is. Kafka's file and version 1 of it: cluster.id, node.id, directory.id.

export interface MetaProperties {
  readonly clusterId: string
  readonly nodeId: number
  readonly directoryId: string
}

/** Null for a property that is missing or makes no sense. */
export type FoundMetaProperties = { readonly [Key in keyof MetaProperties]: MetaProperties[Key] | null }

export function decodeMetaProperties(bytes: Uint8Array): FoundMetaProperties {
  const properties = new Map<string, string>()
  for (const line of Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString().split(/\r?\n/)) {
    const text = line.trim()
    const equals = text.indexOf('=')
    if (text.startsWith('#') || equals < 0) continue
    properties.set(text.slice(0, equals).trim(), text.slice(equals + 1).trim())
  }
  // Version 0 called it broker.id.
  const nodeId = properties.get('node.id') ?? properties.get('broker.id')
  return {
    clusterId: properties.get('cluster.id') ?? null,
    nodeId: nodeId !== undefined && /^\d+$/.test(nodeId) ? Number(nodeId) : null,
    directoryId: properties.get('directory.id') ?? null,
  }
}

export function encodeMetaProperties({ clusterId, nodeId, directoryId }: MetaProperties): Uint8Array {
  const lines = [`version=1`, `cluster.id=${clusterId}`, `node.id=${nodeId}`, `directory.id=${directoryId}`]
  return Buffer.from(lines.join('\n') + '\n')
}
