import type { Random } from '../io/random.ts'
import { decodeDocument, encodeDocument } from './documents.ts'
import { clusterKey } from './keys.ts'
import type { MetaStore } from './meta-store.ts'

/** The cluster's id, 22 characters of base64url; the first broker that ever asks gives it. */
export async function claimClusterId(store: MetaStore, random: Random): Promise<string> {
  const { entry } = await store.get(clusterKey)
  if (entry !== null) return decodeDocument('cluster', entry.value).id
  const id = random.uuid()
  const result = await store.transact(
    [{ key: clusterKey, modRevision: 0 }],
    [{ kind: 'put', key: clusterKey, value: encodeDocument({ id }) }],
  )
  return result.ok ? id : decodeDocument('cluster', result.current[0]!.value).id
}
