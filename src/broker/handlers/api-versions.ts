// What this broker can do. Often a client's first request, but not always: KafkaJS asks one broker and believes it for all,
// so every broker answers the same.

import type { apiVersions } from '../../protocol/apis/api-versions.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { ResponseOf } from '../../protocol/schema/api.ts'
import type { Handler } from '../handler.ts'

type Versions = ResponseOf<typeof apiVersions>['apiKeys']

/** KIP-511: letters, digits, dots and dashes, beginning and ending with a letter or digit. */
const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

/**
 * Answers with `versions()`, read late because the table that yields them holds this handler too.
 * INVALID_REQUEST from v3 when the client's name or version is malformed. No features are listed: none is served yet.
 */
export function apiVersionsHandler(versions: () => Versions): Handler<typeof apiVersions> {
  return ({ connection, apiVersion }, { clientSoftwareName, clientSoftwareVersion }) => {
    let errorCode: ErrorCode = ErrorCode.NONE
    if (apiVersion >= 3) {
      if (SOFTWARE.test(clientSoftwareName) && SOFTWARE.test(clientSoftwareVersion)) {
        connection.clientSoftwareName = clientSoftwareName
        connection.clientSoftwareVersion = clientSoftwareVersion
      } else {
        errorCode = ErrorCode.INVALID_REQUEST
      }
    }
    return {
      errorCode,
      apiKeys: errorCode === ErrorCode.NONE ? versions() : [],
      throttleTimeMs: 0,
      supportedFeatures: [],
      finalizedFeaturesEpoch: -1,
      finalizedFeatures: [],
      zkMigrationReady: false,
    }
  }
}
