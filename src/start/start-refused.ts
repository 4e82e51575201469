/** The broker did not start, and the message tells the operator what to change. */
export class StartRefused extends Error {
  override readonly name = 'StartRefused'
}
