import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A larger map costs more memory than its names are worth. */
const maxMapBytes = 64 * 1024 * 1024;

/** The path that a map means by one of its sources, from the folder that the map lies in. */
export function sourcePath(folder: string, source: string): string {
  if (source.startsWith('file://')) return fileURLToPath(source);
  // `webpack://app/./src/x.ts` and the like are names, not places.
  return /^[a-z][a-z+.-]*:\/\//i.test(source) ? source : resolve(folder, source);
}

/** The text of the map that `file` names in its last line, else the one that lies beside it. */
export async function readSourceMap(file: string): Promise<{ text: string; folder: string } | undefined> {
  if ((await stat(file)).size > maxMapBytes) return undefined;
  const url = /\/\/[#@]\s*sourceMappingURL=([^\s'"`]+)\s*$/.exec(await readFile(file, 'utf8'))?.[1];
  const inline = url && /^data:application\/json[^,]*?(;base64)?,(.*)$/s.exec(url);
  if (inline) {
    const data = inline[2] ?? '';
    return {
      text: inline[1] ? Buffer.from(data, 'base64').toString() : decodeURIComponent(data),
      folder: dirname(file),
    };
  }
  const path =
    url && !/^[a-z][a-z+.-]*:/i.test(url) ? resolve(dirname(file), decodeURIComponent(url)) : `${file}.map`;
  if ((await stat(path)).size > maxMapBytes) return undefined;
  return { text: await readFile(path, 'utf8'), folder: dirname(path) };
}
