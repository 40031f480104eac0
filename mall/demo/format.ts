import type { VitalSigns } from './vital-signs';

/** Stands for a figure that the metrics do not give. */
export const unknown = '-';

type Figure = number | undefined;

/** The line shown while the demo runs; `seconds` is the interval's length. */
export function liveLine(signs: VitalSigns, seconds: number): string {
  return [
    `${fixed(divide(signs.requests, seconds), 0)} req/s`,
    `p99 ${time(signs.p99)}`,
    `errors ${count(signs.errors)}`,
    `heap ${mebibytes(signs.heapUsed)}`,
    `gc ${time(signs.gcTime)}`,
    `loop p99 ${time(signs.loopP99)}`,
    `db ${fixed(divide(signs.poolUse, seconds), 2)}/${count(signs.poolLimit)}`,
    `cache ${percent(hitRatio(signs))}`,
  ].join('  ');
}

/** What the demo ends with: a name and a figure each. */
export function summaryRows(
  signs: VitalSigns,
  seconds: number,
  heapPeak: Figure,
): [name: string, value: string][] {
  const rows: [string, Figure, string][] = [
    ['requests', signs.requests, `${count(signs.requests)} (${fixed(divide(signs.requests, seconds), 1)}/s)`],
    ['p50', signs.p50, time(signs.p50)],
    ['p99', signs.p99, time(signs.p99)],
    ['errors', signs.errors, `${count(signs.errors)} (${percent(divide(signs.errors, signs.requests))})`],
    [
      'heap',
      signs.heapUsed,
      `${mebibytes(signs.heapUsed)}, peak ${mebibytes(heapPeak)} of ${mebibytes(signs.heapLimit)}`,
    ],
    [
      'GC pauses',
      signs.gcPauses,
      `${count(signs.gcPauses)}, p99 ${time(signs.gcP99)}, ${time(signs.gcTime)} in all`,
    ],
    ['event-loop delay', signs.loopP99, `p50 ${time(signs.loopP50)}, p99 ${time(signs.loopP99)}`],
    [
      'database pool',
      signs.poolOpen,
      `${count(signs.poolOpen)} open of ${count(signs.poolLimit)}, ${fixed(divide(signs.poolUse, seconds), 2)} in use on average, wait p99 ${time(signs.poolWaitP99)}`,
    ],
    [
      'cache hits',
      hitRatio(signs),
      `${percent(hitRatio(signs))} of ${count(signs.cacheLookups)} (memory ${count(signs.memoryHits)}, Redis ${count(signs.redisHits)})`,
    ],
  ];
  return rows.map(([name, figure, text]) => [name, figure === undefined ? unknown : text]);
}

/** The rows in two columns. */
export function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
}

function hitRatio({ cacheLookups, memoryHits, redisHits }: VitalSigns): Figure {
  return memoryHits === undefined ? undefined : divide(memoryHits + (redisHits ?? 0), cacheLookups);
}

function divide(part: Figure, whole: Figure): Figure {
  return part === undefined || whole === undefined || whole === 0 ? undefined : part / whole;
}

function fixed(value: Figure, digits: number): string {
  return value === undefined ? unknown : value.toFixed(digits);
}

function count(value: Figure): string {
  return value === undefined ? unknown : Math.round(value).toLocaleString('en');
}

function percent(ratio: Figure): string {
  return ratio === undefined ? unknown : `${(ratio * 100).toFixed(1)} %`;
}

function mebibytes(bytes: Figure): string {
  return bytes === undefined ? unknown : `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

function time(seconds: Figure): string {
  if (seconds === undefined) return unknown;
  const ms = seconds * 1000;
  if (ms >= 1000) return `${seconds.toFixed(2)} s`;
  return `${ms.toFixed(ms >= 100 ? 0 : ms >= 10 ? 1 : 2)} ms`;
}
