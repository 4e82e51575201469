// Where what lies in the metadata store. The number in the prefix is the version of the layout.
//
//   cluster                    the cluster's id; created once
//   controller                 who decides for all; bound to its lease
//   live/<broker id>           a broker that is there; bound to its lease, the broker epoch is its create revision
//   broker/<broker id>         what stays of a broker that is not there: its last epoch, its folder, its place
//   topic/<name>               the commit point of a topic: there is no topic without it
//   part/<topic id>/<index>    replicas, ISR and leader; by topic id, so that a topic created anew shares nothing with the old one
//   config/<kind>/<name>       what was set on a topic, a broker (no name: on all) or a group
//   job/create/<topic id>      a topic whose partitions are being written; they are litter when its broker is gone
//   job/delete/<topic id>      a topic that is gone, and the brokers that were away and have yet to hear of it
//   attempts/<broker id>       changes when the broker gives up on a write (write-attempts.ts)
//   pid-block                  the first producer id that nobody has

export const keyPrefix = '/odradek/1/'

export const clusterKey = `${keyPrefix}cluster`
export const controllerKey = `${keyPrefix}controller`
export const producerIdBlockKey = `${keyPrefix}pid-block`
export const partitionsPrefix = `${keyPrefix}part/`
export const creationsPrefix = `${keyPrefix}job/create/`

export const deletionsPrefix = `${keyPrefix}job/delete/`

export function liveKey(brokerId: number): string {
  return `${keyPrefix}live/${brokerId}`
}

export function brokerKey(brokerId: number): string {
  return `${keyPrefix}broker/${brokerId}`
}

export function attemptsKey(brokerId: number): string {
  return `${keyPrefix}attempts/${brokerId}`
}

export function topicKey(name: string): string {
  return `${keyPrefix}topic/${name}`
}

export function partitionsOfTopicPrefix(topicId: string): string {
  return `${partitionsPrefix}${topicId}/`
}

export function partitionKey(topicId: string, index: number): string {
  return `${partitionsPrefix}${topicId}/${index}`
}

export type ConfigKind = 'topic' | 'broker' | 'group'

/** `name`: of a broker, its id, or empty for the default of all. */
export function configKey(kind: ConfigKind, name: string): string {
  return `${keyPrefix}config/${kind}/${encodeURIComponent(name)}`
}

export function creationKey(topicId: string): string {
  return `${creationsPrefix}${topicId}`
}

export function deletionKey(topicId: string): string {
  return `${deletionsPrefix}${topicId}`
}

/** What a key is about; `other` for what the cluster's image does not show. */
export type ParsedKey =
  | { readonly kind: 'cluster' }
  | { readonly kind: 'controller' }
  | { readonly kind: 'live'; readonly brokerId: number }
  | { readonly kind: 'broker'; readonly brokerId: number }
  | { readonly kind: 'topic'; readonly name: string }
  | { readonly kind: 'partition'; readonly topicId: string; readonly index: number }
  | { readonly kind: 'config'; readonly of: string; readonly name: string }
  | { readonly kind: 'other' }

export function parseKey(key: string): ParsedKey {
  const [kind = '', first = '', second = ''] = key.slice(keyPrefix.length).split('/')
  switch (kind) {
    case 'cluster':
      return { kind }
    case 'controller':
      return { kind }
    case 'live':
      return { kind, brokerId: Number(first) }
    case 'broker':
      return { kind, brokerId: Number(first) }
    case 'topic':
      return { kind, name: first }
    case 'part':
      return { kind: 'partition', topicId: first, index: Number(second) }
    case 'config':
      return { kind, of: first, name: decodeURIComponent(second) }
    default:
      return { kind: 'other' }
  }
}
