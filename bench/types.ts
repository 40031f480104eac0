/** One row of the benchmark table: ours beside a peer, measured in the same run. */
export interface BenchResult {
  readonly name: string;
  readonly ours: number;
  readonly peer: number;
  readonly peerName: string;
  readonly unit: string;
  /** ours / peer. */
  readonly ratio: number;
  /** What `ratio` must be, in words; empty where the row only informs. */
  readonly goal: string;
  readonly met: boolean | undefined;
}
