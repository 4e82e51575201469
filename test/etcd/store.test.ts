// The suites of the metadata store on a real etcd of one member, and of three, side by side.

import { after, describe } from 'node:test'
import { EtcdUnderTest } from '../support/etcd.ts'
import { withoutEtcd } from '../support/tools.ts'
import { metaStoreSuites } from './suites.ts'

const skip = withoutEtcd()

describe('the metadata store on etcd', { skip, concurrency: true }, () => {
  for (const { name, members } of [
    { name: 'one member', members: 1 },
    { name: 'three members', members: 3 },
  ]) {
    describe(name, { concurrency: 1 }, () => {
      metaStoreSuites(name, EtcdUnderTest.start({ after }, { members }))
    })
  }
})
