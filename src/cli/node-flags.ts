// With which flags Node runs a broker of its own. They only take effect on the command line, when V8 sets up its heap.

/**
 * `main.ts` says the same in its first line. The young generation is three such halves and fills before it is collected, whatever lives: a
 * broker's requests leave next to nothing behind, so more room there is only memory more. In MiB; 16 when not given.
 */
export const nodeFlags: readonly string[] = ['--max-semi-space-size=8']
