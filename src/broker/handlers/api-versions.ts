// What this broker can do. Often a client's first request, but not always: KafkaJS asks one broker and believes it for all,
// so every broker answers the same.

import type { apiVersions, ApiVersionsResponse } from '../../protocol/apis/api-versions.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler } from '../handler.ts'
import { advertised, type AdvertisedVersions, type ServedApi } from '../served-api.ts'

/** KIP-511: letters, digits, dots and dashes, beginning and ending with a letter or digit. */
const softwarePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/**
 * Answers with `versions()`, read late because the table that yields them holds this handler too.
 * INVALID_REQUEST from v3 when the client's name or version is malformed. No features are listed: none is served yet.
 */
export function apiVersionsHandler(versions: () => AdvertisedVersions): Handler<typeof apiVersions> {
  return ({ connection, apiVersion }, { clientSoftwareName, clientSoftwareVersion }) => {
    if (apiVersion >= 3) {
      if (!softwarePattern.test(clientSoftwareName) || !softwarePattern.test(clientSoftwareVersion)) {
        return answer(ErrorCode.INVALID_REQUEST, [])
      }
      connection.clientSoftwareName = clientSoftwareName
      connection.clientSoftwareVersion = clientSoftwareVersion
    }
    return answer(ErrorCode.NONE, versions())
  }
}

/** The answer in a version the client asked for and we do not know: what it may ask for, to be written as version 0 (KIP-511). */
export function unsupportedApiVersions(served: ServedApi): ApiVersionsResponse {
  return answer(ErrorCode.UNSUPPORTED_VERSION, advertised([served]))
}

function answer(errorCode: ErrorCode, apiKeys: AdvertisedVersions): ApiVersionsResponse {
  return {
    errorCode,
    apiKeys,
    throttleTimeMs: 0,
    supportedFeatures: [],
    finalizedFeaturesEpoch: -1,
    finalizedFeatures: [],
    zkMigrationReady: false,
  }
}
