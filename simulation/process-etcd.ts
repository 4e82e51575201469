// etcd as a process sees it that may be frozen or dead: what etcd answers meanwhile waits, or comes to nobody.

import type { EtcdDoor, EtcdMember } from '../src/io/etcd.ts'
import type { ProcessLife } from './process-life.ts'

export function etcdOf(door: EtcdDoor, life: ProcessLife): EtcdDoor {
  return {
    member(endpoint) {
      const member = door.member(endpoint)
      return {
        endpoint: member.endpoint,
        call: (method, request, options) => life.gate(member.call(method, request, options)),
        watch: (options, handler) =>
          member.watch(options, {
            response: (response) => life.enter(() => handler.response(response)),
            ended: (error) => life.enter(() => handler.ended(error)),
          }),
        close: () => member.close(),
      } satisfies EtcdMember
    },
  }
}
