import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiVersions, type ApiVersionsResponse } from '../../protocol/apis/api-versions.ts'
import { produce } from '../../protocol/apis/produce.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { AnswerSize } from '../answer-size.ts'
import { FetchTurns } from '../fetch-turns.ts'
import type { ConnectionInfo, Handler } from '../handler.ts'
import { serve } from '../served-api.ts'
import { apiVersionsHandler, unsupportedApiVersions } from './api-versions.ts'

const versions = [
  { apiKey: 0, minVersion: 0, maxVersion: 13 },
  { apiKey: 18, minVersion: 0, maxVersion: 4 },
]

function ask(apiVersion: number, clientSoftwareName = '', clientSoftwareVersion = '') {
  const connection: ConnectionInfo = {
    id: 1,
    listener: 'PLAINTEXT',
    localHost: 'localhost',
    localPort: 9092,
    remoteAddress: '127.0.0.1',
    remotePort: 50_000,
    clientSoftwareName: 'unknown',
    clientSoftwareVersion: 'unknown',
    fetchTurns: new FetchTurns(),
    answerSize: new AnswerSize(),
    signal: new AbortController().signal,
  }
  const handle = apiVersionsHandler(() => versions)
  const context = { connection, apiVersion, clientId: 'me', principal: 'User:ANONYMOUS' }
  const response = handle(context, { clientSoftwareName, clientSoftwareVersion }) as ApiVersionsResponse
  return { response, software: [connection.clientSoftwareName, connection.clientSoftwareVersion] }
}

for (const apiVersion of [0, 1, 2]) {
  test(`version ${apiVersion} says nothing of the client and is answered with every range`, () => {
    const { response, software } = ask(apiVersion)
    assert.deepEqual([response.errorCode, response.apiKeys], [ErrorCode.NONE, versions])
    assert.deepEqual(software, ['unknown', 'unknown'])
  })
}

for (const [name, version] of [
  ['apache-kafka-java', '4.3.1'],
  ['librdkafka', '2.11.0'],
  ['a.b-c', '1.0.0-rc.1'],
] as const) {
  test(`from version 3 a client called ${name} ${version} is remembered`, () => {
    const { response, software } = ask(3, name, version)
    assert.deepEqual([response.errorCode, response.apiKeys], [ErrorCode.NONE, versions])
    assert.deepEqual(software, [name, version])
  })
}

for (const [name, version] of [
  ['', '1'],
  ['a', ''],
  ['-a', '1'],
  ['a-', '1'],
  ['a', '.1'],
  ['a', '1.'],
  ['a b', '1'],
  ['a', '1\n'],
  ['@platformatic/kafka', '1'],
  ['ä', '1'],
] as const) {
  for (const apiVersion of [3, 4]) {
    const title = `version ${apiVersion} of a client called ${JSON.stringify(name)} ${JSON.stringify(version)}`
    test(`${title} is an invalid request (KIP-511)`, () => {
      const { response, software } = ask(apiVersion, name, version)
      assert.deepEqual([response.errorCode, response.apiKeys], [ErrorCode.INVALID_REQUEST, []])
      assert.deepEqual(software, ['unknown', 'unknown'])
    })
  }
}

test('no features are listed, and none is finalized', () => {
  const { response } = ask(4, 'a', '1')
  assert.deepEqual(
    [response.supportedFeatures, response.finalizedFeatures, response.finalizedFeaturesEpoch, response.throttleTimeMs],
    [[], [], -1, 0],
  )
})

test('a version we do not know is answered with the range a client may ask in', () => {
  const { errorCode, apiKeys } = unsupportedApiVersions(
    serve(
      apiVersions,
      apiVersionsHandler(() => versions),
    ),
  )
  assert.equal(errorCode, ErrorCode.UNSUPPORTED_VERSION)
  assert.deepEqual(apiKeys, [{ apiKey: 18, minVersion: 0, maxVersion: 4 }])
})

test('an unstable latest version is neither served nor advertised', () => {
  const noProduce: Handler<typeof produce> = () => null
  const [min, max] = produce.versions
  assert.deepEqual(serve({ ...produce, latestVersionUnstable: true }, noProduce).versions, [min, max - 1])
  assert.deepEqual(serve(produce, noProduce).versions, [min, max])
})
