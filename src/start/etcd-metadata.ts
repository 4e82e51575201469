// The metadata in etcd, as the settings say where and as whom.

import { EtcdMetaStore } from '../cluster/etcd/etcd-store.ts'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import type { Clock } from '../io/clock.ts'
import type { Disk } from '../io/disk.ts'
import { type EtcdTls, realEtcd } from '../io/etcd.real.ts'
import type { Logger } from '../lib/logger.ts'
import type { SharedMetadata } from './metadata.ts'
import { StartRefused } from './start-refused.ts'

export interface EtcdMetadataOptions {
  readonly settings: BrokerSettings
  /** Holds the files that the settings name. */
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
}

/** Rejects with `StartRefused` when etcd cannot be reached, or refuses this user, or a file cannot be read. */
export async function openEtcdMetadata({
  settings,
  disk,
  clock,
  logger,
}: EtcdMetadataOptions): Promise<SharedMetadata> {
  const { etcdEndpoints, etcdNamespace: namespace, etcdUsername: name, etcdPasswordFile } = settings
  const endpoints = etcdEndpoints ?? []
  const tls = await tlsOf(settings, disk)
  const user =
    name !== null && etcdPasswordFile !== null
      ? { name, password: new TextDecoder().decode(await required(disk, etcdPasswordFile)).replace(/\r?\n$/, '') }
      : undefined
  try {
    const store = await EtcdMetaStore.connect({
      door: realEtcd(tls),
      endpoints,
      namespace,
      ...(user !== undefined && { user }),
      clock,
      logger,
    })
    // It is there again some time: nothing of it is ever final.
    return { store, failed: new Promise(() => {}) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartRefused(`etcd at ${endpoints.join(', ')} cannot be used: ${reason}`, { cause: error })
  }
}

/** Undefined: without encryption, unless an endpoint says otherwise. */
async function tlsOf(settings: BrokerSettings, disk: Disk): Promise<EtcdTls | undefined> {
  const { etcdTlsCaFile, etcdTlsCertificateFile, etcdTlsKeyFile, etcdTlsServerName: serverName } = settings
  if ([etcdTlsCaFile, etcdTlsCertificateFile, etcdTlsKeyFile, serverName].every((given) => given === null)) {
    return undefined
  }
  return {
    ...(etcdTlsCaFile !== null && { ca: await required(disk, etcdTlsCaFile) }),
    ...(etcdTlsCertificateFile !== null && { certificate: await required(disk, etcdTlsCertificateFile) }),
    ...(etcdTlsKeyFile !== null && { key: await required(disk, etcdTlsKeyFile) }),
    ...(serverName !== null && { serverName }),
  }
}

async function required(disk: Disk, file: string): Promise<Uint8Array> {
  const bytes = await disk.readFile(file)
  if (bytes === null) throw new StartRefused(`there is no file ${file}`)
  return bytes
}
