import { basename } from 'node:path';

/**
 * Programs that start or build applications and are none themselves. They inherit NODE_OPTIONS; left alone, they
 * leave the metrics port to the application that they start.
 */
const tools = new Set([
  ...['npm', 'npm-cli', 'npx', 'npx-cli', 'pnpm', 'pnpx', 'yarn', 'yarnpkg', 'corepack', 'bun', 'bunx'],
  ...[
    'tsc',
    'tsup',
    'esbuild',
    'swc',
    'babel',
    'webpack',
    'webpack-cli',
    'rollup',
    'vite',
    'parcel',
    'turbo',
    'nx',
  ],
  ...[
    'eslint',
    'prettier',
    'biome',
    'node-gyp',
    'nodemon',
    'pm2',
    'concurrently',
    'lerna',
    'husky',
    'lint-staged',
  ],
]);

/** tsx's command only starts Node.js again, with the application. */
const toolPaths =
  /[\\/]node_modules[\\/](?:tsx[\\/]dist[\\/]cli|\.bin[\\/]tsx$|npm[\\/]bin|corepack[\\/]dist)/;

/** The tool that this process is, or `undefined` for an application. */
export function developerTool(script: string | undefined): string | undefined {
  if (script === undefined) return undefined;
  const name = basename(script).replace(/\.[cm]?js$/, '');
  return tools.has(name) || toolPaths.test(script) ? name : undefined;
}
