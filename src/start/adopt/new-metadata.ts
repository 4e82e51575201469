// The metadata of an adopted folder: what a broker would have written, had it created the topics itself.

import { claimClusterId } from '../../cluster/cluster-identity.ts'
import { encodeDocument, type Documents } from '../../cluster/documents.ts'
import { FileJournal } from '../../cluster/file-journal.ts'
import { configKey, partitionKey, producerIdBlockKey, topicKey } from '../../cluster/keys.ts'
import { EmbeddedMetaStore } from '../../cluster/meta-store.embedded.ts'
import type { MetaWrite } from '../../cluster/meta-store.ts'
import type { Clock } from '../../io/clock.ts'
import type { Disk } from '../../io/disk.ts'
import { invariant } from '../../lib/invariant.ts'
import type { AdoptionPlan } from './plan.ts'

/** Writes it into `folder`, in place of whatever is there, and makes it durable. Rejects with the disk's faults. */
export async function writeNewMetadata(
  { disk, clock }: { readonly disk: Disk; readonly clock: Clock },
  folder: string,
  plan: AdoptionPlan,
): Promise<void> {
  for (const { name } of await disk.list(folder)) await disk.remove(`${folder}/${name}`)
  const store = await EmbeddedMetaStore.open({ journal: new FileJournal(disk, folder), clock })
  try {
    const clusterId = await claimClusterId(store, plan.clusterId)
    invariant(clusterId === plan.clusterId, 'new metadata is of another cluster')
    // One transaction: the folder has its name only when all of it is there, so nothing is gained by smaller ones.
    const written = await store.transact([{ key: producerIdBlockKey, modRevision: 0 }], [...writesOf(plan)])
    invariant(written.ok, 'new metadata is not empty')
  } finally {
    await store.close()
  }
}

function* writesOf({ topics, groupConfigs, brokerId, nextProducerId }: AdoptionPlan): Generator<MetaWrite> {
  yield put(producerIdBlockKey, { next: nextProducerId })
  for (const { name, id, partitions, configs } of topics) {
    yield put(topicKey(name), { id, partitionCount: partitions.length })
    if (configs.size > 0) yield put(configKey('topic', name), { entries: Object.fromEntries(configs) })
    for (const [index, { leaderEpoch, partitionEpoch }] of partitions.entries()) {
      // The broker elects itself anew when it starts, under the next epoch.
      const partition = { replicas: [brokerId], isr: [brokerId], leader: brokerId, leaderEpoch, partitionEpoch }
      yield put(partitionKey(id, index), partition)
    }
  }
  for (const [group, configs] of groupConfigs) {
    yield put(configKey('group', group), { entries: Object.fromEntries(configs) })
  }
}

function put(key: string, document: Documents[keyof Documents]): MetaWrite {
  return { kind: 'put', key, value: encodeDocument(document) }
}
