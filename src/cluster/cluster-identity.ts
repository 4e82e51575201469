import { decodeDocument, encodeDocument } from './documents.ts'
import { clusterKey } from './keys.ts'
import type { MetaStore } from './meta-store.ts'

/** The cluster's id, 22 characters of base64url: `proposed` by the first broker that ever asks, and kept from then on. */
export async function claimClusterId(store: MetaStore, proposed: string): Promise<string> {
  const { entry } = await store.get(clusterKey)
  if (entry !== null) return decodeDocument('cluster', entry.value).id
  const result = await store.transact(
    [{ key: clusterKey, modRevision: 0 }],
    [{ kind: 'put', key: clusterKey, value: encodeDocument({ id: proposed }) }],
  )
  return result.ok ? proposed : decodeDocument('cluster', result.current[0]!.value).id
}
