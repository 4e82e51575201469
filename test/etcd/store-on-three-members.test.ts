import { after, test } from 'node:test'
import { EtcdUnderTest } from '../support/etcd.ts'
import { withoutEtcd } from '../support/tools.ts'
import { metaStoreSuites } from './suites.ts'

const skip = withoutEtcd()
if (skip === false) metaStoreSuites('etcd, three members', await EtcdUnderTest.start({ after }, { members: 3 }))
else test('the metadata store on etcd', { skip })
