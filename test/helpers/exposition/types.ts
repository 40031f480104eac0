export type Labels = Readonly<Record<string, string>>;

export interface ParsedExemplar {
  readonly labels: Labels;
  readonly value: number;
  readonly timestamp: number | undefined;
}

export interface ParsedSample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
  /** In the unit of the format: milliseconds as text, seconds as OpenMetrics. */
  readonly timestamp: number | undefined;
  readonly exemplar: ParsedExemplar | undefined;
}

export interface ParsedFamily {
  readonly name: string;
  type: string | undefined;
  help: string | undefined;
  unit: string | undefined;
  readonly samples: ParsedSample[];
}

/** Input that a format does not allow. */
export class ExpositionError extends Error {
  readonly code = 'BAD_EXPOSITION';
  override readonly name = 'ExpositionError';

  constructor(
    readonly line: number,
    message: string,
  ) {
    super(`line ${line}: ${message}`);
  }
}

/** The lines of an exposition, which must be UTF-8 and end with a line feed. */
export function linesOf(input: string | Uint8Array): string[] {
  let text: string;
  try {
    text =
      typeof input === 'string'
        ? input
        : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input);
  } catch (error) {
    throw new ExpositionError(0, `not UTF-8: ${String(error)}`);
  }
  if (text === '') return [];
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new ExpositionError(lines.length + 1, 'the last line has no line feed');
  return lines;
}

/** A key that is the same for equal sets of labels. */
export function labelKey(labels: Labels, without = ''): string {
  return JSON.stringify(
    Object.entries(labels)
      .filter(([name]) => name !== without)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
