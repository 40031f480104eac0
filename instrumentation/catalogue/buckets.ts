/** Seconds; the boundaries that the HTTP semantic conventions advise. */
export const requestSeconds = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const;

/** Seconds; the boundaries that the database semantic conventions advise for operations. */
export const operationSeconds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] as const;

/** Seconds; waits and work inside the process, from a tenth of a millisecond. */
export const waitSeconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;

/** Seconds; garbage collection pauses. The conventions' first boundary of 10 ms hides nearly every scavenge. */
export const gcSeconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
] as const;

/** Seconds; how long a connection was open. */
export const connectionSeconds = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600] as const;

/** Bytes; bodies of HTTP messages. */
export const bodyBytes = [
  0, 128, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216,
] as const;
