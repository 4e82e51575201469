// Versions. 1: source and synonyms (KIP-226). 2: a throttled answer comes at once and the client waits (KIP-219). 3:
// type and documentation (KIP-569). 4: flexible.

import {
  api,
  array,
  bool,
  emptyOrNull,
  errorCode,
  ignorable,
  int32,
  int8,
  since,
  string,
  struct,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const describeConfigsResourceResult = struct({
  name: string,
  value: emptyOrNull(string),
  readOnly: bool,
  configSource: withDefault(int8, -1),
  isSensitive: bool,
  synonyms: array(struct({ name: string, value: emptyOrNull(string), source: int8 })),
  configType: since(3, ignorable(int8)),
  documentation: since(3, ignorable(emptyOrNull(string))),
})

const describeConfigsResult = struct({
  errorCode,
  errorMessage: emptyOrNull(string),
  resourceType: int8,
  resourceName: string,
  configs: array(describeConfigsResourceResult),
})

/** Settings of topics, brokers, groups and clients, with where each value comes from. */
export const describeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  versions: [1, 4],
  flexibleSince: 4,
  request: {
    resources: array(
      struct({ resourceType: int8, resourceName: string, configurationKeys: emptyOrNull(array(string)) }),
    ),
    includeSynonyms: bool,
    includeDocumentation: since(3, bool),
  },
  response: {
    throttleTimeMs: int32,
    results: array(describeConfigsResult),
  },
})

export type DescribeConfigsRequest = RequestOf<typeof describeConfigs>
export type DescribeConfigsResponse = ResponseOf<typeof describeConfigs>
