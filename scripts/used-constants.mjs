// An esbuild plugin. `@opentelemetry/semantic-conventions` is thousands of constants, of which a CommonJS package
// that requires a dozen would bring all: a third of the preload. Each importer gets those that its text names.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const namespace = 'used-constants';

export const usedConstants = {
  name: namespace,
  setup(build) {
    build.onResolve(
      { filter: /^@opentelemetry\/semantic-conventions(\/incubating)?$/ },
      ({ path, importer }) => ({
        path: importer,
        namespace,
        pluginData: path,
      }),
    );
    build.onLoad({ filter: /.*/, namespace }, ({ path: importer, pluginData: name }) => {
      const all = createRequire(importer)(name);
      const used = new Set(readFileSync(importer, 'utf8').match(/\b[A-Za-z]\w*\b/g));
      const lines = Object.entries(all)
        .filter(([key]) => used.has(key))
        // Templates of names are functions, which close over nothing.
        .map(([key, value]) => `  ${key}: ${typeof value === 'function' ? value : JSON.stringify(value)},`);
      return { contents: `module.exports = {\n${lines.join('\n')}\n};` };
    });
  },
};
