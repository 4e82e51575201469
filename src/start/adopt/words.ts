// Numbers and lists as they are said to an operator.

const namesMax = 8

/** `a, b, c and 12 more` */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, namesMax).join(', ')
  return names.length > namesMax ? `${shown} and ${names.length - namesMax} more` : shown
}

/** `1 topic`, `3 topics` */
export function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

const units = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB']

/** `812 bytes`, `3.4 GB`: powers of 1000. */
export function bytesInWords(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toPrecision(2)} ${units[unit]}`
}
