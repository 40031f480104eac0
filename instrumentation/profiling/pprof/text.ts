import type { Frame, StackProfile, StackSample } from './profile';

/** The profiles that have a text form, each with the heading that `net/http/pprof` gives it. */
export type TextKind = 'heap' | 'allocs' | 'goroutine' | 'block' | 'mutex';

/** What `?debug=1` answers: one paragraph for each stack, the largest first, as Go writes it but without addresses. */
export function profileText(
  kind: TextKind,
  profile: StackProfile,
  facts: Readonly<Record<string, number>> = {},
): string {
  const main = profile.types.findIndex(({ type }) => type === profile.defaultType);
  const samples = [...profile.samples].sort((a, b) => b.values[main]! - a.values[main]!);
  const paragraphs = samples.map(sample => `${numbers(kind, sample.values)} @\n${stackText(sample)}`);
  const notes = profile.comments.map(comment => `# ${comment}\n`).join('');
  const statistics = Object.entries(facts).map(([name, value]) => `# ${name} = ${value}\n`);
  return `${heading(kind, profile)}\n${notes}${paragraphs.join('\n')}${
    statistics.length > 0 ? `\n# process.memoryUsage\n${statistics.join('')}` : ''
  }`;
}

/** What `goroutine?debug=2` answers: each resource by itself. */
export function resourcesText(profile: StackProfile): string {
  let number = 0;
  let text = '';
  for (const { frames, values, labels } of profile.samples) {
    for (let i = 0; i < values[0]!; i++) {
      number++;
      const lines = frames.map(frame => `${frame.name || '(anonymous)'}()\n\t${place(frame) || '-'}\n`);
      text += `resource ${number} [${labels?.['type'] ?? 'unknown'}]:\n${lines.join('')}\n`;
    }
  }
  return text;
}

function heading(kind: TextKind, profile: StackProfile): string {
  const total = profile.types.map((_, i) => sum(profile.samples, i));
  if (kind === 'goroutine') return `goroutine profile: total ${total[0]}`;
  if (kind === 'block') return '--- contention:\ncycles/second=1000000000';
  if (kind === 'mutex') return '--- mutex:\ncycles/second=1000000000\nsampling period=1';
  return `heap profile: ${numbers(kind, total)} @ heap/${profile.period.value}`;
}

function numbers(kind: TextKind, values: readonly number[]): string {
  const [first, second] = values;
  if (kind === 'goroutine') return `${first}`;
  // Go counts cycles of the processor; here one lasts a nanosecond.
  if (kind === 'block' || kind === 'mutex') return `${second} ${first}`;
  // A heap that the inspector had to read has bytes alone.
  const pair = second === undefined ? `0: ${first}` : `${first}: ${second}`;
  return `${pair} [${pair}]`;
}

function stackText({ frames, labels }: StackSample): string {
  const tags = labels === undefined ? '' : `# labels: ${JSON.stringify(labels)}\n`;
  return tags + frames.map(frame => `#\t${frame.name || '(anonymous)'}\t${place(frame)}\n`).join('');
}

function place({ file, line, functionLine }: Frame): string {
  return file === '' ? '' : `${file}:${line || functionLine}`;
}

function sum(samples: readonly StackSample[], index: number): number {
  return samples.reduce((total, { values }) => total + values[index]!, 0);
}
