// Makes a function from source text, closed over the given values. Structs and arrays are compiled this way so that
// each version of each message has code of its own: an object literal instead of stores by name, and call sites that
// see one callee each, which the optimizer then inlines. Field names in the source come from the definitions alone,
// never from the wire, and are checked to be identifiers.

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/

export function compile(values: Readonly<Record<string, unknown>>, source: string): unknown {
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- see above
  const make = new Function(...Object.keys(values), `'use strict'\nreturn ${source}`) as (...args: unknown[]) => unknown
  return make(...Object.values(values))
}

export function assertIdentifier(name: string): void {
  if (!IDENTIFIER.test(name)) throw new TypeError(`${JSON.stringify(name)} cannot be a field name`)
}
