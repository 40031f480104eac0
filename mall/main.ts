import { readConfig } from './config';
import { startShop } from './start';

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const shop = await startShop(config);
  // One line that a program can read: the port may have been any.
  console.log(JSON.stringify({ event: 'listening', url: shop.url, pid: process.pid }));

  const shutDown = (signal: NodeJS.Signals): void => {
    // A second signal finds no listener, and ends the process at once.
    process.removeListener('SIGTERM', shutDown).removeListener('SIGINT', shutDown);
    const deadline = setTimeout(() => {
      console.error(`mall: not closed ${config.shutdownTimeoutMs} ms after ${signal}, ending now`);
      process.exit(1);
    }, config.shutdownTimeoutMs);
    deadline.unref();
    shop.close().catch(error => {
      console.error('mall: shutdown failed:', error);
      process.exitCode = 1;
    });
  };
  process.on('SIGTERM', shutDown).on('SIGINT', shutDown);
}

main().catch(error => {
  console.error(`mall: ${error instanceof Error ? error.message || String(error) : String(error)}`);
  process.exitCode = 1;
});
