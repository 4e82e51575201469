import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryDisk } from '../io/disk.memory.ts'
import { realDisk } from '../io/disk.real.ts'
import { partitionLogContract } from './partition-log.contract.ts'

partitionLogContract('memory', async () => ({ disk: new MemoryDisk(), path: '/data' }))

partitionLogContract('real', async (t) => {
  const path = await mkdtemp(join(tmpdir(), 'odradek-log-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return { disk: realDisk, path }
})
