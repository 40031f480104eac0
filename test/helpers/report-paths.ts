import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './app';

/** Objects whose keys are names of things, not fields. */
const maps = [
  'findings.open[].evidence',
  'findings.resolved[].evidence',
  'figures.gc',
  'memory.kinds',
  'memory.snapshot.resources',
  'gc.stats.kinds',
  'gc.recommendations[].evidence',
];

/** Every field of a report that has a value, as docs/vitals-report.md writes its path. */
export function pathsOf(report: object): Set<string> {
  const paths = new Set<string>();
  const walk = (value: unknown, path: string): void => {
    if (value === undefined || value === null) return;
    if (Array.isArray(value)) {
      for (const item of value) walk(item, `${path}[]`);
    } else if (typeof value === 'object') {
      const isMap = maps.includes(path);
      for (const [key, item] of Object.entries(value)) {
        walk(item, isMap ? `${path}.*` : path === '' ? key : `${path}.${key}`);
      }
    } else {
      paths.add(path);
    }
  };
  walk(report, '');
  return paths;
}

/** Every path that docs/vitals-report.md describes, in the first column of its tables. */
export function describedPaths(): Set<string> {
  const paths = new Set<string>();
  const page = readFileSync(join(repository, 'docs/vitals-report.md'), 'utf8');
  for (const [, cell] of page.matchAll(/^\| (`.*?`) +\| \S/gm)) {
    let before = '';
    for (const [, code] of cell!.matchAll(/`([^`]+)`/g)) {
      const path = code!.startsWith('.') ? before.slice(0, before.lastIndexOf('.')) + code : code!;
      paths.add(path);
      before = path;
    }
  }
  return paths;
}
