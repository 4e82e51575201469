// The compression codecs of record batches, by their number in the attributes and their name in `compression.type`.

export const codecById = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof codecById)[number]

export const codecIds = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const satisfies Record<Codec, number>
