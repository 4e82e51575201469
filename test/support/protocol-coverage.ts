// The page docs/protocol-coverage.md, made from the table of served APIs and the list of all APIs of a broker's listener.

import { type ApiTable, apiTable } from '../../src/broker/api-table.ts'
import { allApis, ownApis } from '../../src/protocol/apis/index.ts'

export function protocolCoverage(table: ApiTable = apiTable): string {
  const rows = allApis
    .toSorted((a, b) => a.key - b.key)
    .map((api) => {
      const [min, max] = api.versions
      const served = table.get(api.key)
      const known = rangeText([min, max])
      const answer = served === undefined ? '-' : rangeText(served.versions)
      const note = served !== undefined && served.advertisedMin !== min ? `advertised from ${served.advertisedMin}` : ''
      const unstable = api.latestVersionUnstable ? `${max} is unstable in Kafka` : ''
      return `| ${api.key} | ${api.name} | ${known} | ${answer} | ${[note, unstable].filter(Boolean).join('; ')} |`
    })
  const own = ownApis.map(({ key, name, versions }) => `| ${key} | ${name} | ${rangeText(versions)} |`)
  const servedOfKafka = allApis.filter(({ key }) => table.has(key)).length
  return `# Protocol coverage

Generated from \`src/broker/api-table.ts\` by \`node scripts/protocol-coverage.ts\`; do not edit. An API or version that is not
served is not advertised. Versions are those of Apache Kafka 4.3.1.

${servedOfKafka} of ${allApis.length} APIs of the broker listener are served.

| Key | API | Kafka 4.3.1 | Served | Notes |
|---|---|---|---|---|
${rows.join('\n')}

Odradek's own are served as well, and not advertised: no client meets them that does not know of them.

| Key | API | Served |
|---|---|---|
${own.join('\n')}
`
}

function rangeText([min, max]: readonly [number, number]): string {
  return min === max ? `${min}` : `${min}-${max}`
}
