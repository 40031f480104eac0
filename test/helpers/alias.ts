import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './app';

/**
 * A second version of a package under its own name: npm's alias of it, copied to where the folder is named like the
 * package. Inside of the checkout, so that what it needs is found.
 *
 * @returns the folder of the package
 */
export function aliased(alias: string, name: string): string {
  const parent = join(repository, '.cache', 'aliases', alias, 'node_modules');
  const folder = join(parent, name);
  mkdirSync(parent, { recursive: true });
  if (!existsSync(folder)) cpSync(join(repository, 'node_modules', alias), folder, { recursive: true });
  return folder;
}
