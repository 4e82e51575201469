// IncrementalAlterConfigs (KIP-339): single configs are set or removed, lists get and lose items. What is not named stays.

import type { ConfigEdit } from '../../cluster/config-change.ts'
import { refuse, type TopicRefusal } from '../../cluster/topic-rules.ts'
import type {
  incrementalAlterConfigs,
  IncrementalAlterConfigsRequest,
} from '../../protocol/apis/incremental-alter-configs.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler } from '../handler.ts'
import { alterResources, type AlterNeeds, invalid } from './altered-resources.ts'

type Asked = IncrementalAlterConfigsRequest['resources'][number]['configs'][number]

/** AlterConfigOp.OpType */
const operation = { set: 0, delete: 1, append: 2, subtract: 3 } as const

export const handleIncrementalAlterConfigs: Handler<typeof incrementalAlterConfigs, AlterNeeds> = async (
  context,
  { resources, validateOnly },
) => ({
  throttleTimeMs: 0,
  responses: await alterResources(context, resources, {
    validateOnly,
    removes: ({ configOperation }) => configOperation === operation.delete,
    change: (configs) => {
      const edits: ConfigEdit[] = []
      for (const config of configs) {
        const edit = editOf(config)
        if ('ok' in edit) return edit
        edits.push(edit)
      }
      return { kind: 'edit', edits }
    },
    loggers: ([first]) => {
      if (first === undefined) return null
      const edit = editOf(first)
      return 'ok' in edit ? edit : loggerRefusal(edit)
    },
  }),
})

/** Values are there where one is needed: nulls have been refused. */
function editOf({ name, configOperation, value }: Asked): ConfigEdit | TopicRefusal {
  switch (configOperation) {
    case operation.set:
      return { kind: 'set', name, value: value! }
    case operation.delete:
      return { kind: 'delete', name }
    case operation.append:
      return { kind: 'append', name, value: value! }
    case operation.subtract:
      return { kind: 'subtract', name, value: value! }
    default:
      return invalid(`Unknown operations type ${configOperation}`)
  }
}

/** The log has one level for everything: there is no logger by any name (KIP-412). */
function loggerRefusal({ kind, name }: ConfigEdit): TopicRefusal {
  if (kind === 'append' || kind === 'subtract') {
    return invalid(`${kind.toUpperCase()} operation is not allowed for the BROKER_LOGGER resource`)
  }
  return refuse(ErrorCode.INVALID_CONFIG, `Logger ${name} does not exist!`)
}
