import { fileURLToPath } from 'node:url';
import { type EsmTarget, locate } from './place';

/** What a `load` hook gives, as far as it matters here. */
export interface Loaded {
  format?: string | null | undefined;
  source?: string | ArrayBuffer | NodeJS.TypedArray | null | undefined;
}

/** Gives the source of a hooked ES module its call; everything else comes back as it was. */
export function withHook<L extends Loaded>(targets: readonly EsmTarget[], url: string, loaded: L): L {
  if (loaded.format !== 'module' || loaded.source == null || !url.startsWith('file:')) return loaded;
  const filename = fileURLToPath(url);
  const place = locate(filename);
  const target = targets.find(({ package: name, file }) => name === place?.name && file.test(place.path));
  if (target === undefined) return loaded;
  const { source } = loaded;
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
  const call = `globalThis[Symbol.for('otel-vitals.hook')]?.(${JSON.stringify(filename)}, ${target.expression});`;
  // On a line of its own, so that a comment at the end does not swallow it and no line number changes.
  return { ...loaded, source: `${text}\n${call}\n` };
}
