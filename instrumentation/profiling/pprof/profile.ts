/** One line of a stack. */
export interface Frame {
  /** The function's name as V8 has it; empty for an anonymous one. */
  readonly name: string;
  /** Path or `node:` name of the file; empty for what is no JavaScript, such as `(garbage collector)`. */
  readonly file: string;
  /** Where it was executing, from 1; 0 where that is unknown. */
  readonly line: number;
  readonly column: number;
  /** Where the function begins, from 1; 0 where that is unknown. */
  readonly functionLine: number;
  readonly functionColumn: number;
}

/** What one number of a sample is, such as `cpu` in `nanoseconds`. */
export interface ValueType {
  readonly type: string;
  readonly unit: string;
}

export interface StackSample {
  /** Innermost call first. */
  readonly frames: readonly Frame[];
  /** One number for each of the profile's types; whole, and negative only in a difference. */
  readonly values: readonly number[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** A profile before it is written down: stacks and what each of them cost. */
export interface StackProfile {
  readonly types: readonly ValueType[];
  /** The type that a viewer shows first. */
  readonly defaultType: string;
  /** What lies between two samples; `value` is 0 where every event is counted. */
  readonly period: ValueType & { readonly value: number };
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly samples: readonly StackSample[];
  /** Said to whoever opens the profile. */
  readonly comments: readonly string[];
}

/** A frame that stands for something other than a line of code. */
export function pseudoFrame(name: string): Frame {
  return { name, file: '', line: 0, column: 0, functionLine: 0, functionColumn: 0 };
}

/** Two stacks are one when functions and lines agree, whatever objects they are made of. */
export function stackKey({ frames, labels }: Pick<StackSample, 'frames' | 'labels'>): string {
  const lines = frames.map(
    ({ name, file, line, functionLine }) => `${name}\0${file}\0${line}\0${functionLine}`,
  );
  return labels === undefined ? lines.join('\n') : `${lines.join('\n')}\n${JSON.stringify(labels)}`;
}

/** Adds up samples of one stack. */
export function mergeSamples(samples: Iterable<StackSample>): StackSample[] {
  const merged = new Map<string, StackSample & { values: number[] }>();
  for (const sample of samples) {
    const key = stackKey(sample);
    const present = merged.get(key);
    if (present === undefined) merged.set(key, { ...sample, values: [...sample.values] });
    else for (const [i, value] of sample.values.entries()) present.values[i]! += value;
  }
  return [...merged.values()];
}

/** What changed from one reading of a running profile to a later one; stacks that did not change are left out. */
export function difference(from: StackProfile, to: StackProfile): StackProfile {
  const negated = from.samples.map(sample => ({ ...sample, values: sample.values.map(value => -value) }));
  return {
    ...to,
    startedAt: from.startedAt,
    durationMs: to.startedAt - from.startedAt,
    samples: mergeSamples([...to.samples, ...negated]).filter(({ values }) =>
      values.some(value => value !== 0),
    ),
  };
}
