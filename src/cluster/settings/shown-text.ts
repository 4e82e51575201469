// How a value is shown again, whatever way it was written: as Kafka prints the typed value (ConfigDef.convertToString), so that tools
// that compare what they wanted with what is there see the same text.

import type { ConfigDefinition } from './config-definition.ts'

/** ` +8000 ` is shown as 8000, `TRUE` as true, `delete, compact` as delete,compact. A text that is not valid stays as it is. */
export function shownText(definition: ConfigDefinition, text: string): string {
  const parsed = definition.parse(text)
  if (!parsed.ok) return text
  switch (definition.type) {
    case 'boolean':
      return String(parsed.value)
    case 'short':
    case 'int':
    case 'long':
      // Not by the parsed value: that is exact to 2^53 only.
      return String(BigInt(text.trim().replace('+', '')))
    case 'double':
      return javaDouble(parsed.value as number)
    case 'list':
      return (parsed.value as readonly string[]).join(',')
    case 'string':
    case 'class':
      return text.trim()
    case 'password':
      return text
  }
}

/** As Java's Double.toString: 1.0 for 1, and from 10^7 on and below 10^-3 with an exponent, as 1.0E-4. */
function javaDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  const size = Math.abs(value)
  if (value === 0 || (size >= 1e-3 && size < 1e7)) return Number.isInteger(value) ? `${value}.0` : String(value)
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`
}
