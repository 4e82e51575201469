// What a client may do, as a set of bits by the code of the operation (AclOperation): everything, as in Kafka without an authorizer.

const operation = {
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
} as const

function bits(...operations: readonly (keyof typeof operation)[]): number {
  return operations.reduce((field, name) => field | (1 << operation[name]), 0)
}

/** The field's value when the client did not ask. */
export const operationsNotAsked = -0x8000_0000

export const topicOperations = bits(
  'read',
  'write',
  'create',
  'delete',
  'alter',
  'describe',
  'describeConfigs',
  'alterConfigs',
)

export const clusterOperations = bits(
  'create',
  'alter',
  'describe',
  'clusterAction',
  'describeConfigs',
  'alterConfigs',
  'idempotentWrite',
)
