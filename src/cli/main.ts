#!/usr/bin/env -S node --max-semi-space-size=8
// The command `odradek`; its flags are those of node-flags.ts. Nothing else is loaded before the Node version is known to be able to.

const oldest = [22, 18] as const

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  process.stderr.write(`odradek: needs Node.js ${oldest.join('.')} or newer, and this is ${process.versions.node}\n`)
  process.exit(1)
}
const { widenThreadPool } = await import('./thread-pool.ts')
widenThreadPool(process.env)
const { keepCompiledCode } = await import('./compile-cache.ts')
keepCompiledCode()
const { program } = await import('./program.ts')
const args = process.argv.slice(2)
await (await program(args)).parseAsync(args, { from: 'user' })
