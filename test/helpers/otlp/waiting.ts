/** Lets tests wait for what a server gets. */
export interface Waiting {
  /** To be called whenever something has come. */
  look(): void;
  /** Fails everybody who waits, now and later. */
  fail(problem: unknown): void;
  /** Resolves once `fits` gives something; fails after the time given. */
  until<T>(fits: () => T | undefined | false): Promise<T>;
}

/** @param describe what came instead, for the message of a wait that failed */
export function createWaiting(patienceMs: number, describe: () => string): Waiting {
  const looks = new Set<() => void>();
  const problems: unknown[] = [];
  const look = (): void => {
    for (const each of [...looks]) each();
  };
  return {
    look,
    fail(problem) {
      problems.push(problem);
      look();
    },
    until: fits =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const found = problems.length > 0 ? undefined : fits();
          if (problems.length > 0) finish(() => reject(problems[0]));
          else if (found !== undefined && found !== false) finish(() => resolve(found));
        };
        const finish = (end: () => void): void => {
          clearTimeout(timer);
          looks.delete(check);
          end();
        };
        const timer = setTimeout(() => {
          finish(() => reject(new Error(`nothing that fits within ${patienceMs} ms; got ${describe()}`)));
        }, patienceMs);
        looks.add(check);
        check();
      }),
  };
}
