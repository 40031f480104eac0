// An esbuild plugin. `@opentelemetry/sdk-node` loads every exporter there is, gRPC's client among them, in case the
// environment asks for one. The agent gives it its own, so they stay out: half of the tracing bundle.
const namespace = 'unused-exporters';

export const unusedExporters = {
  name: namespace,
  setup(build) {
    build.onResolve({ filter: /^@opentelemetry\/exporter-/ }, ({ path, importer }) =>
      /[\\/]@opentelemetry[\\/]sdk-node[\\/]/.test(importer) ? { path, namespace } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace }, () => ({ contents: 'module.exports = {};' }));
  },
};
