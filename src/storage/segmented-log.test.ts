import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { MemoryDisk } from '../io/disk.memory.ts'
import { realDisk } from '../io/disk.real.ts'
import { partitionLogContract } from './partition-log.contract.ts'

partitionLogContract('memory', async () => ({ disk: new MemoryDisk(), path: '/data' }))

const folders: string[] = []
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

partitionLogContract('real', async () => {
  const path = await mkdtemp(join(tmpdir(), 'odradek-log-'))
  folders.push(path)
  return { disk: realDisk, path }
})
