// The KIP-848 groups among the groups of one __consumer_offsets partition: how one comes to be, is found and goes, and what all share.

import type { Millis } from '../../../io/clock.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { reply } from '../../effect.ts'
import { ClassicGroup } from '../classic/classic-group.ts'
import type { Group } from '../group.ts'
import type { GroupConfigs } from '../group-config.ts'
import type { GroupEffect, TopicsChangedEvent } from '../group-event.ts'
import type { GroupRecord } from '../group-record.ts'
import type { GroupSettings } from '../group-settings.ts'
import type { TopicsView } from '../topics-view.ts'
import { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerGroupContext } from './consumer-group-context.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import { describeConsumerGroupRefused } from './consumer-group-view.ts'
import { joiningEpoch, leavingEpoch, leavingForNowEpoch } from './consumer-member.ts'
import { heartbeatRefused } from './heartbeat-answer.ts'
import type { ConsumerDescribeEvent, ConsumerHeartbeatEvent } from './heartbeat-event.ts'
import { TopicHashes } from './metadata-hash.ts'
import { upgradeByJoining } from './upgrade.ts'

export interface ConsumerGroupsOptions {
  readonly settings: GroupSettings
  readonly topics: TopicsView
  readonly configs: GroupConfigs
}

export class ConsumerGroups {
  /** All groups of the partition, of whichever protocol. */
  readonly #groups: Map<string, Group>
  readonly #context: ConsumerGroupContext
  /** Regular expressions that were looked up in an older revision of the cluster's metadata are looked up again. */
  #topicsCreatedIn: number

  constructor(groups: Map<string, Group>, { settings, topics, configs }: ConsumerGroupsOptions) {
    this.#groups = groups
    this.#topicsCreatedIn = topics.revision
    this.#context = {
      settings,
      topics,
      configs,
      hashes: new TopicHashes(topics),
      assignors: settings.consumerAssignors,
      topicsCreatedIn: () => this.#topicsCreatedIn,
      becomes: (group) => void this.#groups.set(group.groupId, group),
    }
  }

  get(groupId: string): ConsumerGroup | undefined {
    const group = this.#groups.get(groupId)
    return group instanceof ConsumerGroup ? group : undefined
  }

  /** A group begins with the first member that joins it; a classic group makes way, with members as the policy allows. */
  heartbeat(event: ConsumerHeartbeatEvent, now: Millis): GroupEffect[] {
    const { groupId, request } = event
    const known = this.#groups.get(groupId)
    if (known instanceof ConsumerGroup) return known.step(event, now)
    const joins = request.memberEpoch === joiningEpoch
    if (known === undefined) {
      const leaves = request.memberEpoch === leavingEpoch || request.memberEpoch === leavingForNowEpoch
      if (!joins) return refused(event, leaves ? `Group ${groupId} not found.` : `Consumer group ${groupId} not found.`)
      return this.#found(event, [], now)
    }
    if (joins && known instanceof ClassicGroup && known.state === 'Empty') {
      return this.#found(event, known.tombstones(), now)
    }
    if (joins && known instanceof ClassicGroup) return upgradeByJoining(known, event, this.#context, now)
    return refused(event, `Group ${groupId} is not a consumer group.`)
  }

  describe({ groupId, replyTo }: ConsumerDescribeEvent): GroupEffect[] {
    const group = this.get(groupId)
    if (group !== undefined) return [reply(replyTo, group.describe())]
    const why = this.#groups.has(groupId) ? 'is not a consumer group' : 'not found'
    const { GROUP_ID_NOT_FOUND } = ErrorCode
    return [reply(replyTo, describeConsumerGroupRefused(groupId, GROUP_ID_NOT_FOUND, `Group ${groupId} ${why}.`))]
  }

  topicsChanged(event: TopicsChangedEvent, now: Millis): GroupEffect[] {
    this.#context.hashes.changed(event.topics)
    if (event.anyCreated) this.#topicsCreatedIn = this.#context.topics.revision
    const effects: GroupEffect[] = []
    for (const group of this.#groups.values()) {
      if (group instanceof ConsumerGroup) effects.push(...group.step(event, now))
    }
    return effects
  }

  /** What takes something out of a group that is not here says nothing. */
  apply(record: ConsumerGroupRecord): void {
    const { groupId } = record
    let group = this.get(groupId)
    if (group === undefined) {
      if (record.value === null) return
      this.#groups.set(groupId, (group = new ConsumerGroup(groupId, this.#context)))
    }
    group.apply(record)
    if (record.kind === 'consumerEpoch' && record.value === null) this.#groups.delete(groupId)
  }

  /** `instead`: takes out of the log what had the name before. */
  #found(event: ConsumerHeartbeatEvent, instead: readonly GroupRecord[], now: Millis): GroupEffect[] {
    const group = new ConsumerGroup(event.groupId, this.#context)
    const effects = group.step(event, now)
    if (!effects.some(({ kind }) => kind === 'append')) return effects // the join was refused
    this.#groups.set(event.groupId, group)
    return instead.length === 0 ? effects : [{ kind: 'append', records: instead }, ...effects]
  }
}

function refused({ replyTo }: ConsumerHeartbeatEvent, message: string): GroupEffect[] {
  return [reply(replyTo, heartbeatRefused({ code: ErrorCode.GROUP_ID_NOT_FOUND, message }))]
}
