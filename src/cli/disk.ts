// `odradek disk`: what takes room in a data folder, what the disk budget deletes next, and when it is used up. It shows the report that the
// broker writes into the folder, so that it disturbs nobody.

import { Command, InvalidArgumentError } from 'commander'
import { systemClock } from '../io/clock.ts'
import { realDisk } from '../io/disk.real.ts'
import { DiskError } from '../io/disk.ts'
import { decodeDiskReport, type DiskReport, diskReportFileName } from '../storage/disk/disk-report.ts'
import { forecast } from '../storage/disk/forecast.ts'
import { diskView } from './disk-view.ts'
import { EXIT_FAULT } from './exit-status.ts'
import { defaultData } from './start-settings.ts'

interface DiskOptions {
  readonly data: string
  readonly next: number
  readonly json?: boolean
}

const nextDefault = 10

export function diskCommand(): Command {
  return new Command('disk')
    .description('Show what takes room in a data folder, what the disk budget deletes next, and when it is used up.')
    .option('--data <folder>', 'the data folder', defaultData)
    .option('--next <number>', 'how many of the segments to show that go next', count, nextDefault)
    .option('--json', 'one JSON object instead of lines')
    .addHelpText('after', `\nFor example: odradek disk --data ./orders`)
    .action((options: DiskOptions) => run(options))
}

async function run({ data, next, json = false }: DiskOptions): Promise<void> {
  const report = await reportIn(data)
  if (report === null) {
    process.stderr.write(
      `odradek: there is no ${diskReportFileName} in ${data}: a broker writes one a few seconds after its start; ` +
        `start one with 'odradek start --data ${data}', or say with --data where its folder is\n`,
    )
    process.exitCode = EXIT_FAULT
    return
  }
  const running = await isHeld(data)
  const nowMs = systemClock.now()
  if (json) {
    const shown = { ...report, next: report.next.slice(0, next), forecast: forecast(report), running }
    process.stdout.write(`${JSON.stringify(shown)}\n`)
  } else {
    process.stdout.write(`${diskView(report, { folder: data, nowMs, running, nextMax: next }).join('\n')}\n`)
  }
}

async function reportIn(data: string): Promise<DiskReport | null> {
  const bytes = await realDisk.readFile(`${data}/${diskReportFileName}`)
  return bytes === null ? null : decodeDiskReport(bytes)
}

/** Whether a broker has the folder; null where this user cannot tell. */
async function isHeld(data: string): Promise<boolean | null> {
  try {
    const lock = await realDisk.lock(data)
    await lock?.release()
    return lock === null
  } catch (error) {
    if (error instanceof DiskError) return null
    throw error
  }
}

function count(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError('How many is a number from 0 to 9999.')
  return Number(text)
}
