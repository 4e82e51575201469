// The versions of the protocol that the load generator speaks: what every peer serves, the probe included. Those of Produce and Fetch have
// their fields at places that can be found once and for all.

export const clientId = 'odradek-bench'

export const versions = {
  produce: 9,
  /** The last that is not flexible, so that a response is read without varints; sessionless. */
  fetch: 11,
  listOffsets: 6,
  metadata: 9,
  createTopics: 5,
  deleteTopics: 4,
} as const
