// How figures are written: three digits say all that a measurement knows.

/** `0.042`, `1.23`, `45.6`, `789`, `12,345`; an en dash for nothing. */
export function digits(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size >= 100) return Math.round(value).toLocaleString('en')
  if (size >= 10) return value.toFixed(1)
  return value.toFixed(size >= 0.1 || size === 0 ? 2 : 3)
}
