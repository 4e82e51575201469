// The numbers that DescribeConfigs and CreateTopics use for where a config comes from and what it is
// (DescribeConfigsResponse.ConfigSource and ConfigType).

import type { ConfigType } from '../../cluster/settings/config-definition.ts'
import type { ConfigSource } from '../../cluster/settings/topic-config.ts'

export const configSourceCode = {
  topic: 1,
  dynamicBroker: 2,
  dynamicDefaultBroker: 3,
  staticBroker: 4,
  default: 5,
  group: 8,
} satisfies Record<ConfigSource, number>

export const configTypeCode = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
} satisfies Record<ConfigType, number>
