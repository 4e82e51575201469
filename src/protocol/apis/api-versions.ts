// Versions. 1: throttle time. 2: a throttled answer comes at once and the client waits (KIP-219). 3: flexible, but
// never in the header of the response; client name and version (KIP-511); features (KIP-584). 4: features whose
// lowest version is 0 are listed too.

import {
  api,
  array,
  bool,
  errorCode,
  ignorable,
  int16,
  int32,
  int64,
  since,
  string,
  struct,
  tagged,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const supportedFeatureKey = struct({
  name: string,
  minVersion: int16,
  maxVersion: int16,
})

const finalizedFeatureKey = struct({
  name: string,
  maxVersionLevel: int16,
  minVersionLevel: int16,
})

/** Which APIs the broker serves, in which versions. An unknown version is answered in version 0 (KIP-511). */
export const apiVersions = api({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 4],
  flexibleSince: 3,
  request: {
    clientSoftwareName: since(3, ignorable(string)),
    clientSoftwareVersion: since(3, ignorable(string)),
  },
  response: {
    errorCode,
    apiKeys: array(struct({ apiKey: int16, minVersion: int16, maxVersion: int16 })),
    throttleTimeMs: since(1, ignorable(int32)),
    supportedFeatures: since(3, ignorable(tagged(0, array(supportedFeatureKey)))),
    finalizedFeaturesEpoch: since(3, ignorable(tagged(1, int64, -1))),
    finalizedFeatures: since(3, ignorable(tagged(2, array(finalizedFeatureKey)))),
    zkMigrationReady: since(3, ignorable(tagged(3, bool))),
  },
})

export type ApiVersionsRequest = RequestOf<typeof apiVersions>
export type ApiVersionsResponse = ResponseOf<typeof apiVersions>
