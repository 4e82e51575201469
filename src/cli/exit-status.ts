// What the process tells its parent when it ends by itself.

/** It could not start, could not go on, or was told twice to stop. */
export const EXIT_FAULT = 1
/** The command line or a setting is wrong. */
export const EXIT_USAGE = 2
/** `verify` found records that are lost or wrong. */
export const EXIT_DAMAGE = 1
/** `verify` could not look: a broker uses the folder, or the system does not let it in. */
export const EXIT_NOT_VERIFIED = 3
/** `cluster` found partitions without a leader, or without all of their replicas. */
export const EXIT_UNSOUND = 1
/** `group`: there is no such group, or it cannot be done while members are active. */
export const EXIT_REFUSED = 1
/** `cluster` and `group` found no broker that answers. */
export const EXIT_NOT_ASKED = 3
