// What a change makes of the configs of a topic or of brokers (ConfigurationControlManager): all of them replaced, as AlterConfigs does, or some of them
// edited (KIP-339). Only texts are handled here; whether they are good is topic-config.ts's to say, of the result as a whole.

import { ErrorCode } from '../protocol/error-code.ts'
import type { ConfigDefinition } from './settings/config-definition.ts'
import { topicDefinitions } from './settings/topic-definitions.ts'
import { refuse, type TopicRefusal } from './topic-rules.ts'

export type ConfigEdit =
  | { readonly kind: 'set'; readonly name: string; readonly value: string }
  | { readonly kind: 'delete'; readonly name: string }
  /** Of a list: items that are not there yet come at its end; items that are there go. */
  | { readonly kind: 'append' | 'subtract'; readonly name: string; readonly value: string }

export type ConfigChange =
  | { readonly kind: 'replace'; readonly configs: ReadonlyMap<string, string> }
  | { readonly kind: 'edit'; readonly edits: readonly ConfigEdit[] }

type Configs = ReadonlyMap<string, string>

/** The configs after the change; or INVALID_CONFIG for a list operation on what is no list. `definitions`: of what may be set. */
export function changedConfigs(
  current: Configs,
  change: ConfigChange,
  definitions: ReadonlyMap<string, ConfigDefinition> = topicDefinitions,
): Configs | TopicRefusal {
  if (change.kind === 'replace') return change.configs
  const configs = new Map(current)
  for (const edit of change.edits) {
    const { name } = edit
    if (edit.kind === 'delete') {
      configs.delete(name)
    } else if (edit.kind === 'set') {
      configs.set(name, edit.value)
    } else {
      const definition = definitions.get(name)
      if (definition?.type !== 'list') {
        const operation = edit.kind === 'append' ? 'APPEND' : 'SUBTRACT'
        const message = `Can't ${operation} to key ${name} because its type is not LIST.`
        return refuse(ErrorCode.INVALID_CONFIG, message)
      }
      configs.set(name, editedList(definition, configs.get(name), edit.kind, edit.value))
    }
  }
  return configs
}

export function sameConfigs(one: Configs, other: Configs): boolean {
  if (one.size !== other.size) return false
  for (const [name, value] of one) if (other.get(name) !== value) return false
  return true
}

/** As in Kafka, what was never set is edited from Kafka's default, whatever the broker's is; spaces belong to their items. */
function editedList(
  definition: ConfigDefinition,
  current: string | undefined,
  kind: 'append' | 'subtract',
  value: string,
): string {
  const items = (current ?? definition.defaultText ?? '').split(',').filter((item) => item !== '')
  for (const item of splitAsJava(value)) {
    const at = items.indexOf(item)
    if (kind === 'append' && at < 0) items.push(item)
    if (kind === 'subtract' && at >= 0) items.splice(at, 1)
  }
  return items.join(',')
}

/** Without the empty items at the end: `a,` is [a], `,` is []; but the empty text is one empty item. */
function splitAsJava(text: string): string[] {
  const items = text.split(',')
  if (items.length === 1) return items
  while (items.at(-1) === '') items.pop()
  return items
}
