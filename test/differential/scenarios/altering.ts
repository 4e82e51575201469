// IncrementalAlterConfigs and AlterConfigs, and what DescribeConfigs says afterwards.

import { alterConfigs, describeConfigs, incrementalAlterConfigs } from '../../../src/protocol/apis/index.ts'
import type { RequestInput } from '../../../src/protocol/schema/index.ts'
import { waitFor } from '../../support/wait-for.ts'
import { closed, type Dialogue, rangeOf } from '../dialogue.ts'

const topicType = 2
const set = 0
const remove = 1
const append = 2
const subtract = 3

type Op = readonly [name: string, configOperation: number, value?: string | null]
type Setting = readonly [name: string, value: string | null]
type Resource = NonNullable<RequestInput<typeof incrementalAlterConfigs>['resources']>[number]
type LegacyResource = NonNullable<RequestInput<typeof alterConfigs>['resources']>[number]

function resource(resourceName: string, ops: readonly Op[], resourceType = topicType): Resource {
  const configs = ops.map(([name, configOperation, value = null]) => ({ name, configOperation, value }))
  return { resourceType, resourceName, configs }
}

function legacy(resourceName: string, settings: readonly Setting[], resourceType = topicType): LegacyResource {
  return { resourceType, resourceName, configs: settings.map(([name, value]) => ({ name, value })) }
}

const throttled = 'leader.replication.throttled.replicas'
const described = ['cleanup.policy', 'retention.ms', 'segment.bytes', 'max.message.bytes', throttled]

/** What was set on the topic, once it is known: Kafka tells its brokers after it has answered. */
async function note(dialogue: Dialogue, what: string, version: number, topic: string, marker?: string): Promise<void> {
  const ask = async () => {
    const resources = [{ resourceType: topicType, resourceName: topic, configurationKeys: described }]
    const answer = await dialogue.ask(describeConfigs, 4, { resources, includeSynonyms: true })
    if (answer === closed) return []
    // Odradek lists what it does not act on only where it was set.
    return answer.results[0]!.configs.filter(({ name, configSource }) => configSource === 1 || name !== throttled)
  }
  if (marker !== undefined) {
    await waitFor(`retention.ms=${marker}`, async () =>
      (await ask()).some(({ name, value }) => name === 'retention.ms' && value === marker),
    )
  }
  dialogue.note(`${what}: described`, version, await ask())
}

