// Certificates for tests, made by openssl: an authority, and what it has signed.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './processes.ts'

export interface Certificate {
  /** Files in PEM. */
  readonly certificate: string
  readonly key: string
}

export class CertificateAuthority {
  /** File in PEM. */
  readonly certificate: string
  readonly #folder: string

  static async make(folder: string): Promise<CertificateAuthority> {
    await openssl(folder, 'req', '-x509', ...newKey('ca.key'), '-out', 'ca.pem', '-subj', '/CN=ca', '-days', '2')
    return new CertificateAuthority(folder)
  }

  private constructor(folder: string) {
    this.#folder = folder
    this.certificate = join(folder, 'ca.pem')
  }

  /** `names`: as openssl writes them, `IP:127.0.0.1` or `DNS:etcd.local`. */
  async sign(commonName: string, names: string): Promise<Certificate> {
    const folder = this.#folder
    const file = (ending: string): string => `${commonName}.${ending}`
    await openssl(folder, 'req', ...newKey(file('key')), '-out', file('csr'), '-subj', `/CN=${commonName}`)
    await writeFile(join(folder, file('ext')), `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`)
    const issuer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2']
    await openssl(folder, 'x509', '-req', '-in', file('csr'), ...issuer, '-extfile', file('ext'), '-out', file('pem'))
    return { certificate: join(folder, file('pem')), key: join(folder, file('key')) }
  }

  async bytes(): Promise<Uint8Array> {
    return readFile(this.certificate)
  }
}

function newKey(file: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file]
}

async function openssl(folder: string, ...args: string[]): Promise<void> {
  await run('openssl', args, { cwd: folder })
}
