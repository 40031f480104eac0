import { onShutdown } from '../shutdown';
import { readBehaviour } from './behaviour';
import { buildGateway } from './gateway';

/** The payment gateway as a process of its own: HOST, PORT (3100), LOG_LEVEL, and PAYMENT_... of its behaviour. */
async function main(): Promise<void> {
  const { env } = process;
  const app = buildGateway(readBehaviour(env), env['LOG_LEVEL'] || 'warn');
  const url = await app.listen({ host: env['HOST'] || '127.0.0.1', port: Number(env['PORT'] || 3100) });
  console.log(JSON.stringify({ event: 'listening', url, pid: process.pid }));
  onShutdown(5000, () => app.close());
}

main().catch(error => {
  console.error(`payment: ${error instanceof Error ? error.message || String(error) : String(error)}`);
  process.exitCode = 1;
});
