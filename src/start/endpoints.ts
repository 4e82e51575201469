// Where clients are told to go. Without advertised.listeners a client is sent to the address it came by, which is right behind
// port 0, on every network interface, and for `localhost`.

import type { ConnectionInfo } from '../broker/handler.ts'
import type { ListenerAddress } from '../broker/server.ts'
import type { ClusterView, EndpointImage } from '../cluster/image.ts'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'

/** What this broker registers for other brokers and their clients: its advertised listeners, else where it really listens. */
export function registeredEndpoints(settings: BrokerSettings, bound: readonly ListenerAddress[]): EndpointImage[] {
  const addresses = settings.advertisedListeners ?? bound
  return addresses.map(({ name, host, port }) => {
    const open = bound.find((listener) => listener.name === name)
    return {
      listener: name,
      host: isAnyAddress(host) ? 'localhost' : host,
      port: port === 0 ? (open?.port ?? 0) : port,
    }
  })
}

export function endpointLookup(
  brokerId: number,
  settings: BrokerSettings,
  cluster: ClusterView,
): (brokerId: number, connection: ConnectionInfo) => EndpointImage | null {
  return (id, connection) => {
    if (id === brokerId && settings.advertisedListeners === null) {
      return { listener: connection.listener, host: connection.localHost, port: connection.localPort }
    }
    const endpoints = cluster.image.brokers.get(id)?.endpoints
    return endpoints?.find(({ listener }) => listener === connection.listener) ?? null
  }
}

const isAnyAddress = (host: string): boolean => host === '' || host === '0.0.0.0' || host === '::'
