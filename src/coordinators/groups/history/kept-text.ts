// What a history may keep of what clients say, and what it weighs: about the bytes it takes in memory.

import type { NotedMember } from './group-note.ts'

/** Characters kept of what a client chose to say: its names, its reasons. */
const textKeptMax = 255

/** What an object and its few numbers take. */
export const objectBytes = 160
/** What a string takes beside its characters. */
const stringBytes = 24

export const shortened = (text: string): string =>
  text.length > textKeptMax ? `${text.slice(0, textKeptMax - 1)}…` : text

export const weightOfText = (text: string): number => stringBytes + 2 * text.length

export function keptMember({ memberId, groupInstanceId, clientId, clientHost }: NotedMember): NotedMember {
  return {
    memberId: shortened(memberId),
    groupInstanceId: groupInstanceId === null ? null : shortened(groupInstanceId),
    clientId: shortened(clientId),
    clientHost,
  }
}

export function weightOfMember({ memberId, groupInstanceId, clientId, clientHost }: NotedMember): number {
  const texts = [memberId, groupInstanceId ?? '', clientId, clientHost]
  return texts.reduce((sum, text) => sum + weightOfText(text), objectBytes)
}
