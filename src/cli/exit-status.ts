// What the process tells its parent when it ends by itself.

/** It could not start, could not go on, or was told twice to stop. */
export const EXIT_FAULT = 1
/** The command line or a setting is wrong. */
export const EXIT_USAGE = 2
