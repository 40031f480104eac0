import { basename } from 'node:path';

/** Package managers: known by name wherever they are installed. Yarn's file carries its version. */
const packageManagers =
  /^(?:npm|npm-cli|npx|npx-cli|pnpm|pnpx|yarn|yarnpkg|corepack|bun|bunx)$|^(?:yarn|pnpm)-v?\d+\.\d/;

/**
 * Programs that start, build or test applications and are none themselves. An application may have a script of such
 * a name, so they are known only where packages are installed.
 */
const tools = new Set([
  // They start the application, or something that does.
  ...['c8', 'concurrently', 'conc', 'cross-env', 'cross-env-shell', 'dotenv', 'dotenvx', 'env-cmd', 'nyc'],
  ...['forever', 'nodemon', 'npm-run-all', 'run-p', 'run-s', 'pm2', 'pm2-dev', 'pm2-docker', 'pm2-runtime'],
  ...['ts-node-dev', 'tsnd', 'tsc-watch', 'wait-on', 'wireit', 'nest'],
  // They build it.
  ...[
    'babel',
    'esbuild',
    'gulp',
    'grunt',
    'ng',
    'node-gyp',
    'parcel',
    'rollup',
    'rspack',
    'swc',
    'tsc',
    'tsup',
  ],
  ...[
    'turbo',
    'vite',
    'webpack',
    'webpack-cli',
    'nx',
    'lerna',
    'rush',
    'lage',
    'tsdown',
    'unbuild',
    'rimraf',
  ],
  // They judge it.
  ...[
    'ava',
    'biome',
    'eslint',
    'jest',
    'mocha',
    '_mocha',
    'prettier',
    'husky',
    'lint-staged',
    'tap',
    'vitest',
  ],
  ...['playwright', 'cypress', 'knip', 'depcheck', 'stylelint'],
]);

/** Where packages put their programs: their own folder, the links to them, and a global installation's links. */
const installed = /[\\/]node_modules[\\/]|[\\/]\.yarn[\\/]|[\\/]bin[\\/][^\\/.]+$/;

/** Files of such programs whose name says nothing: tsx's command, pm2's daemon, corepack's shims. */
const toolPaths =
  /[\\/]node_modules[\\/](?:tsx[\\/]dist[\\/]cli|\.bin[\\/]tsx$|pm2[\\/]lib[\\/]Daemon|npm[\\/]bin|corepack[\\/]dist)/;

/** Ways to run Node.js itself that start other processes, or run nothing. */
const nodeModes = new Set(['--test', '--check', '-c']);

/**
 * The tool that this process is, or `undefined` for an application. Tools inherit NODE_OPTIONS; left alone, they
 * leave the metrics port to the application that they start.
 *
 * @param script `process.argv[1]`
 * @param execArgv `process.execArgv`
 */
export function developerTool(script: string | undefined, execArgv: readonly string[]): string | undefined {
  const mode = execArgv.find(argument => nodeModes.has(argument));
  if (mode !== undefined) return `node ${mode}`;
  if (script === undefined) return undefined;
  const name = basename(script).replace(/\.[cm]?js$/, '');
  if (packageManagers.test(name) || toolPaths.test(script)) return name;
  return tools.has(name) && installed.test(script) ? name : undefined;
}
