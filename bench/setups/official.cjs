// The official set-up for HTTP and runtime metrics, as its own documentation starts it.
const { PrometheusExporter } = require('@opentelemetry/exporter-prometheus');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { RuntimeNodeInstrumentation } = require('@opentelemetry/instrumentation-runtime-node');
const { NodeSDK } = require('@opentelemetry/sdk-node');

new NodeSDK({
  metricReaders: [new PrometheusExporter()],
  instrumentations: [new HttpInstrumentation(), new RuntimeNodeInstrumentation()],
}).start();
