import Module, { createRequire } from 'node:module';

/** Packages whose instrumentation hooks what their main module exports; inner files are required, and seen so. */
const packages = new Set(['express', 'ioredis', 'pg', 'pg-pool', 'redis', '@redis/client']);

/** The package that a file belongs to: the folder in the innermost node_modules. */
const packageOf = /[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)[\\/](?!.*[\\/]node_modules[\\/])/;

type Compile = (this: NodeModule, content: string, filename: string, ...rest: unknown[]) => unknown;

/**
 * Lets the instrumentations see CommonJS packages that ES modules import.
 *
 * They hook `require`, through which an `import` does not go. The usual answer, the loader of
 * `import-in-the-middle`, costs a second thread and parses every module. Here a package that has just run is
 * required once more, out of Node's cache: the hooks run, and change the exports that the import is about to get.
 *
 * @returns a function that takes it back
 */
export function hookImportedPackages(): () => void {
  const load = createRequire(__filename);
  const prototype = Module.prototype as unknown as { _compile: Compile };
  const compile = prototype._compile;
  const patched: Compile = function (content, filename, ...rest) {
    const result = compile.call(this, content, filename, ...rest);
    if (typeof filename === 'string' && filename.includes('node_modules')) {
      const name = packageOf.exec(filename)?.[1]?.replace('\\', '/');
      if (name !== undefined && packages.has(name)) load(filename);
    }
    return result;
  };
  prototype._compile = patched;
  return () => {
    if (prototype._compile === patched) prototype._compile = compile;
  };
}
