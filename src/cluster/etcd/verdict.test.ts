import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EtcdError, status } from '../../io/etcd.ts'
import { type Verdict, verdictOf } from './verdict.ts'

const cases: { what: string; code: keyof typeof status; message: string; sent?: boolean; verdict: Verdict }[] = [
  {
    what: 'a connection that was refused',
    code: 'UNAVAILABLE',
    message: 'No connection established',
    sent: false,
    verdict: 'elsewhere',
  },
  {
    what: 'an attempt given up before it was sent',
    code: 'CANCELLED',
    message: 'given up',
    sent: false,
    verdict: 'elsewhere',
  },
  { what: 'an attempt given up after it was sent', code: 'CANCELLED', message: 'given up', verdict: 'unknown' },
  { what: 'a connection that broke', code: 'UNAVAILABLE', message: 'read ECONNRESET', verdict: 'unknown' },
  { what: 'no leader', code: 'UNAVAILABLE', message: 'etcdserver: no leader', verdict: 'elsewhere' },
  {
    what: 'too much to do',
    code: 'RESOURCE_EXHAUSTED',
    message: 'etcdserver: too many requests',
    verdict: 'elsewhere',
  },
  { what: 'a timeout at etcd', code: 'UNAVAILABLE', message: 'etcdserver: request timed out', verdict: 'unknown' },
  { what: 'a member that stops', code: 'UNAVAILABLE', message: 'etcdserver: server stopped', verdict: 'unknown' },
  { what: 'a deadline at etcd', code: 'UNKNOWN', message: 'context deadline exceeded', verdict: 'unknown' },
  { what: 'an old token', code: 'UNAUTHENTICATED', message: 'etcdserver: invalid auth token', verdict: 'authenticate' },
  {
    what: 'a token from before users were changed',
    code: 'INVALID_ARGUMENT',
    message: 'etcdserver: revision of auth store is old',
    verdict: 'authenticate',
  },
  {
    what: 'a lease that is gone',
    code: 'NOT_FOUND',
    message: 'etcdserver: requested lease not found',
    verdict: 'refused',
  },
  {
    what: 'a full etcd',
    code: 'RESOURCE_EXHAUSTED',
    message: 'etcdserver: mvcc: database space exceeded',
    verdict: 'refused',
  },
  {
    what: 'an answer too large for this client',
    code: 'RESOURCE_EXHAUSTED',
    message: 'Received message larger than max',
    verdict: 'unknown',
  },
  { what: 'a server that is no etcd', code: 'UNIMPLEMENTED', message: 'unknown service', verdict: 'refused' },
]

for (const { what, code, message, sent, verdict } of cases) {
  test(`${what}: ${verdict}`, () => {
    assert.equal(verdictOf(new EtcdError(status[code], `10.0.0.1:2379: ${message}`, sent ?? true)), verdict)
  })
}
