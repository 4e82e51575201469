// The example as a reader of its README would run it: each program in a process of its own.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { kafkaJs } from '../../test/support/kafkajs-client.ts'
import { run, RunningProcess } from '../../test/support/processes.ts'
import { startTarget, type Target } from '../../test/support/target.ts'
import { waitFor } from '../../test/support/wait-for.ts'

type Balances = Record<string, number>

describe('the bank', () => {
  let target: Target
  /** What the transactions written so far add up to. */
  const expected: Balances = {}

  before(async () => {
    target = await startTarget()
    const admin = kafkaJs(target.bootstrap).admin() // a target that outlives the test may have the topic of another run
    await admin.connect()
    if ((await admin.listTopics()).includes('bank.transactions')) {
      await admin.deleteTopics({ topics: ['bank.transactions'] })
      await waitFor('the old topic to be gone', async () => !(await admin.listTopics()).includes('bank.transactions'))
    }
    await admin.disconnect()
  })

  after(async () => {
    await target?.stop()
  })

  const program = (name: string) => join(import.meta.dirname, name)
  const env = () => ({ KAFKA_BROKER: target.bootstrap, KAFKAJS_NO_PARTITIONER_WARNING: '1' })

  async function transact(count: number): Promise<void> {
    const { stdout } = await run(process.execPath, [program('transactions.js'), String(count)], { env: env() })
    const transactions = stdout.trim().split('\n')
    assert.equal(transactions.length, count)
    for (const transaction of transactions) {
      const [account = '', type, amount] = transaction.split(' ')
      const balance = expected[account] ?? 0
      if (type === 'deposit') expected[account] = balance + Number(amount)
      else if (Number(amount) <= balance) expected[account] = balance - Number(amount)
      else expected[account] = balance
    }
  }

  function startMember(t: TestContext): RunningProcess {
    const member = new RunningProcess(process.execPath, [program('keep-balance.js')], { env: env() })
    t.after(() => member.kill('SIGKILL'))
    return member
  }

  /** What a member has printed since it was last given partitions. */
  function view(member: RunningProcess): { partitions: string[]; balances: Balances } {
    const lines = member.stdout.split('\n')
    lines.pop() // what follows the last line break is not whole yet
    const start = lines.findLastIndex((line) => line.startsWith('partitions'))
    const balances: Balances = {}
    for (const line of lines.slice(start + 1)) {
      const [, account = '', balance] = line.split(' ')
      balances[account] = Number(balance)
    }
    return { partitions: lines[start]?.split(' ').slice(1).filter(Boolean) ?? [], balances }
  }

  async function untilBalanced(...members: RunningProcess[]): Promise<void> {
    const kept = () => Object.assign({}, ...members.map((member) => view(member).balances)) as Balances
    await waitFor('the balances to be right', () => isDeepStrictEqual(kept(), expected)).catch(() => {
      assert.deepEqual(kept(), expected)
    })
  }

  test('balances follow the transactions, and come out the same when all is read again', async (t) => {
    const member = startMember(t)
    await transact(50)
    await untilBalanced(member)
    await transact(20)
    await untilBalanced(member)
    assert.equal((await member.stop()).code, 0)

    const restarted = startMember(t)
    await untilBalanced(restarted)
    await restarted.stop()
  })

  test('two members share the partitions and keep the right balances between them', async (t) => {
    const first = startMember(t)
    await waitFor('the whole topic', () => view(first).partitions.length === 4)
    const second = startMember(t)
    await waitFor('two shares', () => [first, second].every((member) => view(member).partitions.length === 2))
    await transact(50)
    await untilBalanced(first, second)
    const keptByBoth = Object.keys(view(first).balances).filter((account) => account in view(second).balances)
    assert.deepEqual(keptByBoth, [])

    await second.stop()
    await waitFor('the whole topic', () => view(first).partitions.length === 4)
    await untilBalanced(first)
    await first.stop()
  })
})
