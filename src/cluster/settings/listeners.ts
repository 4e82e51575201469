// `listeners` and `advertised.listeners`: NAME://host:port, as Kafka writes them.

export interface ListenerAddress {
  /** Upper case, as in PLAINTEXT. */
  readonly name: string
  /** Empty: every address of the machine. Without the brackets of an IPv6 address. */
  readonly host: string
  /** 0: any free port. */
  readonly port: number
}

/** One listener, or null when the text is none. */
export function parseListener(text: string): ListenerAddress | null {
  const found = /^([A-Za-z0-9_.-]+):\/\/(?:\[([0-9A-Fa-f:.%a-z]*)\]|([^[\]/:]*)):(\d{1,5})$/.exec(text.trim())
  if (found === null) return null
  const port = Number(found[4])
  return port > 65_535 ? null : { name: found[1]!.toUpperCase(), host: found[2] ?? found[3] ?? '', port }
}
