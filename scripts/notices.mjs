// Licences ask that their text stays with the code: gathers those of every package whose code went into a bundle.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const licenseFile = /^(licen[cs]e|copying|notice)(\.(md|txt))?$/i;

/**
 * The notices of the packages that esbuild's metafiles name, and of `more`, sorted by package.
 *
 * @throws Error where a bundled package has no licence text
 */
export function thirdPartyNotices(root, metafiles, more = []) {
  const folders = new Set(more.map(name => `node_modules/${name}`));
  for (const { inputs } of metafiles) {
    for (const input of Object.keys(inputs)) {
      // Paths are relative to the root; what a plugin made stands under the plugin's name and a colon.
      const found = /^(?:\.\.\/)*[^:]*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input);
      if (found !== null) folders.add(found[0]);
    }
  }
  const notices = new Map();
  for (const folder of folders) {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const files = readdirSync(join(root, folder))
      .filter(file => licenseFile.test(file))
      .sort();
    if (files.length === 0) throw new Error(`Expected a licence file in ${folder}, got none`);
    const texts = files.map(file => readFileSync(join(root, folder, file), 'utf8').trim());
    notices.set(`${name} ${version} (${license})`, texts.join('\n\n'));
  }
  const line = '='.repeat(80);
  return [...notices]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([title, text]) => `${line}\n${title}\n${line}\n\n${text}\n`)
    .join('\n');
}
