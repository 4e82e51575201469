// How many threads read and sync files for a broker of its own.

/**
 * Four is Node's own number, and what waits for a disk takes a thread each: a sync per log that was written to, a read per consumer that is
 * behind. The processes that this one starts have as many. Before anything uses the pool, which takes its size once; `UV_THREADPOOL_SIZE`
 * in the environment says otherwise.
 */
export function widenThreadPool(environment: NodeJS.ProcessEnv): void {
  environment['UV_THREADPOOL_SIZE'] ||= '16'
}
