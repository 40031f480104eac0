// npm run grafana:faults -- [fault ...]: begins each fault of the shop under load, and says which alerts fire, when, and
// when they resolve. The rules run thirty times faster than committed. Ends with status 1 where an alert did not fire, did
// not resolve, or another of the same or a higher severity fired.
import { type FaultOutcome, outcomeTable, startFaultRun } from '../test/helpers/fault-run';

const quietMs = 60_000;

async function main(names: readonly string[]): Promise<number> {
  const run = await startFaultRun();
  try {
    const unknown = names.filter(name => !run.faults.some(fault => fault.name === name));
    if (unknown.length > 0) {
      console.error(
        `faults: there is no ${unknown.join(', ')}; there are ${run.faults.map(f => f.name).join(', ')}`,
      );
      return 2;
    }
    const early = await run.quiet(quietMs);
    console.log(`faults: a quiet minute: ${early.length === 0 ? 'nothing fired' : early.join(', ')}`);
    const outcomes: FaultOutcome[] = [];
    for (const fault of run.faults) {
      if (names.length > 0 && !names.includes(fault.name)) continue;
      const outcome = await run.try(fault);
      outcomes.push(outcome);
      console.log(outcomeTable([outcome]).split('\n').at(-1));
    }
    console.log(`\n${outcomeTable(outcomes)}`);
    const isRight = (one: FaultOutcome): boolean =>
      (one.alert.startsWith('none') || one.firesAfter !== undefined) &&
      one.resolvesAfter !== undefined &&
      one.others.length === 0;
    const wrong = outcomes.filter(one => !isRight(one)).length;
    console.log(`\nfaults: ${outcomes.length - wrong} as they should be, ${wrong} not`);
    return wrong > 0 || early.length > 0 ? 1 : 0;
  } finally {
    await run.close();
  }
}

main(process.argv.slice(2)).then(
  code => process.exit(code),
  error => {
    console.error(`faults: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(2);
  },
);
