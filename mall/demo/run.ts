import type { DemoArguments } from './arguments';
import { ArgumentError, readArguments, usage } from './arguments';
import { liveLine, summaryRows, table } from './format';
import type { Interrupts } from './interrupt';
import { listenForInterrupts } from './interrupt';
import { startLoad } from './load';
import type { Screen } from './screen';
import { createScreen } from './screen';
import type { Stack } from './stack';
import { startStack } from './stack';
import { Watch } from './watch';

async function main(): Promise<number> {
  const args = readArguments(process.argv.slice(2));
  if (args.help) {
    process.stdout.write(usage);
    return 0;
  }
  const interrupts = listenForInterrupts();
  const screen = createScreen();
  const starting = startStack(screen);
  const stack = await Promise.race([starting, interrupts.happened.then(() => undefined)]);
  // What has started so far ends with this process.
  if (stack === undefined) process.exit(interrupts.present?.exitCode);
  try {
    return await drive(stack, args, screen, interrupts);
  } finally {
    await stack.close();
  }
}

/** Load, live line, summary; returns the exit code. */
async function drive(
  stack: Stack,
  args: DemoArguments,
  screen: Screen,
  interrupts: Interrupts,
): Promise<number> {
  const watch = new Watch(stack.metricsUrl);
  await watch.start((signs, seconds) => screen.live(liveLine(signs, seconds)));
  const load = startLoad(stack.shop.url, args.rate);
  screen.say(
    `load        ${args.rate} requests/s, ${args.duration === undefined ? 'until Ctrl-C' : `for ${args.duration} s`}\n`,
  );

  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<'over'>(resolve => {
    if (args.duration !== undefined) timer = setTimeout(() => resolve('over'), args.duration * 1000);
  });
  const shopDied = stack.shop.ended.then(how => ({ how }));
  const end = await Promise.race([over, interrupts.happened, shopDied]);
  clearTimeout(timer);
  await load.stop();
  if (end !== 'over' && 'how' in end) {
    await watch.stop();
    screen.complain(`the shop ended by itself: ${end.how}\n`);
    return 1;
  }

  const { signs, seconds } = await watch.stop();
  screen.say(`\nVital signs of the shop over ${seconds.toFixed(1)} s, from ${stack.metricsUrl}`);
  screen.say(table(summaryRows(signs, seconds, watch.heapPeak)));
  if (load.counts.failed > 0)
    screen.say(`  ${load.counts.failed} requests had no answer or one of 500 and above`);
  // Without a duration, Ctrl-C is how the demo is meant to end.
  return end === 'over' || args.duration === undefined ? 0 : end.exitCode;
}

main().then(
  code => process.exit(code),
  error => {
    if (error instanceof ArgumentError) process.stderr.write(`demo: ${error.message}\n\n${usage}`);
    else process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(error instanceof ArgumentError ? 2 : 1);
  },
);
