// The metadata of the cluster as it is kept: epochs rise with every change, a leader is one of the ISR, the ISR some of the replicas.

import type { ClusterImage, PartitionImage, TopicImage } from '../../src/cluster/image.ts'
import { Violation } from '../contracts.ts'

export class MetadataTruth {
  readonly name = 'the metadata changes by its rules'
  #last: ClusterImage | null = null

  /** Whether the image is another than the last one. Topics whose partitions changed are told to `onTopic`. */
  check(image: ClusterImage, onTopic: (topic: TopicImage, before: TopicImage | undefined) => void = () => {}): boolean {
    const before = this.#last
    if (before === image) return false
    this.#last = image
    for (const broker of image.brokers.values()) {
      const last = before?.knownBrokers.get(broker.id)
      if (last !== undefined && broker.epoch < last.lastEpoch) {
        this.#broken(`broker ${broker.id} is registered under ${broker.epoch}, and was under ${last.lastEpoch}`)
      }
    }
    for (const topic of image.topicsById.values()) {
      const last = before?.topicsById.get(topic.id)
      if (last === topic) continue
      if (last !== undefined && topic.partitions.length < last.partitions.length) {
        this.#broken(`${topic.name} had ${last.partitions.length} partitions, and has ${topic.partitions.length}`)
      }
      for (const partition of topic.partitions) {
        this.#checkPartition(`${topic.name}-${partition.index}`, partition, last?.partitions[partition.index])
      }
      onTopic(topic, last)
    }
    return true
  }

  #checkPartition(name: string, now: PartitionImage, before: PartitionImage | undefined): void {
    if (now === before) return
    const { replicas, isr, leader, leaderEpoch, partitionEpoch } = now
    if (isr.some((id) => !replicas.includes(id)))
      this.#broken(`the ISR ${isr.join()} of ${name} is not of ${replicas.join()}`)
    if (new Set(isr).size < isr.length || new Set(replicas).size < replicas.length) {
      this.#broken(`a broker is in ${name} twice: replicas ${replicas.join()}, ISR ${isr.join()}`)
    }
    if (leader >= 0 && !isr.includes(leader))
      this.#broken(`${leader} leads ${name}, and is not in the ISR ${isr.join()}`)
    if (before === undefined || before.revision === now.revision) return
    if (partitionEpoch <= before.partitionEpoch) {
      this.#broken(`the partition epoch of ${name} was ${before.partitionEpoch}, and is ${partitionEpoch}`)
    }
    if (leaderEpoch < before.leaderEpoch)
      this.#broken(`the leader epoch of ${name} falls from ${before.leaderEpoch} to ${leaderEpoch}`)
    if (leader !== before.leader && leaderEpoch === before.leaderEpoch) {
      this.#broken(`the leader of ${name} changes from ${before.leader} to ${leader} in epoch ${leaderEpoch}`)
    }
    // Where nobody is in the ISR, the last of it has lost its disk: then an operator decides.
    if (leader >= 0 && leader !== before.leader && before.isr.length > 0 && !before.isr.includes(leader)) {
      this.#broken(`${leader} is elected leader of ${name}, and was not in the ISR ${before.isr.join()}`)
    }
  }

  #broken(what: string): never {
    throw new Violation(this.name, what)
  }
}