export async function alteringTopics(dialogue: Dialogue): Promise<void> {
  await dialogue.inEach(rangeOf(incrementalAlterConfigs), async (version) => {
    const orders = dialogue.name('orders', version)
    const other = dialogue.name('other', version)
    await dialogue.topic(orders, { 'segment.bytes': '2000000' })
    await dialogue.topic(other)
    const ask = (what: string, ...resources: Resource[]) =>
      dialogue.step(what, incrementalAlterConfigs, version, { resources })
    const of = (what: string, ...ops: Op[]) => ask(what, resource(orders, ops))
    let marker = 0
    /** A change that can be waited for goes last. */
    const known = async (what: string) => {
      marker += 1000
      await dialogue.ask(incrementalAlterConfigs, version, {
        resources: [resource(orders, [['retention.ms', set, String(marker)]])],
      })
      await note(dialogue, what, version, orders, String(marker))
    }
    await ask('nothing')
    await of('no settings')
    await of('set', ['max.message.bytes', set, '5000'], ['retention.ms', set, '77'])
    await note(dialogue, 'set', version, orders, '77')
    await dialogue.step('only looked at', incrementalAlterConfigs, version, {
      resources: [resource(orders, [['max.message.bytes', set, '6000']])],
      validateOnly: true,
    })
    await dialogue.step('only looked at, badly', incrementalAlterConfigs, version, {
      resources: [resource(orders, [['max.message.bytes', set, 'many']])],
      validateOnly: true,
    })
    await known('only looked at')
    await of('the same value', ['max.message.bytes', set, '5000'])
    await of('removed', ['max.message.bytes', remove])
    await of('removed, with a value', ['max.message.bytes', remove, '9'])
    await of('removed what was not set', ['flush.ms', remove])
    await of('removed what there is not', ['no.such.setting', remove])
    await known('removed')
    await of('appended', ['cleanup.policy', append, 'compact'])
    await known('appended')
    await of('appended again', ['cleanup.policy', append, 'compact'])
    await of('appended what is no item', ['cleanup.policy', append, 'shred'])
    await of('appended nothing', ['cleanup.policy', append, ''])
    await of('appended nothing often', ['cleanup.policy', append, ',,'])
    await known('appended again')
    await of('subtracted', ['cleanup.policy', subtract, 'delete'])
    await known('subtracted')
    await of('subtracted what is not there', ['cleanup.policy', subtract, 'delete,other'])
    await of('subtracted the last', ['cleanup.policy', subtract, 'compact'])
    await known('subtracted the last')
    await of('appended to nothing', ['cleanup.policy', append, 'compact,delete'])
    await known('appended to nothing')
    await of('appended to an empty list', [throttled, append, '0:1,1:1'])
    await of('subtracted from a list', [throttled, subtract, '0:1'])
    await known('throttled')
    await of('written in their own ways', ['cleanup.policy', set, ' compact , delete,compact'])
    await of('a number with spaces', ['segment.bytes', set, ' +3000000 '])
    await of('an item twice', [throttled, set, '0:1, 1:1 ,0:1'])
    await known('written in their own ways')
    await of('appended with spaces', ['cleanup.policy', append, ' delete'])
    await known('appended with spaces')
    await of('appended to a number', ['retention.ms', append, '5'])
    await of('subtracted from a number', ['retention.ms', subtract, '5'])
    await of('appended to what there is not', ['no.such.setting', append, '5'])
    await of('another operation', ['retention.ms', 4, '5'])
    await of('a negative operation', ['retention.ms', -1, '5'])
    await of('unknown', ['no.such.setting', set, '1'])
    await of('unknown beside known', ['no.such.setting', set, '1'], ['max.message.bytes', set, '7000'])
    await of('no name', ['', set, '1'])
    await of('no number', ['max.message.bytes', set, 'many'])
    await of('out of bounds', ['max.message.bytes', set, '-1'])
    await of('no value', ['max.message.bytes', set, ''])
    await of('null', ['max.message.bytes', set, null])
    await of('append null', ['cleanup.policy', append, null])
    await of('a setting twice', ['max.message.bytes', set, '1'], ['max.message.bytes', set, '2'])
    await of('in conflict', ['min.compaction.lag.ms', set, '9'], ['max.compaction.lag.ms', set, '8'])
    await of('tiered storage', ['remote.storage.enable', set, 'true'])
    await known('refused')
    await ask('a topic twice', resource(orders, [['max.message.bytes', set, '1']]), resource(orders, []))
    await ask(
      'a topic twice and another',
      resource(orders, [['max.message.bytes', set, '1']]),
      resource(other, [['max.message.bytes', set, '4000']]),
      resource(orders, [['max.message.bytes', set, '2']]),
    )
    await ask(
      'one well, one badly',
      resource(orders, [['max.message.bytes', set, '9000']]),
      resource(other, [['max.message.bytes', set, 'many']]),
    )
    await known('one well, one badly')
    await ask('no such topic', resource(dialogue.name('nowhere'), [['retention.ms', set, '1']]))
    await ask('no such topic, badly', resource(dialogue.name('nowhere'), [['retention.ms', set, 'x']]))
    await ask('no such topic, nothing', resource(dialogue.name('nowhere'), []))
    await ask('no topic name', resource('', [['retention.ms', set, '1']]))
    await ask('a bad topic name', resource('no/such', [['retention.ms', set, '1']]))
  })
  await dialogue.inEach(rangeOf(alterConfigs), async (version) => {
    const orders = dialogue.name('whole', version)
    const other = dialogue.name('whole-other', version)
    await dialogue.topic(orders, { 'segment.bytes': '2000000', 'retention.ms': '5' })
    await dialogue.topic(other)
    const ask = (what: string, ...resources: LegacyResource[]) =>
      dialogue.step(`whole: ${what}`, alterConfigs, version, { resources })
    const of = (what: string, ...settings: Setting[]) => ask(what, legacy(orders, settings))
    await ask('nothing')
    await of('replaced', ['max.message.bytes', '5000'], ['retention.ms', '77'])
    await note(dialogue, 'whole: replaced', version, orders, '77')
    await dialogue.step('whole: only looked at', alterConfigs, version, {
      resources: [legacy(orders, [['max.message.bytes', '6000']])],
      validateOnly: true,
    })
    await dialogue.step('whole: only looked at, badly', alterConfigs, version, {
      resources: [legacy(orders, [['max.message.bytes', 'many']])],
      validateOnly: true,
    })
    await of('unknown', ['no.such.setting', '1'])
    await of('no number', ['max.message.bytes', 'many'])
    await of('null', ['max.message.bytes', null])
    await of('a setting twice', ['max.message.bytes', '1'], ['max.message.bytes', '2'])
    await note(dialogue, 'whole: refused', version, orders)
    await ask('one well, one badly', legacy(orders, [['retention.ms', '78']]), legacy(other, [['retention.ms', 'x']]))
    await note(dialogue, 'whole: one well, one badly', version, orders, '78')
    // A resource twice: Kafka 4.3.1 fails over it and never answers.
    await of('all gone')
    await note(dialogue, 'whole: all gone', version, orders, '604800000')
    await ask('no such topic', legacy(dialogue.name('nowhere'), [['retention.ms', '1']]))
    await ask('no topic name', legacy('', [['retention.ms', '1']]))
    await ask('a bad topic name', legacy('no/such', [['retention.ms', '1']]))
  })
}

