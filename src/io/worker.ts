// The door to another thread of this process: it gets messages, which are copied (or handed over), and answers with messages. For long
// work that must not hold up the event loop.

import { isMainThread, parentPort, type Transferable, Worker } from 'node:worker_threads'

export interface WorkerListener {
  message(message: unknown): void
  /** It has ended: by an error, by itself, or because it was told to. Nothing of it runs any more, and no file operation is under way. */
  ended(error: Error | null): void
}

export interface WorkerThread {
  /** `handOver`: buffers that leave this thread instead of being copied. */
  post(message: unknown, handOver?: readonly ArrayBuffer[]): void
  /** Ends it in the middle of whatever it does; `ended` comes before this resolves. */
  end(): Promise<void>
}

/** Begins a thread that runs a module. It does not keep the process alive by itself. */
export function startWorker(module: URL, name: string, listener: WorkerListener): WorkerThread {
  // The flags of this process (of its tests, its profiler) are not the thread's.
  const worker = new Worker(module, { name, execArgv: [] })
  let failure: Error | null = null
  let told = false
  worker.unref()
  worker.on('message', (message: unknown) => listener.message(message))
  worker.on('messageerror', (error) => {
    failure = error
    void worker.terminate()
  })
  worker.on('error', (error: unknown) => {
    failure = error instanceof Error ? error : new Error(String(error))
  })
  const ended = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      if (failure === null && !told && code !== 0) failure = new Error(`the thread ended with code ${code}`)
      listener.ended(failure)
      resolve()
    })
  })
  return {
    post: (message, handOver = []) => worker.postMessage(message, handOver as Transferable[]),
    end: async () => {
      told = true
      void worker.terminate()
      await ended
    },
  }
}

export interface WorkerPort {
  post(message: unknown): void
}

/** Inside a worker: hears the messages from outside, and answers them. Throws in the main thread. */
export function workerPort(onMessage: (message: unknown) => void): WorkerPort {
  const port = parentPort
  if (isMainThread || port === null) throw new Error('this is not a worker thread')
  port.on('message', onMessage)
  return { post: (message) => port.postMessage(message) }
}
