// AlterConfigs: what is set on a resource is replaced as a whole. Clients of today use IncrementalAlterConfigs.

import type { alterConfigs } from '../../protocol/apis/alter-configs.ts'
import type { Handler } from '../handler.ts'
import { alterResources, type AlterNeeds } from './altered-resources.ts'

export const handleAlterConfigs: Handler<typeof alterConfigs, AlterNeeds> = async (
  context,
  { resources, validateOnly },
) => ({
  throttleTimeMs: 0,
  responses: await alterResources(context, resources, {
    validateOnly,
    removes: () => false,
    change: (configs) => ({
      kind: 'replace',
      // None is null: that has been refused.
      configs: new Map(configs.map(({ name, value }) => [name, value!])),
    }),
    loggers: null,
  }),
})
