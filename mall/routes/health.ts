import type { FastifyInstance } from 'fastify';
import type { DatabaseHealth } from 'otel-vitals/toolkit/database';

/** One thing the shop stands on, and whether it works without it. */
export interface HealthCheck {
  readonly name: string;
  /** Without a required one the shop takes no requests; without another it is slower or poorer. */
  readonly required: boolean;
  check(): Promise<unknown>;
}

const checkTimeoutMs = 1000;

/** `/health/live`: the process answers. `/health/ready`: it should be sent requests. */
export function healthRoutes(
  app: FastifyInstance,
  checks: readonly HealthCheck[],
  isClosing: () => boolean,
  database: () => DatabaseHealth,
): void {
  app.get('/health/live', { schema: { summary: 'Whether the process answers' } }, async () => ({
    status: 'ok',
  }));

  const schema = { summary: 'Whether it should be sent requests: 200 or 503' };
  app.get('/health/ready', { schema }, async (_request, reply) => {
    const results = await Promise.all(checks.map(async check => ({ ...check, works: await works(check) })));
    const ready = !isClosing() && results.every(({ required, works }) => works || !required);
    const parts = Object.fromEntries(results.map(({ name, works }) => [name, works ? 'ok' : 'failing']));
    const degraded = results.some(({ works }) => !works);
    const status = isClosing() ? 'closing' : !ready ? 'failing' : degraded ? 'degraded' : 'ok';
    return reply.code(ready ? 200 : 503).send({ status, parts, database: scoreOf(database()) });
  });
}

/** How well the database does lately, out of 100, and what is wrong with it. */
function scoreOf({ score, deductions }: DatabaseHealth) {
  return { score, problems: deductions.map(({ problem }) => problem) };
}

async function works({ check }: HealthCheck): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>(resolve => {
    timer = setTimeout(() => resolve(false), checkTimeoutMs);
  });
  const outcome = check().then(
    () => true,
    () => false,
  );
  return Promise.race([outcome, late]).finally(() => clearTimeout(timer));
}
