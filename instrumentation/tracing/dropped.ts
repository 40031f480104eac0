import { type Attributes, createNoopMeter, type MeterProvider } from '@opentelemetry/api';

/** A meter provider for a processor of spans or log records, that only hears of what does not fit its queue. */
export function hearOfDropped(onDropped: (items: number) => void): MeterProvider {
  const meter = Object.assign(createNoopMeter(), {
    createCounter: () => ({
      add(items: number, attributes?: Attributes) {
        if (attributes?.['error.type'] === 'queue_full') onDropped(items);
      },
    }),
  });
  return { getMeter: () => meter };
}
