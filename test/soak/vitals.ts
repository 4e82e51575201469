// What a broker process holds while it runs: memory, open files, and what lies in its folder.

import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'

export interface Vitals {
  readonly rssBytes: number
  readonly openFiles: number
  /** In the data folder and below. */
  readonly files: number
  readonly dataBytes: number
}

/** Null when the process ended meanwhile. */
export async function vitalsOf(pid: number, data: string): Promise<Vitals | null> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const rssKilobytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1])
    if (Number.isNaN(rssKilobytes)) return null
    const openFiles = (await readdir(`/proc/${pid}/fd`)).length
    return { rssBytes: rssKilobytes * 1024, openFiles, ...(await sizeOf(data)) }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Files that go while they are counted do not count. */
export async function sizeOf(folder: string): Promise<{ files: number; dataBytes: number }> {
  let files = 0
  let dataBytes = 0
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => null)
    if (found === null) continue
    files += 1
    dataBytes += found.size
  }
  return { files, dataBytes }
}
