/** Two readings of a running total, at least one tick apart once the process is that old. */
export interface Span<T> {
  readonly from: T;
  readonly to: T;
}

/**
 * A window over running totals that does not depend on who reads it or how often: from the tick before the last to
 * now. With one tick every 10 s that is the last 10 to 20 s, for each of several readers alike.
 */
export function windowed<T>(read: () => T): { advance(): void; span(): Span<T> } {
  let older = read();
  let newer = older;
  return {
    advance() {
      older = newer;
      newer = read();
    },
    span: () => ({ from: older, to: read() }),
  };
}
