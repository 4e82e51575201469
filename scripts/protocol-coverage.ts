// Writes docs/protocol-coverage.md from the API table: `node scripts/protocol-coverage.ts`.
// A test fails while the page does not say what the table says.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { protocolCoverage } from '../test/support/protocol-coverage.ts'

writeFileSync(join(import.meta.dirname, '../docs/protocol-coverage.md'), protocolCoverage())
