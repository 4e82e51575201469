// What a thread that cleans and the one that asked it to say to each other. After `clean` comes `cleaned` for each new segment, answered by
// `swapped`, and at last `done` or `failed`.

import type { CleanedSegment, CleaningJob, CleaningResult } from './cleaning-job.ts'

export type ToCleaner = { readonly kind: 'clean'; readonly job: CleaningJob } | { readonly kind: 'swapped' }

export type FromCleaner =
  | { readonly kind: 'cleaned'; readonly segment: CleanedSegment }
  | { readonly kind: 'done'; readonly result: CleaningResult }
  | { readonly kind: 'failed'; readonly error: Error }
