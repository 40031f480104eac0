import {
  type BatchObservableCallback,
  createNoopMeter,
  type Meter,
  type MeterOptions,
  type MeterProvider,
  type MetricOptions,
  metrics,
  type Observable,
  type ObservableCallback,
} from '@opentelemetry/api';

/** Measurements kept until the start; past that they are lost, so that a start that never comes costs no memory. */
const maxKept = 10_000;

const syncKinds = ['createCounter', 'createUpDownCounter', 'createHistogram', 'createGauge'] as const;
const asyncKinds = [
  'createObservableCounter',
  'createObservableUpDownCounter',
  'createObservableGauge',
] as const;

/** What was made before the start, and a way to make it for real. */
export interface ProxyProvider extends MeterProvider {
  /** Makes everything that was asked for so far through `provider`, and hands on what comes later. */
  connect(provider: MeterProvider): void;
}

/**
 * A global meter provider for the time before the start. The API's own gives instruments that do nothing for ever;
 * these do nothing until the start, and from then on what they were made for.
 */
export function installProxyProvider(): ProxyProvider | undefined {
  const proxy = createProxyProvider();
  return metrics.setGlobalMeterProvider(proxy) ? proxy : undefined;
}

export function createProxyProvider(): ProxyProvider {
  let real: MeterProvider | undefined;
  let waiting: ((provider: MeterProvider) => void)[] = [];
  let kept = 0;

  const getMeter = (name: string, version?: string, options?: MeterOptions): Meter => {
    if (real !== undefined) return real.getMeter(name, version, options);
    let target: Meter = createNoopMeter();
    let onMeter: ((meter: Meter) => void)[] | undefined = [];
    waiting.push(provider => {
      target = provider.getMeter(name, version, options);
      for (const make of onMeter ?? []) make(target);
      onMeter = undefined;
    });
    /** Runs `make` now or with the real meter once there is one. */
    const once = (make: (meter: Meter) => void): void => {
      if (onMeter === undefined) make(target);
      else onMeter.push(make);
    };
    const toReal = new Map<Observable, Observable>();
    const meter: Record<string, unknown> = {
      addBatchObservableCallback: (callback: BatchObservableCallback, observables: Observable[]) =>
        once(m =>
          m.addBatchObservableCallback(
            translate(callback, toReal),
            observables.map(o => toReal.get(o) ?? o),
          ),
        ),
      // The real meter knows a translated callback only; removal is rare enough to be exact through the cache.
      removeBatchObservableCallback: (callback: BatchObservableCallback, observables: Observable[]) =>
        once(m =>
          m.removeBatchObservableCallback(
            translate(callback, toReal),
            observables.map(o => toReal.get(o) ?? o),
          ),
        ),
    };
    for (const kind of syncKinds) {
      const method = kind === 'createHistogram' || kind === 'createGauge' ? 'record' : 'add';
      meter[kind] = (instrumentName: string, instrumentOptions?: MetricOptions) => {
        let instrument: Record<string, (...args: unknown[]) => void> | undefined;
        once(m => {
          instrument = m[kind](instrumentName, instrumentOptions) as unknown as typeof instrument;
        });
        const measure = (...args: unknown[]): void => {
          if (instrument !== undefined) instrument[method]!(...args);
          else if (kept++ < maxKept) once(() => instrument?.[method]?.(...args));
        };
        return { [method]: measure };
      };
    }
    for (const kind of asyncKinds) {
      meter[kind] = (instrumentName: string, instrumentOptions?: MetricOptions) => {
        const proxy: Observable = {
          addCallback: (callback: ObservableCallback) => once(() => toReal.get(proxy)?.addCallback(callback)),
          removeCallback: (callback: ObservableCallback) =>
            once(() => toReal.get(proxy)?.removeCallback(callback)),
        };
        once(m => toReal.set(proxy, m[kind](instrumentName, instrumentOptions)));
        return proxy;
      };
    }
    return meter as unknown as Meter;
  };

  return {
    getMeter,
    connect(provider) {
      real = provider;
      for (const make of waiting) make(provider);
      waiting = [];
    },
  };
}

const translated = new WeakMap<BatchObservableCallback, BatchObservableCallback>();

/** The callback of the application, with its own observables turned into the real ones. */
function translate(
  callback: BatchObservableCallback,
  toReal: ReadonlyMap<Observable, Observable>,
): BatchObservableCallback {
  const known = translated.get(callback);
  if (known !== undefined) return known;
  const made: BatchObservableCallback = result =>
    callback({
      observe: (observable, value, attributes) =>
        result.observe(toReal.get(observable) ?? observable, value, attributes),
    });
  translated.set(callback, made);
  return made;
}