const brokerType = 4
const loggerType = 8
const metricsType = 16
const groupType = 32

export async function alteringOthers(dialogue: Dialogue): Promise<void> {
  const ask = async (what: string, resourceType: number, resourceName: string, ...ops: Op[]) => {
    const resources = [resource(resourceName, ops, resourceType)]
    await dialogue.each(what, incrementalAlterConfigs, () => ({ resources, validateOnly: true }))
    const settings = ops.map(([name, , value = null]): Setting => [name, value])
    await dialogue.each(`whole: ${what}`, alterConfigs, () => ({
      resources: [legacy(resourceName, settings, resourceType)],
      validateOnly: true,
    }))
  }
  await ask('the broker, read only', brokerType, '1', ['node.id', set, '2'])
  await ask('the broker, dynamic', brokerType, '1', ['log.cleaner.threads', set, '1'])
  await ask('the broker, nothing', brokerType, '1')
  await ask('the broker, removed', brokerType, '1', ['log.cleaner.threads', remove])
  await ask('the broker, null', brokerType, '1', ['log.cleaner.threads', set, null])
  await ask('the broker, a setting twice', brokerType, '1', ['num.io.threads', set, '1'], ['num.io.threads', set, '2'])
  await ask('the broker, another operation', brokerType, '1', ['log.cleaner.threads', 9, '1'])
  await ask('all brokers, read only', brokerType, '', ['num.partitions', set, '2'])
  await ask('all brokers, nothing', brokerType, '')
  await ask('another broker', brokerType, '99', ['log.cleaner.threads', set, '1'])
  await ask('a broker by another name', brokerType, 'one', ['log.cleaner.threads', set, '1'])
  await ask('a logger that is not there', loggerType, '1', ['no.such.logger', set, 'INFO'])
  await ask('a logger, removed', loggerType, '1', ['no.such.logger', remove])
  await ask('a logger, appended', loggerType, '1', ['no.such.logger', append, 'INFO'])
  await ask('a logger, subtracted', loggerType, '1', ['no.such.logger', subtract, 'INFO'])
  await ask('a logger, another operation', loggerType, '1', ['no.such.logger', 9, 'INFO'])
  await ask('a logger, null', loggerType, '1', ['no.such.logger', set, null])
  await ask('no logger', loggerType, '1')
  await ask('loggers of another broker', loggerType, '99', ['no.such.logger', set, 'INFO'])
  await ask('loggers of a broker by another name', loggerType, 'one', ['no.such.logger', set, 'INFO'])
  await ask('loggers of no broker', loggerType, '', ['no.such.logger', set, 'INFO'])
  await ask('a group', groupType, 'g', ['consumer.session.timeout.ms', set, '50000'])
  await ask('a group, unknown', groupType, 'g', ['no.such.setting', set, '1'])
  await ask('a group, nothing', groupType, 'g')
  await ask('a group, removed', groupType, 'g', ['consumer.session.timeout.ms', remove])
  await ask('no group', groupType, '', ['consumer.session.timeout.ms', set, '50000'])
  await ask('client metrics', metricsType, 'm', ['interval.ms', set, '5000'])
  await ask('client metrics, unknown', metricsType, 'm', ['no.such.setting', set, '1'])
  await ask('client metrics, nothing', metricsType, 'm')
  await ask('no client metrics', metricsType, '', ['interval.ms', set, '5000'])
  for (const type of [0, 1, 3, 99, -1]) await ask(`type ${type}`, type, 'x', ['a', set, 'b'])
}
