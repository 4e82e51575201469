// A broker must not open a folder that is still Apache Kafka's: before any of its files is touched.

import type { Disk } from '../../io/disk.ts'
import { metaPropertiesName } from '../../storage/directory-start.ts'
import { parseLogFolderName } from '../../storage/log-folder-name.ts'
import { metadataFolder } from '../metadata.ts'
import { StartRefused } from '../start-refused.ts'
import { adoptingFolder } from './kafka-folder.ts'
import { whoseMetadata } from './whose-metadata.ts'

/** Rejects with `StartRefused` when the folder's logs are not, or not yet, Odradek's. `shared`: its metadata is elsewhere. */
export async function refuseUnadopted(disk: Disk, path: string, { shared }: { shared: boolean }): Promise<void> {
  const entries = await disk.list(path)
  const names = new Set(entries.map(({ name }) => name))
  if (names.has(adoptingFolder)) {
    throw new StartRefused(
      `the adoption of Apache Kafka's logs in ${path} was interrupted; run odradek adopt once more`,
    )
  }
  const metadata = `${path}/${metadataFolder}`
  if (names.has(metadataFolder) && (await whoseMetadata(disk, metadata)) === 'kafka') {
    throw new StartRefused(`${path} is a data folder of Apache Kafka; odradek adopt ${path} takes it over`)
  }
  if (shared && names.has(metadataFolder)) {
    throw new StartRefused(
      `${path} is the data folder of a broker on its own, with its metadata in it; a broker of a cluster needs another one`,
    )
  }
  const holdsLogs = entries.some(({ name, kind }) => kind === 'folder' && parseLogFolderName(name) !== null)
  if (!holdsLogs || names.has(metadataFolder) || (shared && names.has(metaPropertiesName))) return
  throw new StartRefused(
    `${path} holds logs; if they are Apache Kafka's, odradek adopt ${path} takes them over; ` +
      `else the metadata that names their topics is gone; restore ${metadata} from a backup`,
  )
}
