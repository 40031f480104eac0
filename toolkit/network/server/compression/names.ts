/** The codings that a response may be compressed with, best first. */
export const encodings = ['br', 'zstd', 'gzip', 'deflate'] as const;
export type Encoding = (typeof encodings)[number];
