import type { Chart } from '../history/contract';

/** Seconds as people say them. */
export function span(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 48) return `${hours} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let rest = value;
  let i = 0;
  while (Math.abs(rest) >= 1024 && i < units.length - 1) {
    rest /= 1024;
    i++;
  }
  return `${digits(rest)} ${units[i]}`;
}

export function digits(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 0.01) return value.toPrecision(1);
  return value.toLocaleString('en', { maximumFractionDigits: size < 1 ? 2 : size < 100 ? 1 : 0 });
}

/** What stands beside the title of a chart. */
export const unitNames = {
  ms: 'ms',
  percent: '%',
  'per-second': 'per second',
  count: '',
  bytes: '',
} as const;

const suffixes = { ms: ' ms', percent: ' %', 'per-second': '/s', count: '' } as const;

export function inUnit(value: number, unit: Chart['unit']): string {
  return unit === 'bytes' ? bytes(value) : `${digits(value)}${suffixes[unit]}`;
}

/** A value of a profile, by the unit that pprof names. */
export function ofProfile(value: number, unit: string): string {
  if (unit === 'bytes') return bytes(value);
  if (unit !== 'nanoseconds') return `${digits(value)}`;
  const ms = value / 1e6;
  return Math.abs(ms) >= 1000 ? `${digits(ms / 1000)} s` : `${digits(ms)} ms`;
}
