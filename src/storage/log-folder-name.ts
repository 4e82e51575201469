// `<topic>-<partition>`, and what a log's folder is called while it is being deleted.

import { invariant } from '../lib/invariant.ts'

const topicNameLengthMax = 249
/** Of most file systems. */
const fileNameBytesMax = 255
export const deleteSuffix = '-delete'
/** Of the metadata store's folder, which is named as a log is and is none: Kafka's log manager passes it over, too. */
const metadataTopicName = '__cluster_metadata'

export interface FolderName {
  readonly topicName: string
  readonly partition: number
}

function isTopicName(name: string): boolean {
  return name.length <= topicNameLengthMax && /^[a-zA-Z0-9._-]+$/.test(name) && name !== '.' && name !== '..'
}

/** Also the log's name in checkpoints and log lines. */
export function logFolderName({ topicName, partition }: FolderName): string {
  invariant(isTopicName(topicName) && partition >= 0, `"${topicName}" is not the name of a topic`)
  return `${topicName}-${partition}`
}

/** Null for folders that are no log's: those deleted, moved or set aside (`-delete`, `-future`, `-stray`), the metadata, anything else. */
export function parseLogFolderName(name: string): FolderName | null {
  const match = /^(.+)-(\d{1,10})$/.exec(name)
  if (match === null || !isTopicName(match[1]!) || match[1] === metadataTopicName) return null
  return { topicName: match[1]!, partition: Number(match[2]) }
}

/** `orders-0.<32 hex digits>-delete`; a long topic name is cut to what a file name may be, as in Kafka. */
export function deletedFolderName(place: FolderName, uniqueId: string): string {
  return markedFolderName(place, uniqueId, deleteSuffix)
}

/** `orders-0.<32 hex digits>-stray` */
export function strayFolderName(place: FolderName, uniqueId: string): string {
  return markedFolderName(place, uniqueId, '-stray')
}

function markedFolderName({ topicName, partition }: FolderName, uniqueId: string, mark: string): string {
  const suffix = `-${partition}.${uniqueId}${mark}`
  return topicName.slice(0, fileNameBytesMax - suffix.length) + suffix
}
