// What bench/prometheus-serialization.ts measures, to be bundled together.
export { writeExposition } from '../../exporters/prometheus/exposition';
export { createSerializer } from '../../exporters/prometheus/serializer';
