// A client that people use, as a load: each produces records and then consumes them in a process of its own, with its own defaults. What the
// load generator shows of a broker is to hold for these too.

export interface ClientJob {
  readonly bootstrap: string
  /** Exists. */
  readonly topic: string
  readonly records: number
  /** Of the value; keys are null. */
  readonly recordBytes: number
}

/** Without the start of the process: from the first record to be sent until all are confirmed, or from the assignment until all are read. */
export interface ClientResult {
  readonly records: number
  readonly seconds: number
}

export interface Client {
  /** Part of a row's id. */
  readonly name: string
  /** As the report names it. */
  readonly title: string
  /** Undefined when it can run here, else what is missing. */
  missing(): string | undefined
  /** Sends with acks=all. Rejects when a record is not confirmed. */
  produce(job: ClientJob): Promise<ClientResult>
  /** Reads from the beginning as a member of a new group. Rejects when the records do not come. */
  consume(job: ClientJob): Promise<ClientResult>
}
