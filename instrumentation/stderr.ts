/**
 * Writes to stderr as the application sees it, so that a redirect holds. Never throws, and a reader of stderr that
 * has gone away does not become an `error` event that nobody handles, which would end the process.
 */
export function writeStderr(text: string): void {
  try {
    const { stderr } = process;
    // A pipe's error comes after the write, a file's within it; both are announced here first.
    stderr.once('error', ignore);
    stderr.write(text, error => {
      if (error != null && stderr.listenerCount('error') === 0) stderr.once('error', ignore);
    });
    stderr.removeListener('error', ignore);
  } catch {
    // A closed stderr must not become the application's failure.
  }
}

function ignore(): void {}
