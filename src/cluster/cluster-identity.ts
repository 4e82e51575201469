// What the cluster is called: one id, which the brokers, their data folders and their clients agree on.

import { decodeDocument, encodeDocument } from './documents.ts'
import { clusterKey } from './keys.ts'
import { knownOutcome } from './known-outcome.ts'
import type { MetaStore } from './meta-store.ts'

/** Null while no broker has claimed one. */
export async function readClusterId(store: MetaStore): Promise<string | null> {
  const { entry } = await store.get(clusterKey)
  return entry === null ? null : decodeDocument('cluster', entry.value).id
}

/** The cluster's id, 22 characters of base64url: `proposed` by the first broker that ever asks, and kept from then on. */
export async function claimClusterId(store: MetaStore, proposed: string): Promise<string> {
  const known = await readClusterId(store)
  if (known !== null) return known
  for (;;) {
    const result = await knownOutcome(
      store.transact(
        [{ key: clusterKey, modRevision: 0 }],
        [{ kind: 'put', key: clusterKey, value: encodeDocument({ id: proposed }) }],
      ),
    )
    const claimed = result?.ok === true ? proposed : await readClusterId(store)
    if (claimed !== null) return claimed
  }
}
