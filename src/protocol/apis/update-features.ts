// Versions. 1: dry run; kind of change in place of permission to downgrade. 2: no more results for single features:
// all or nothing (KIP-1022).

import {
  api,
  array,
  bool,
  emptyOrNull,
  errorCode,
  ignorable,
  int16,
  int32,
  int8,
  since,
  string,
  struct,
  until,
  withDefault,
} from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const featureUpdateKey = struct({
  feature: string,
  maxVersionLevel: int16,
  allowDowngrade: until(0, bool),
  upgradeType: since(1, withDefault(int8, 1)),
})

const updatableFeatureResult = struct({
  feature: string,
  errorCode,
  errorMessage: emptyOrNull(string),
})

/** Finalizes feature levels for the whole cluster (KIP-584). */
export const updateFeatures = api({
  key: 57,
  name: 'UpdateFeatures',
  versions: [0, 2],
  flexibleSince: 0,
  request: {
    timeoutMs: withDefault(int32, 60000),
    featureUpdates: array(featureUpdateKey),
    validateOnly: since(1, bool),
  },
  response: {
    throttleTimeMs: int32,
    errorCode,
    errorMessage: emptyOrNull(string),
    results: until(1, ignorable(array(updatableFeatureResult))),
  },
})

export type UpdateFeaturesRequest = RequestOf<typeof updateFeatures>
export type UpdateFeaturesResponse = ResponseOf<typeof updateFeatures>
