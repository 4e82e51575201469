// The members of a classic group, and what follows from who they are: static identities, protocols in common, who leads.
// Members are kept in the order in which they came. Counts are kept along, so that a join costs no walk over a large group.

import { invariant } from '../../../lib/invariant.ts'
import type { JoinGroupResponse } from '../../../protocol/apis/join-group.ts'
import type { ReplyTo } from '../../effect.ts'
import { ClassicMember } from './classic-member.ts'
import type { JoinEvent } from '../group-event.ts'

export class ClassicRoster implements Iterable<ClassicMember> {
  readonly #members = new Map<string, ClassicMember>()
  readonly #byInstance = new Map<string, ClassicMember>()
  /** How many members offer each protocol. */
  readonly #offers = new Map<string, number>()
  #waitingToJoin = 0
  /** Member id, or null while there are no members. */
  leaderId: string | null = null

  get size(): number {
    return this.#members.size
  }

  /** Members whose JoinGroup waits. */
  get waitingToJoin(): number {
    return this.#waitingToJoin
  }

  /** The longest of the members': how long a rebalance waits for those who have not rejoined. */
  get rebalanceTimeoutMs(): number {
    let longest = 0
    for (const member of this) longest = Math.max(longest, member.rebalanceTimeoutMs)
    return longest
  }

  [Symbol.iterator](): Iterator<ClassicMember> {
    return this.#members.values()
  }

  get(memberId: string): ClassicMember | undefined {
    return this.#members.get(memberId)
  }

  /** KIP-345: the member that holds this identity now. */
  byInstance(groupInstanceId: string): ClassicMember | undefined {
    return this.#byInstance.get(groupInstanceId)
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId
  }

  /** The first member leads. */
  add(member: ClassicMember): void {
    invariant(!this.#members.has(member.memberId), 'a member joins a group twice')
    this.#members.set(member.memberId, member)
    if (member.groupInstanceId !== null) this.#byInstance.set(member.groupInstanceId, member)
    this.#countOffers(member, 1)
    if (member.joinReply !== null) this.#waitingToJoin++
    this.leaderId ??= member.memberId
  }

  /** The oldest of the others leads when the leader goes. */
  remove(memberId: string): void {
    const member = this.#members.get(memberId)
    if (member === undefined) return
    this.#members.delete(memberId)
    if (member.groupInstanceId !== null) this.#byInstance.delete(member.groupInstanceId)
    this.#countOffers(member, -1)
    if (member.joinReply !== null) this.#waitingToJoin--
    if (this.leaderId === memberId) this.leaderId = this.#members.keys().next().value ?? null
  }

  /** Removes all, and returns them by id. */
  clear(): ReadonlyMap<string, ClassicMember> {
    const members = new Map(this.#members)
    this.#members.clear()
    this.#byInstance.clear()
    this.#offers.clear()
    this.#waitingToJoin = 0
    this.leaderId = null
    return members
  }

  /** A static member came back: the same member under a new id, which also takes over the lead. */
  replace(old: ClassicMember, memberId: string): ClassicMember {
    const wasLeader = this.isLeader(old.memberId)
    this.remove(old.memberId)
    const { groupInstanceId, clientId, clientHost } = old
    const member = new ClassicMember({ memberId, groupInstanceId, clientId, clientHost })
    member.rebalanceTimeoutMs = old.rebalanceTimeoutMs
    member.sessionTimeoutMs = old.sessionTimeoutMs
    member.protocols = old.protocols
    member.assignment = old.assignment
    member.owned = old.owned
    this.add(member)
    if (wasLeader) this.leaderId = memberId
    return member
  }

  /** Takes over what the member says of itself, and keeps its request waiting. Bytes are copied: they are views of a frame. */
  update(member: ClassicMember, { request, replyTo, sender }: JoinEvent): void {
    const known = this.#members.get(member.memberId) === member
    if (known) this.#countOffers(member, -1)
    member.protocols = request.protocols.map(({ name, metadata }) => ({ name, metadata: new Uint8Array(metadata) }))
    if (known) this.#countOffers(member, 1)
    member.sessionTimeoutMs = request.sessionTimeoutMs
    // Version 0 has one timeout for both.
    member.rebalanceTimeoutMs = sender.apiVersion === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs
    member.connectionId = sender.connectionId
    member.restored = false
    this.setJoinReply(member, replyTo)
  }

  setJoinReply(member: ClassicMember, replyTo: ReplyTo<JoinGroupResponse> | null): void {
    const known = this.#members.get(member.memberId) === member
    if (known) this.#waitingToJoin += Number(replyTo !== null) - Number(member.joinReply !== null)
    member.joinReply = replyTo
  }

  /** Whether a member that offers `names` has a protocol in common with all others. */
  supportsAny(names: readonly string[]): boolean {
    return names.some((name) => this.#supportedByAll(name))
  }

  /**
   * Each member votes for the first of its protocols that all support; most votes win, among equals the one that was voted for
   * first. There must be members.
   */
  selectProtocol(): string {
    const votes = new Map<string, number>()
    for (const member of this) {
      const vote = member.protocols.find(({ name }) => this.#supportedByAll(name))
      invariant(vote !== undefined, 'a member has no protocol in common with its group')
      votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1)
    }
    let selected: string | null = null
    let most = 0
    for (const [name, count] of votes) {
      if (count > most) {
        selected = name
        most = count
      }
    }
    invariant(selected !== null, 'an empty group selects a protocol')
    return selected
  }

  /**
   * When the leader has not rejoined, the first member that has takes its place. False when nobody has, or there is nobody.
   */
  electJoinedLeader(): boolean {
    const leader = this.leaderId === null ? undefined : this.#members.get(this.leaderId)
    if (leader !== undefined && leader.joinReply !== null) return true
    for (const member of this) {
      if (member.joinReply === null) continue
      this.leaderId = member.memberId
      return true
    }
    return false
  }

  #supportedByAll(name: string): boolean {
    return (this.#offers.get(name) ?? 0) === this.size
  }

  #countOffers(member: ClassicMember, step: 1 | -1): void {
    for (const name of new Set(member.protocols.map((protocol) => protocol.name))) {
      const count = (this.#offers.get(name) ?? 0) + step
      if (count === 0) this.#offers.delete(name)
      else this.#offers.set(name, count)
    }
  }
}
