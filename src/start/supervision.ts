// What a supervisor and the brokers under it say to each other, and the lanes of the channel between them.

export const lanes = ['supervision', 'metadata'] as const

export type ToSupervised =
  /** First of all. `settings`: by Kafka's names. */
  | { readonly kind: 'start'; readonly settings: readonly (readonly [string, string])[]; readonly manner: Manner }
  /** Everything stops: nobody is left to hand anything over to. */
  | { readonly kind: 'stop' }

/** How a broker behaves towards people. */
export interface Manner {
  readonly dev: boolean
  readonly logLevel: string
  /** Whether its lines end on a terminal. */
  readonly onTerminal: boolean
}

export type FromSupervised =
  | { readonly kind: 'ready'; readonly clusterId: string; readonly listeners: readonly BoundListener[] }
  /** It did not start, and the operator can change why. It ends. */
  | { readonly kind: 'refused'; readonly reason: string }

export interface BoundListener {
  readonly name: string
  readonly host: string
  readonly port: number
}
