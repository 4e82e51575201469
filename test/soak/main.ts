// node test/soak/main.ts [--minutes 10] [--kill-every 30]: the soak as long as one likes, with a line of figures now and then.

import { parseArgs } from 'node:util'
import { assertNoGrowth, soak } from './soak.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, 'kill-every': { type: 'string', default: '30' } },
})
const report = await soak({
  seconds: Number(values.minutes) * 60,
  killEverySeconds: Number(values['kill-every']),
  say: (line) => console.log(line),
})
for (const what of ['rssBytes', 'openFiles', 'files', 'dataBytes'] as const) {
  const all = report.samples.map((sample) => sample[what])
  console.log(`${what}: least ${Math.min(...all)}, most ${Math.max(...all)}, at the end ${all.at(-1)}`)
}
assertNoGrowth(report.samples, 'rssBytes', 1.25)
assertNoGrowth(report.samples, 'openFiles', 1.25)
assertNoGrowth(report.samples, 'files', 1.5)
console.log(`${report.kills} kills; written ${JSON.stringify(report.records)}; nothing lost, nothing grew`)
