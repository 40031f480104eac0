import type { Output } from './stack';

const plainEveryMs = 5000;

/** What the demo prints: lines that stay, and one live line that a terminal rewrites. */
export interface Screen extends Output {
  /** Shows the vital signs: rewritten in place on a terminal, a line every five seconds elsewhere. */
  live(line: string): void;
}

/** A screen on `stdout` and `stderr`. */
export function createScreen(
  stdout: NodeJS.WriteStream = process.stdout,
  stderr: NodeJS.WriteStream = process.stderr,
  now: () => number = () => performance.now(),
): Screen {
  let live = '';
  let lastPlain = now();
  const clear = (): void => {
    if (live !== '') stdout.write('\r\u001b[K');
    live = '';
  };
  return {
    say(line) {
      clear();
      stdout.write(`${line}\n`);
    },
    complain(text) {
      clear();
      stderr.write(text);
    },
    live(line) {
      if (stdout.isTTY) {
        // A line that wraps could not be rewritten.
        live = line.slice(0, (stdout.columns || 80) - 1);
        stdout.write(`\r\u001b[K${live}`);
      } else if (now() - lastPlain >= plainEveryMs) {
        lastPlain = now();
        stdout.write(`${line}\n`);
      }
    },
  };
}
