import { setTimeout as wait } from 'node:timers/promises';
import { startAlertStack } from './alert-stack';
import { type DemoRun, startDemo } from './demo';

/** A fault of the shop, as its `GET /faults` has it. */
export interface ShopFault {
  readonly name: string;
  readonly does: string;
  readonly shows: { readonly alert: string | { readonly none: string } };
}

/** What came of a fault; times are in seconds from its start, and from its end. */
export interface FaultOutcome {
  readonly fault: string;
  /** The alert that is to fire, or why there is none. */
  readonly alert: string;
  readonly firesAfter?: number;
  readonly toldAfter?: number;
  readonly resolvesAfter?: number;
  /** Others of the same or a higher severity that fired meanwhile. */
  readonly others: readonly string[];
}

export interface FaultRunOptions {
  /** How much faster than committed the rules run. @default 30 */
  readonly factor?: number;
  /** Requests a second. @default 30 */
  readonly rate?: number;
  /** How long to wait for an alert, and for its end. @default 120000 */
  readonly patienceMs?: number;
}

export interface FaultRun {
  /** All faults that the shop has. */
  readonly faults: readonly ShopFault[];
  /** Lets the shop run without a fault; gives what fired. */
  quiet(ms: number): Promise<string[]>;
  /** Begins a fault, waits for its alert, ends it, and waits for the alert to resolve. */
  try(fault: ShopFault): Promise<FaultOutcome>;
  close(): Promise<void>;
}

interface FiringAlert {
  readonly name: string;
  readonly severity: string;
}

const pollMs = 250;

/** The shop under load, with its faults open, and a real Prometheus and Alertmanager that watch it. */
export async function startFaultRun({
  factor = 30,
  rate = 30,
  patienceMs = 120_000,
}: FaultRunOptions = {}): Promise<FaultRun> {
  const demo = startDemo({
    command: [process.execPath, '--import', 'tsx', 'mall/demo/run.ts'],
    args: ['--rate', `${rate}`],
    env: { MALL_FAULTS: 'on', VITALS_LEAK_DETECTOR: 'on' },
    timeoutMs: 3_600_000,
  });
  const { shopUrl, faults, stack } = await (async () => {
    const { shopUrl, metrics } = await addresses(demo);
    const faults = await faultsOf(shopUrl);
    return { shopUrl, faults, stack: await startAlertStack({ targets: { mall: [metrics] }, factor }) };
  })().catch(async error => {
    demo.signalGroup('SIGINT');
    await demo.exit;
    throw error;
  });

  /** What Alertmanager has and does not hold back, but what is for machines. */
  const firing = async (): Promise<FiringAlert[]> =>
    (await stack.held())
      .filter(({ status, labels }) => status.state !== 'suppressed' && labels['severity'] !== 'info')
      .map(({ labels }) => ({ name: labels['alertname']!, severity: labels['severity']! }));
  /** Polls until `done`, noting what fires. @returns seconds, or undefined where it took too long */
  const until = async (
    ms: number,
    seen: Map<string, string>,
    done: (now: readonly FiringAlert[]) => boolean,
  ): Promise<number | undefined> => {
    const start = Date.now();
    for (;;) {
      const now = await firing();
      for (const { name, severity } of now) if (seen.get(name) !== 'critical') seen.set(name, severity);
      if (done(now)) return (Date.now() - start) / 1000;
      if (Date.now() - start > ms) return undefined;
      await wait(pollMs);
    }
  };

  return {
    faults,
    async quiet(ms) {
      const seen = new Map<string, string>();
      await until(ms, seen, () => false);
      return [...seen.keys()];
    },
    async try({ name, shows }) {
      const expected = typeof shows.alert === 'string' ? shows.alert : undefined;
      const isExpected = (alerts: readonly FiringAlert[]) => alerts.some(one => one.name === expected);
      const seen = new Map<string, string>();
      // A budget that was spent burns on for as long as its longest window.
      const before = new Set((await firing()).map(one => one.name));
      const begun = Date.now();
      await post(`${shopUrl}/faults/${name}`, 'POST');
      const firesAfter = await until(
        expected === undefined ? patienceMs / 4 : patienceMs,
        seen,
        now => expected !== undefined && isExpected(now),
      );
      const told =
        firesAfter === undefined
          ? undefined
          : await stack
              .told(
                alert => alert.labels['alertname'] === expected && alert.status === 'firing',
                20_000,
                begun,
              )
              .catch(() => undefined);
      // A process that the fault ended has none left to heal.
      await post(`${shopUrl}/faults/${name}`, 'DELETE').catch(() => {});
      const severity = seen.get(expected ?? '') ?? 'warning';
      // One without an alert is over once nothing new fires.
      const resolvesAfter = await until(patienceMs, seen, now =>
        expected === undefined
          ? now.every(one => before.has(one.name))
          : !now.some(one => one.name === expected && one.severity === severity),
      );
      return {
        fault: name,
        alert: typeof shows.alert === 'string' ? shows.alert : `none: ${shows.alert.none}`,
        ...(firesAfter === undefined ? {} : { firesAfter }),
        ...(told === undefined ? {} : { toldAfter: (told.at - begun) / 1000 }),
        ...(resolvesAfter === undefined ? {} : { resolvesAfter }),
        others: [...seen]
          .filter(
            ([other, level]) =>
              other !== expected && !before.has(other) && (level === 'critical' || severity === 'warning'),
          )
          .map(([other, level]) => `${other} (${level})`),
      };
    },
    async close() {
      demo.signalGroup('SIGINT');
      await Promise.all([demo.exit, stack.close()]);
    },
  };
}

async function addresses(demo: DemoRun): Promise<{ shopUrl: string; metrics: string }> {
  const [, shopUrl] = await demo.printed(/^shop +(http:\/\/\S+)/m);
  const [, metrics] = await demo.printed(/^metrics +http:\/\/(\S+)\/metrics$/m);
  return { shopUrl: shopUrl!, metrics: metrics! };
}

async function faultsOf(shopUrl: string): Promise<ShopFault[]> {
  const answer = await fetch(`${shopUrl}/faults`);
  if (!answer.ok) throw new Error(`Expected the shop to tell its faults, got ${answer.status}`);
  return ((await answer.json()) as { faults: ShopFault[] }).faults;
}

async function post(url: string, method: 'POST' | 'DELETE'): Promise<void> {
  const answer = await fetch(url, { method, signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
}

/** The outcomes as a table of Markdown. */
export function outcomeTable(outcomes: readonly FaultOutcome[]): string {
  const seconds = (value: number | undefined) => (value === undefined ? 'never' : value.toFixed(0));
  return [
    '| fault | alert | fires after s | told after s | resolves after s | others that fired |',
    '|---|---|---|---|---|---|',
    ...outcomes.map(
      ({ fault, alert, firesAfter, toldAfter, resolvesAfter, others }) =>
        `| ${fault} | ${alert} | ${alert.startsWith('none') ? '-' : seconds(firesAfter)} | ${alert.startsWith('none') ? '-' : seconds(toldAfter)} | ${seconds(resolvesAfter)} | ${others.join(', ') || '-'} |`,
    ),
  ].join('\n');
}
