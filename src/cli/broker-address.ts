// Where brokers are, as `--bootstrap` says it.

import type { BrokerAddress } from './broker-client.ts'

/** `host:port,[::1]:port`; null when one of them is no address. */
export function addressesIn(text: string): readonly BrokerAddress[] | null {
  const addresses = text.split(',').map((each) => addressIn(each.trim()))
  return addresses.every((address) => address !== null) ? addresses : null
}

function addressIn(text: string): BrokerAddress | null {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? []
  const host = bracketed ?? plain
  return host === undefined || Number(port) > 65_535 ? null : { host, port: Number(port) }
}
