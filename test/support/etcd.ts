// etcd for tests: members of their own on free ports, with data in temporary folders, gone with the test.

import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type EtcdTls, realEtcd } from '../../src/io/etcd.real.ts'
import { status } from '../../src/io/etcd.ts'
import { RunningProcess } from './processes.ts'
import { waitFor } from './wait-for.ts'

export interface EtcdOptions {
  readonly members?: number
  /** More of etcd's own. */
  readonly flags?: readonly string[]
  /** Files in PEM; with `ca` clients must show a certificate. The same is given to `tls` to ask whether the member is there. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly ca?: string; readonly client: EtcdTls }
}

/** What is on the `etcd` that tests start. */
const flags = ['--pre-vote', '--log-level=error', '--logger=zap']

export class EtcdUnderTest {
  readonly endpoints: readonly string[]
  readonly #urls: readonly string[]
  readonly #peerUrls: readonly string[]
  readonly #folder: string
  readonly #options: EtcdOptions
  readonly #processes: (RunningProcess | undefined)[] = []

  /** Resolves when every member answers. */
  static async start(
    t: TestContext | { after(done: () => Promise<void>): void },
    options: EtcdOptions = {},
  ): Promise<EtcdUnderTest> {
    const count = options.members ?? 1
    const ports = await freePorts(2 * count)
    const folder = await mkdtemp(join(tmpdir(), 'odradek-etcd-'))
    const etcd = new EtcdUnderTest(folder, ports.slice(0, count), ports.slice(count), options)
    t.after(() => etcd.stop())
    for (let i = 0; i < count; i++) etcd.startMember(i)
    for (let i = 0; i < count; i++) await etcd.ready(i)
    return etcd
  }

  private constructor(folder: string, ports: readonly number[], peerPorts: readonly number[], options: EtcdOptions) {
    const scheme = options.tls === undefined ? 'http' : 'https'
    this.#folder = folder
    this.#options = options
    this.#urls = ports.map((port) => `${scheme}://127.0.0.1:${port}`)
    this.#peerUrls = peerPorts.map((port) => `http://127.0.0.1:${port}`)
    this.endpoints = ports.map((port) => `127.0.0.1:${port}`)
  }

  /** With the data it had. */
  startMember(i: number): void {
    const url = this.#urls[i]!
    const peerUrl = this.#peerUrls[i]!
    const { tls } = this.#options
    const security = tls === undefined ? [] : [`--cert-file=${tls.certificate}`, `--key-file=${tls.key}`]
    if (tls?.ca !== undefined) security.push('--client-cert-auth', `--trusted-ca-file=${tls.ca}`)
    this.#processes[i] = new RunningProcess('etcd', [
      `--name=m${i}`,
      `--data-dir=${join(this.#folder, `m${i}`)}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=${this.#peerUrls.map((peer, j) => `m${j}=${peer}`).join()}`,
      ...flags,
      ...(this.#options.flags ?? []),
      ...security,
    ])
  }

  /** Resolves when the member answers, and has a leader. */
  async ready(i: number): Promise<void> {
    const member = realEtcd(this.#options.tls?.client).member(this.endpoints[i]!)
    try {
      await waitFor(`etcd at ${this.endpoints[i]}`, async () => {
        if (this.#processes[i]?.running !== true) throw new Error(`it ended: ${this.#processes[i]?.stderr}`)
        const signal = AbortSignal.timeout(1000)
        return member.call('range', { key: Buffer.from('x') }, { token: null, signal }).then(
          () => true,
          // With users it answers that it wants to know who asks.
          (error: { code?: number }) => error.code === status.INVALID_ARGUMENT,
        )
      })
    } finally {
      member.close()
    }
  }

  /** kill -9. */
  async kill(i: number): Promise<void> {
    this.#processes[i]?.kill('SIGKILL')
    await this.#processes[i]?.finished
  }

  /** When it returns the member stands still: the signal alone lets its threads run on for a moment. */
  freeze(i: number): void {
    const process = this.#processes[i]
    if (process === undefined || process === null) return
    process.kill('SIGSTOP')
    while (!standsStill(process.pid)) continue
  }

  thaw(i: number): void {
    this.#processes[i]?.kill('SIGCONT')
  }

  /** Every member runs and answers. */
  async repair(): Promise<void> {
    for (const [i, process] of this.#processes.entries()) {
      if (process?.running === true) this.thaw(i)
      else this.startMember(i)
    }
    for (const i of this.#processes.keys()) await this.ready(i)
  }

  /** The leader's index. */
  async leader(): Promise<number> {
    const ids = new Map<string, number>()
    let leader = ''
    for (const i of this.endpoints.keys()) {
      const status = (await this.ask(i, 'maintenance/status', {})) as { header: { member_id: string }; leader: string }
      ids.set(status.header.member_id, i)
      leader = status.leader
    }
    return ids.get(leader)!
  }

  /** By etcd's JSON API, for what Odradek itself never does. */
  async ask(i: number, path: string, body: object, token?: string): Promise<unknown> {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: token }
    const response = await fetch(`${this.#urls[i]}/v3/${path}`, { method: 'POST', body: JSON.stringify(body), headers })
    const answer: unknown = await response.json()
    if (!response.ok) throw new Error(`etcd, ${path}: ${JSON.stringify(answer)}`)
    return answer
  }

  async compact(revision: number): Promise<void> {
    await this.ask(0, 'kv/compaction', { revision: String(revision) })
  }

  /** Users and passwords from now on: `root` with the password `root`, and one who may do everything below `prefix`. */
  async enableUsers(user: { readonly name: string; readonly password: string }, prefix: string): Promise<void> {
    const last = prefix.slice(0, -1) + String.fromCodePoint(prefix.codePointAt(prefix.length - 1)! + 1)
    const perm = { permType: 2, key: base64(prefix), range_end: base64(last) }
    await this.ask(0, 'auth/user/add', { name: 'root', password: 'root' })
    await this.ask(0, 'auth/role/add', { name: 'root' })
    await this.ask(0, 'auth/user/grant', { user: 'root', role: 'root' })
    await this.ask(0, 'auth/user/add', user)
    await this.ask(0, 'auth/role/add', { name: 'brokers' })
    await this.ask(0, 'auth/role/grant', { name: 'brokers', perm })
    await this.ask(0, 'auth/user/grant', { user: user.name, role: 'brokers' })
    await this.ask(0, 'auth/enable', {})
  }

  async stop(): Promise<void> {
    for (const i of this.#processes.keys()) await this.kill(i)
    await rm(this.#folder, { recursive: true, force: true })
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** Ports that nobody listened on a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve)
      })
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  for (const server of servers) server.close()
  return ports
}

/** Whether each thread has stopped, where the system tells (proc(5)); elsewhere true. */
function standsStill(pid: number): boolean {
  const threads = `/proc/${pid}/task`
  try {
    return readdirSync(threads).every((id) => /\) [TZX]/.test(readFileSync(`${threads}/${id}/stat`, 'utf8')))
  } catch {
    return true
  }
}
