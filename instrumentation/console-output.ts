let guarded = false;

/**
 * To be called where an exporter prints to stdout: a reader of it that goes away, as `| head` does, would become an
 * `error` event that ends the process, since Node.js's console hides the first failed write only.
 */
export function surviveClosedStdout(): void {
  if (guarded) return;
  guarded = true;
  try {
    process.stdout.on('error', () => {});
  } catch {
    // Where there is no stdout, nothing can fail there.
  }
}
